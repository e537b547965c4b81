use crate::{
    caches::{Cache, Found},
    error::Error,
};
use core::{fmt, time::Duration};

/// A cache that tells of every operation before it is done, as `DebugCache` of Python's CacheToolsUtils does, with keys and
/// values as Rust's `Debug` prints them. It wraps blocking caches.
///
/// Whom it tells is up to the user: the console, `log`, `tracing`, `defmt`. Keys and values are told in full:
/// do not put it above an `EncryptedCache` where the log is less secret than the cache.
///
/// ```
/// use core::cell::RefCell;
/// use ctu_core::{Cache, DebugCache, LruCache, SpinCache};
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
pub struct DebugCache<C, L> {
    inner: C,
    name: &'static str,
    log: L,
}

/// An operation on a [`DebugCache`], which prints as a line of the log.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// The cache's name.
    pub name: &'a str,
    /// The operation: `get`, `set`, `del`, `in`, `len` and `clear` as in Python, `pop` and `retain`.
    pub operation: &'static str,
    /// The key, where there is one; all keys of a batch, and the values of one that is stored.
    pub key: Option<&'a dyn fmt::Debug>,
    /// The value, where one is stored.
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

impl<C, L: Fn(&Event<'_>)> DebugCache<C, L> {
    /// Tells `log` of the operations on `inner`, under a name.
    pub const fn new(inner: C, name: &'static str, log: L) -> Self {
        Self { inner, name, log }
    }

    /// The cache below.
    pub const fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The cache below.
    pub fn into_inner(self) -> C {
        self.inner
    }

    fn tell(
        &self,
        operation: &'static str,
        key: Option<&dyn fmt::Debug>,
        value: Option<&dyn fmt::Debug>,
    ) {
        (self.log)(&Event {
            name: self.name,
            operation,
            key,
            value,
        });
    }
}

impl<C, L> Cache for DebugCache<C, L>
where
    C: Cache<Key: fmt::Debug, Value: fmt::Debug>,
    L: Fn(&Event<'_>),
{
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
        self.tell("get", Some(&key), None);
        self.inner.get(key)
    }

    fn put(
        &self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        self.tell("set", Some(&key), Some(&value));
        self.inner.put(key, value, ttl)
    }

    fn remove(&self, key: &Self::Key) -> Result<bool, Self::Error> {
        self.tell("del", Some(&key), None);
        self.inner.remove(key)
    }

    fn clear(&self) -> Result<(), Self::Error> {
        self.tell("clear", None, None);
        self.inner.clear()
    }

    fn len(&self) -> Result<usize, Self::Error> {
        self.tell("len", None, None);
        self.inner.len()
    }

    fn contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
        self.tell("in", Some(&key), None);
        self.inner.contains(key)
    }

    fn get_with_ttl(&self, key: &Self::Key) -> Result<Found<Self::Value>, Self::Error> {
        self.tell("get", Some(&key), None);
        self.inner.get_with_ttl(key)
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.inner.default_ttl()
    }

    fn pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
        self.tell("pop", Some(&key), None);
        self.inner.pop(key)
    }

    fn retain(&self, keep: &mut dyn FnMut(&Self::Key) -> bool) -> Result<(), Self::Error> {
        self.tell("retain", None, None);
        self.inner.retain(keep)
    }

    fn get_or_compute(
        &self,
        key: &Self::Key,
        make: &mut dyn FnMut() -> Result<Option<Self::Value>, Error>,
    ) -> Result<Option<Self::Value>, Self::Error> {
        self.tell("get", Some(&key), None);
        self.inner.get_or_compute(key, &mut || {
            let made = make()?;
            if let Some(value) = &made {
                self.tell("set", Some(&key), Some(value));
            }
            Ok(made)
        })
    }

    fn address(&self) -> usize {
        self.inner.address()
    }

    fn has_single_flight(&self) -> bool {
        self.inner.has_single_flight()
    }

    #[cfg(feature = "alloc")]
    fn get_many(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error> {
        self.tell("get", Some(&keys), None);
        self.inner.get_many(keys)
    }

    #[cfg(feature = "alloc")]
    fn get_many_with_ttl(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
        self.tell("get", Some(&keys), None);
        self.inner.get_many_with_ttl(keys)
    }

    #[cfg(feature = "alloc")]
    fn put_many(
        &self,
        entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        self.tell("set", Some(&entries), None);
        self.inner.put_many(entries, ttl)
    }

    #[cfg(feature = "alloc")]
    fn remove_many(&self, keys: &[&Self::Key]) -> Result<usize, Self::Error> {
        self.tell("del", Some(&keys), None);
        self.inner.remove_many(keys)
    }
}

impl<C: fmt::Debug, L> fmt::Debug for DebugCache<C, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DebugCache")
            .field("name", &self.name)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<C: defmt::Format, L> defmt::Format for DebugCache<C, L> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "DebugCache {{ name: {=str}, inner: {}, .. }}",
            self.name,
            self.inner
        );
    }
}
