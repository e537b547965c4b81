//! Observers, and the operations that they see.

use crate::error::{CacheError, Error};
use core::fmt;

/// An operation of a cache, with its keys and values.
///
/// ```
/// use ctu_core::{Operation, OperationKind};
/// let operation: Operation<'_, str, u32> = Operation::Insert("key", &7);
/// assert_eq!(operation.kind(), OperationKind::Insert);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Operation<'a, K: ?Sized, V> {
    /// A lookup of the value at a key.
    Get(&'a K),
    /// A lookup by the parts of a key; see [`Cache::get_equivalent`](crate::Cache::get_equivalent).
    /// Only for an observer without [`READS_KEYS`](Observer::READS_KEYS).
    GetEquivalent,
    /// A lookup of the values at several keys.
    GetMany(&'a [&'a K]),
    /// A test for an entry.
    Contains(&'a K),
    /// A write of a value.
    Insert(&'a K, &'a V),
    /// A write of several values.
    InsertMany(&'a [(&'a K, V)]),
    /// A removal of an entry.
    Remove(&'a K),
    /// A removal of several entries.
    RemoveMany(&'a [&'a K]),
    /// A removal of an entry that returns its value.
    Pop(&'a K),
    /// A removal of all entries.
    Clear,
    /// A removal of the entries for which a predicate returns false.
    Retain,
    /// A request for the number of entries.
    Len,
}

impl<K: ?Sized, V> Operation<'_, K, V> {
    /// The kind of the operation, without its keys and values. A batch has the kind of its single
    /// operations.
    #[must_use]
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::Get(_) | Self::GetEquivalent | Self::GetMany(_) => OperationKind::Get,
            Self::Contains(_) => OperationKind::Contains,
            Self::Insert(..) | Self::InsertMany(_) => OperationKind::Insert,
            Self::Remove(_) | Self::RemoveMany(_) => OperationKind::Remove,
            Self::Pop(_) => OperationKind::Pop,
            Self::Clear => OperationKind::Clear,
            Self::Retain => OperationKind::Retain,
            Self::Len => OperationKind::Len,
        }
    }
}

/// The kind of an [`Operation`]. Its text form is the name of the operation in CacheToolsUtils.
///
/// ```
/// use ctu_core::OperationKind;
/// assert_eq!(OperationKind::Insert.to_string(), "set");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum OperationKind {
    /// A lookup of values; `get`.
    Get,
    /// A test for an entry; `in`.
    Contains,
    /// A write of values; `set`.
    Insert,
    /// A removal of entries; `del`.
    Remove,
    /// A removal of an entry that returns its value; `pop`.
    Pop,
    /// A removal of all entries; `clear`.
    Clear,
    /// A removal of the entries for which a predicate returns false; `retain`.
    Retain,
    /// A request for the number of entries; `len`.
    Len,
    /// The computation of a value for `get_or_compute`; `compute`. It is a part of that operation,
    /// and [`Observer::end`] alone sees it.
    Compute,
}

/// The outcome of an operation.
///
/// ```
/// use ctu_core::{Error, Failure, Outcome};
/// assert_eq!(Outcome::of(&Ok::<_, Error>(())), Outcome::Done);
/// let failed = Err::<(), _>(Error::Busy);
/// assert_eq!(Outcome::of(&failed), Outcome::Failed(Failure::Core(Error::Busy)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Outcome {
    /// Success, in an operation that is no lookup.
    Done,
    /// The lookup found a value for each of its keys.
    Hit,
    /// The lookup found no value for a key.
    Miss,
    /// The operation failed.
    Failed(Failure),
}

/// The kind of a failure, by the classification of [`CacheError`].
///
/// ```
/// use ctu_core::{Error, Failure};
/// assert_eq!(Failure::of(&Error::Busy), Failure::Core(Error::Busy));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Failure {
    /// An [`Error`]: the operation had no effect, and the cache works.
    Core(Error),
    /// The program has too many operations in flight.
    Overload,
    /// The cache is unreachable or replies incorrectly.
    Outage,
    /// Another failure, such as a refusal by the server.
    Other,
}

impl Failure {
    /// The kind of `error`.
    #[must_use]
    pub fn of<E: CacheError>(error: &E) -> Self {
        match error.as_core() {
            Some(error) => Self::Core(error),
            None if error.is_overload() => Self::Overload,
            None if error.is_outage() => Self::Outage,
            None => Self::Other,
        }
    }
}

impl Outcome {
    /// The outcome of an operation that is no lookup.
    pub fn of<T, E: CacheError>(result: &Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(error) => Self::Failed(Failure::of(error)),
        }
    }

    /// The outcome of a lookup. `is_hit` is whether it found each of its keys.
    pub(super) fn of_lookup<T, E: CacheError>(result: &Result<T, E>, is_hit: bool) -> Self {
        match result {
            Ok(_) if is_hit => Self::Hit,
            Ok(_) => Self::Miss,
            Err(error) => Self::Failed(Failure::of(error)),
        }
    }
}

impl OperationKind {
    /// The name of the operation in CacheToolsUtils.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Contains => "in",
            Self::Insert => "set",
            Self::Remove => "del",
            Self::Pop => "pop",
            Self::Clear => "clear",
            Self::Retain => "retain",
            Self::Len => "len",
            Self::Compute => "compute",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Sees the operations of a cache and changes none.
///
/// [`Observed`](crate::Observed) puts any observer on any cache, blocking or async, so an observer is
/// written once. `K` and `V` are the key and value of the cache.
///
/// ```
/// use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// use ctu_core::{Cache, CacheExt, LruCache, Observed, Observer, Operation, SpinCache};
///
/// /// Counts the bytes that are written.
/// #[derive(Default)]
/// struct BytesWritten(AtomicUsize);
///
/// impl<K: ?Sized, V: AsRef<[u8]>> Observer<K, V> for BytesWritten {
///     fn before(&self, operation: &Operation<'_, K, V>) {
///         if let Operation::Insert(_, value) = operation {
///             self.0.fetch_add(value.as_ref().len(), Relaxed);
///         }
///     }
/// }
///
/// let store = SpinCache::new(LruCache::<u32, [u8; 4], 8>::new());
/// let cache = Observed::with_observer(store, BytesWritten::default());
/// cache.insert(&1, *b"four")?;
/// assert_eq!(cache.observer().0.load(Relaxed), 4);
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub trait Observer<K: ?Sized, V> {
    /// Whether the observer reads keys. Without it, a lookup by the parts of a key makes no key, and
    /// is an [`Operation::GetEquivalent`].
    const READS_KEYS: bool = true;

    /// Sees `operation` before it runs, whether it succeeds or fails later.
    ///
    /// `get_or_compute` is an [`Operation::Get`] and, once a value is computed, an [`Operation::Insert`].
    fn before(&self, operation: &Operation<'_, K, V>);

    /// Sees the number of values that a lookup found: `Get`, `GetEquivalent`, `GetMany` or `Pop`.
    /// Called once for each lookup, with 0 for a failed one. `get_or_compute` reports a miss before the
    /// computation begins.
    fn found(&self, operation: &Operation<'_, K, V>, hits: usize) {
        let _ = (operation, hits);
    }

    /// The time at which an operation begins, in any unit, for [`end`](Self::end). An observer that
    /// measures no times leaves it at 0.
    fn start(&self) -> u64 {
        0
    }

    /// Sees the end of an operation that began at `start`.
    ///
    /// A miss of `get_or_compute` is the end of its [`OperationKind::Get`]; an
    /// [`OperationKind::Compute`] follows, and the write of the value has no end. An async operation
    /// whose future is dropped has no end.
    fn end(&self, kind: OperationKind, start: u64, outcome: Outcome) {
        let _ = (kind, start, outcome);
    }
}
