//! The observer that records how long operations take, as metrics.

use super::{
    observed::Observed,
    observer::{Failure, Observer, Operation, OperationKind, Outcome},
};
use crate::{
    caches::{HasAsyncStats, HasStats, forward_async_stats, forward_stats},
    error::Error,
};
use alloc::vec::Vec;
use core::{fmt, time::Duration};
use metrics::{Histogram, Label, Unit, histogram};
use std::{sync::OnceLock, time::Instant};

/// A cache that records the duration of its operations in histograms of the `metrics` facade.
///
/// It wraps blocking and async caches. An operation costs two readings of the system's clock, some
/// 50 ns, and the work of the recorder. Install the recorder before the first operation: a
/// histogram belongs to the recorder of its first use.
///
/// [`new`](Self::new) records `ctu.cache.operation.duration`, in seconds, with the labels:
///
/// | label | values |
/// | --- | --- |
/// | `cache` | the name |
/// | `operation` | `get`, `contains`, `insert`, `remove`, `pop`, `clear`, `retain`, `len`, `compute` |
/// | `result` | of `get` and `pop`: `hit` if there is a value for each key, `miss` otherwise |
/// | `error.type` | of a failed operation: the kind of the error, such as `busy`, `overload` or `outage` |
///
/// `get_or_compute` is a `get`, and on a miss a `compute`, the computation of the value. An exporter
/// to Prometheus writes `_` in place of `.`. Its number of hits is
/// `ctu_cache_operation_duration_count{operation="get",result="hit"}`.
///
/// [`of_server`](Self::of_server) records the histogram that OpenTelemetry's conventions have for
/// clients of databases.
///
/// ```
/// use ctu_core::{LruCache, MeteredCache, SpinCache, prelude::*};
///
/// let store = SpinCache::new(LruCache::<u32, u32, 8>::new());
/// let cache = MeteredCache::new(store, "pages");
/// cache.insert(&1, 10)?;
/// assert_eq!(cache.get(&1)?, Some(10));
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub type MeteredCache<C> = Observed<C, Meter>;

/// The [`Observer`] of a [`MeteredCache`].
///
/// ```
/// use ctu_core::{LruCache, Meter, MeteredCache, SpinCache, prelude::*};
/// let store = SpinCache::new(LruCache::<u32, u32, 8>::new());
/// let cache = MeteredCache::new(store, "pages");
/// let meter: &Meter = cache.observer();
/// assert_eq!(meter.name(), "pages");
/// ```
pub struct Meter {
    name: &'static str,
    /// The name of the database system, in the cache of a server.
    system: Option<&'static str>,
    /// The moment from which times count.
    zero: Instant,
    /// A histogram for each kind of operation and each of [`Meter::RESULTS`].
    histograms: [OnceLock<Histogram>; KINDS * Meter::RESULTS.len()],
}

/// The kinds of operations.
const KINDS: usize = OperationKind::Compute as usize + 1;

const fn label(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Get => "get",
        OperationKind::Contains => "contains",
        OperationKind::Insert => "insert",
        OperationKind::Remove => "remove",
        OperationKind::Pop => "pop",
        OperationKind::Clear => "clear",
        OperationKind::Retain => "retain",
        OperationKind::Len => "len",
        OperationKind::Compute => "compute",
    }
}

/// The kind of a failure, as the label of a metric.
const fn error_type(failure: Failure) -> &'static str {
    let error = match failure {
        Failure::Core(error) => error,
        Failure::Overload => return "overload",
        Failure::Outage => return "outage",
        // As the conventions name an error of no known kind.
        Failure::Other => return "_OTHER",
    };
    match error {
        Error::KeyTooLong { .. } => "key_too_long",
        Error::ValueTooLong { .. } => "value_too_long",
        Error::StoredTooLong { .. } => "stored_too_long",
        Error::EntryTooHeavy { .. } => "entry_too_heavy",
        Error::TtlTooLong { .. } => "ttl_too_long",
        Error::TtlUnsupported => "ttl_unsupported",
        Error::Unsupported(_) | Error::HashedKeys => "unsupported",
        Error::Full => "full",
        Error::Busy => "busy",
        Error::Seal(_) => "seal",
        Error::Encode(_) => "encode",
        Error::Decode(_) => "decode",
        Error::SecretTooShort { .. }
        | Error::OutOfRange { .. }
        | Error::UnknownName(_)
        | Error::AmbiguousSeparator => "setting",
    }
}

impl Meter {
    /// The values of the label `result`. The first operations have no such label.
    const RESULTS: [Option<&'static str>; 3] = [None, Some("hit"), Some("miss")];

    fn new(name: &'static str, system: Option<&'static str>) -> Self {
        Self {
            name,
            system,
            zero: Instant::now(),
            histograms: [const { OnceLock::new() }; KINDS * Self::RESULTS.len()],
        }
    }

    /// The name of the cache.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    fn histogram(&self, kind: OperationKind, extra: Option<Label>) -> Histogram {
        let of = Label::from_static_parts;
        let mut labels: Vec<_> = extra.into_iter().collect();
        labels.push(of("cache", self.name));
        match self.system {
            None => {
                labels.push(of("operation", label(kind)));
                histogram!(
                    description: "Duration of the operations of a cache.",
                    unit: Unit::Seconds,
                    "ctu.cache.operation.duration",
                    labels
                )
            }
            Some(system) => {
                labels.push(of("db.system.name", system));
                labels.push(of("db.operation.name", label(kind)));
                histogram!(
                    description: "Duration of database client operations.",
                    unit: Unit::Seconds,
                    "db.client.operation.duration",
                    labels
                )
            }
        }
    }

    fn record(&self, kind: OperationKind, time: Duration, result: usize) {
        let index = kind as usize * Self::RESULTS.len() + result;
        let Some(histogram) = self.histograms.get(index) else {
            return;
        };
        let histogram = histogram.get_or_init(|| {
            let result = Self::RESULTS.get(result).copied().flatten();
            self.histogram(kind, result.map(|result| Label::new("result", result)))
        });
        histogram.record(time);
    }
}

impl<C> Observed<C, Meter> {
    /// Records the operations on `inner`, with `name` for the label `cache`.
    pub fn new(inner: C, name: &'static str) -> Self {
        Self::with_observer(inner, Meter::new(name, None))
    }

    /// Records the operations on the cache `inner` in a server as `db.client.operation.duration`,
    /// with the labels `db.system.name` and `db.operation.name` of OpenTelemetry's conventions, and
    /// `cache`, `result` and `error.type` of [`MeteredCache`]. The `system` is `redis`, `memcached`,
    /// or another name of these conventions.
    ///
    /// ```
    /// use ctu_core::{LruCache, MeteredCache, SpinCache};
    /// # let server = SpinCache::new(LruCache::<u32, u32, 8>::new());
    /// // In front of a `RedisCache`:
    /// let cache = MeteredCache::of_server(server, "pages", "redis");
    /// # drop(cache);
    /// ```
    pub fn of_server(inner: C, name: &'static str, system: &'static str) -> Self {
        Self::with_observer(inner, Meter::new(name, Some(system)))
    }
}

impl<K: ?Sized, V> Observer<K, V> for Meter {
    const READS_KEYS: bool = false;

    fn before(&self, _: &Operation<'_, K, V>) {}

    fn start(&self) -> u64 {
        u64::try_from(self.zero.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn end(&self, kind: OperationKind, start: u64, outcome: Outcome) {
        let now = Observer::<K, V>::start(self);
        let time = Duration::from_nanos(now.saturating_sub(start));
        match outcome {
            Outcome::Done => self.record(kind, time, 0),
            Outcome::Hit => self.record(kind, time, 1),
            Outcome::Miss => self.record(kind, time, 2),
            Outcome::Failed(failure) => {
                let label = Label::new("error.type", error_type(failure));
                self.histogram(kind, Some(label)).record(time);
            }
        }
    }
}

forward_stats! {
    impl[C: HasStats] for Observed<C, Meter>, C, this => this.get_ref();
}
forward_async_stats! {
    impl[C: HasAsyncStats] for Observed<C, Meter>, C, this => this.get_ref();
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("name", &self.name)
            .field("system", &self.system)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Meter {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Meter {{ name: {=str}, .. }}", self.name);
    }
}
