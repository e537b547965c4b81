//! The observer that reports every operation.

use super::{
    observed::Observed,
    observer::{Observer, Operation, OperationKind},
};
use crate::caches::{HasAsyncStats, HasStats, forward_async_stats, forward_stats};
use core::fmt;

/// A cache that reports every operation before it runs: the counterpart of `DebugCache` in
/// CacheToolsUtils, with keys and values in their `Debug` form. It wraps blocking and async caches.
///
/// The user chooses the output: the console, `log`, `tracing`, `defmt`. Keys and values are reported in
/// full: do not put it above an `EncryptedCache` unless the log is as secret as the cache.
///
/// ```
/// use core::cell::RefCell;
/// use ctu_core::{Cache, CacheExt, DebugCache, LruCache, SpinCache};
///
/// let log = RefCell::new(Vec::new());
/// let cache = DebugCache::new(SpinCache::new(LruCache::<u32, u32, 8>::new()), "cache", |event| {
///     log.borrow_mut().push(event.to_string());
/// });
/// cache.insert(&1, 10)?;
/// cache.get(&1)?;
/// assert_eq!(*log.borrow(), ["DebugCache cache: set 1 10", "DebugCache cache: get 1"]);
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub type DebugCache<C, L> = Observed<C, Log<L>>;

/// The [`Observer`] of a [`DebugCache`]: the name of the cache, and the function to call.
///
/// ```
/// use ctu_core::{DebugCache, LruCache, SpinCache, prelude::*};
/// use ctu_core::{Event, Log, Observed};
/// fn traced<C>(cache: C) -> Observed<C, Log<fn(&Event<'_>)>> {
///     DebugCache::new(cache, "users", |event| println!("{event}"))
/// }
/// let cache = traced(SpinCache::new(LruCache::<u32, u32, 8>::new()));
/// cache.insert(&1, 10)?;
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub struct Log<L> {
    name: &'static str,
    log: L,
}

/// An operation on a [`DebugCache`]. Its text form is a line of a log.
///
/// ```
/// use ctu_core::{DebugCache, LruCache, OperationKind, SpinCache, prelude::*};
/// use std::cell::Cell;
/// let lookups = Cell::new(0);
/// let cache = DebugCache::new(SpinCache::new(LruCache::<u32, u32, 8>::new()), "users", |event| {
///     if event.operation == OperationKind::Get {
///         lookups.set(lookups.get() + 1);
///     }
/// });
/// cache.get(&1)?;
/// assert_eq!(lookups.get(), 1);
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// The cache's name.
    pub name: &'a str,
    /// The operation.
    pub operation: OperationKind,
    /// The key, if any; for a batch all keys, with their values in a write.
    pub key: Option<&'a dyn fmt::Debug>,
    /// The value of a write.
    pub value: Option<&'a dyn fmt::Debug>,
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DebugCache {}: {}", self.name, self.operation)?;
        if let Some(key) = self.key {
            write!(f, " {key:?}")?;
        }
        if let Some(value) = self.value {
            write!(f, " {value:?}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Event<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", defmt::Display2Format(self));
    }
}

forward_stats! {
    impl[C: HasStats, L] for Observed<C, Log<L>>, C, this => this.get_ref();
}
forward_async_stats! {
    impl[C: HasAsyncStats, L] for Observed<C, Log<L>>, C, this => this.get_ref();
}

impl<C, L: Fn(&Event<'_>)> Observed<C, Log<L>> {
    /// Calls `log` before each operation on `inner`, which is reported under `name`.
    pub const fn new(inner: C, name: &'static str, log: L) -> Self {
        Self::with_observer(inner, Log { name, log })
    }
}

impl<K, V, L> Observer<K, V> for Log<L>
where
    K: fmt::Debug + ?Sized,
    V: fmt::Debug,
    L: Fn(&Event<'_>),
{
    fn before(&self, operation: &Operation<'_, K, V>) {
        let (key, value): (Option<&dyn fmt::Debug>, Option<&dyn fmt::Debug>) = match operation {
            Operation::Get(key)
            | Operation::Contains(key)
            | Operation::Remove(key)
            | Operation::Pop(key) => (Some(key), None),
            Operation::GetMany(keys) | Operation::RemoveMany(keys) => (Some(keys), None),
            Operation::Insert(key, value) => (Some(key), Some(value)),
            Operation::InsertMany(entries) => (Some(entries), None),
            // The lookup by parts does not occur with `READS_KEYS`.
            Operation::GetEquivalent | Operation::Clear | Operation::Retain | Operation::Len => {
                (None, None)
            }
        };
        (self.log)(&Event {
            name: self.name,
            operation: operation.kind(),
            key,
            value,
        });
    }
}

impl<L> fmt::Debug for Log<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<L> defmt::Format for Log<L> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Log {{ name: {=str}, .. }}", self.name);
    }
}
