//! The adaptor of mappings: a cache over a cache.

mod awaited;
#[cfg(feature = "alloc")]
mod batch;

use crate::{
    caches::{Cache, Found, HasAsyncStats, HasStats, InMemory, forward_async_stats, forward_stats},
    error::{Capability, Error},
    mappings::mapping::Mapping,
};
use core::{borrow::Borrow, time::Duration};

/// A [`Mapping`] on a cache: a [`Cache`] over a cache, an [`AsyncCache`](crate::AsyncCache) over an
/// async one.
///
/// The mappings of this crate have aliases for it: [`PrefixedCache`](crate::PrefixedCache),
/// `EncryptedCache`, `ToBytesCache`, `BytesCache`. Errors are those of the inner cache. An
/// operation costs that of the inner cache, one [`Mapping::at`] a key, and one `encode` or `decode`
/// a value; both for a `get_or_insert_with` that stores a value.
///
/// ```
/// use ctu_core::{Cache, CacheExt, LruCache, Mapped, Prefix, SpinCache, Text};
/// let base = SpinCache::new(LruCache::<Text<20>, u32, 8>::new());
/// let cache = Mapped::with_mapping(base, Prefix::new("app."));
/// cache.insert("key", 1)?;
/// assert_eq!(cache.get_ref().get("app.key")?, Some(1));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Mapped<C, M> {
    mapping: M,
    inner: C,
}

impl<C, M> Mapped<C, M> {
    /// Applies `mapping` to `inner`.
    pub const fn with_mapping(inner: C, mapping: M) -> Self {
        Self { mapping, inner }
    }

    /// The mapping.
    pub const fn mapping(&self) -> &M {
        &self.mapping
    }

    /// The inner cache.
    pub const fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The inner cache.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// The inner cache.
    pub fn into_inner(self) -> C {
        self.inner
    }

    #[cfg(any(feature = "encrypted", feature = "sealed"))]
    pub(crate) fn map<N>(self, change: impl FnOnce(M) -> N) -> Mapped<C, N> {
        Mapped::with_mapping(self.inner, change(self.mapping))
    }

    #[cfg(any(feature = "encrypted", feature = "sealed"))]
    pub(crate) fn try_map<N, E>(
        self,
        change: impl FnOnce(M) -> Result<N, E>,
    ) -> Result<Mapped<C, N>, E> {
        Ok(Mapped::with_mapping(self.inner, change(self.mapping)?))
    }
}

/// Runs `clear` and `retain` of the inner cache over the keys of the mapping, and records an error
/// of [`Mapping::origin`].
struct OwnKeys<'m, M> {
    mapping: &'m M,
    failed: Result<(), Error>,
}

impl<'m, M> OwnKeys<'m, M> {
    const fn new(mapping: &'m M) -> Self {
        Self {
            mapping,
            failed: Ok(()),
        }
    }

    fn keep<K: ?Sized, V>(&mut self, key: &K, keep: &mut dyn FnMut(&M::Key) -> bool) -> bool
    where
        M: Mapping<K, V>,
    {
        match self.mapping.origin(key) {
            Ok(Some(key)) => keep(key),
            Ok(None) => true,
            Err(error) => {
                self.failed = Err(error);
                true
            }
        }
    }
}

/// Decodes the result of a lookup.
fn decode<K: ?Sized, V, M: Mapping<K, V>>(
    mapping: &M,
    at: &M::At,
    found: Option<V>,
) -> Result<Option<M::Value>, Error> {
    match found {
        Some(value) => mapping.decode(at, value),
        None => Ok(None),
    }
}

fn decode_with_ttl<K: ?Sized, V, M: Mapping<K, V>>(
    mapping: &M,
    at: &M::At,
    found: Found<V>,
) -> Result<Found<M::Value>, Error> {
    match found {
        Some((value, ttl)) => mapping.decode_with_ttl(at, value, ttl),
        None => Ok(None),
    }
}

impl<M, C: InMemory> InMemory for Mapped<C, M> {}

forward_stats!(impl[C: HasStats, M] for Mapped<C, M>, C, this => &this.inner;);
forward_async_stats!(impl[C: HasAsyncStats, M] for Mapped<C, M>, C, this => &this.inner;);

impl<C, M> Cache for Mapped<C, M>
where
    C: Cache,
    M: Mapping<C::Key, C::Value>,
{
    type Key = M::Key;
    type Value = M::Value;
    type Error = C::Error;

    fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
        let at = self.mapping.at(key)?;
        let found = self.inner.get(at.borrow())?;
        Ok(decode(&self.mapping, &at, found)?)
    }

    fn insert_entry(
        &self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        let at = self.mapping.at(key)?;
        let value =
            self.mapping
                .encode_for(&at, value, ttl.or_else(|| self.inner.default_ttl()))?;
        self.inner.insert_entry(at.borrow(), value, ttl)
    }

    fn remove(&self, key: &Self::Key) -> Result<bool, Self::Error> {
        self.inner.remove(self.mapping.at(key)?.borrow())
    }

    fn contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
        if M::VERIFIES {
            return Ok(self.get(key)?.is_some());
        }
        self.inner.contains(self.mapping.at(key)?.borrow())
    }

    fn clear(&self) -> Result<(), Self::Error> {
        if M::OWNS_ALL {
            self.inner.clear()
        } else {
            self.retain(&mut |_| false)
        }
    }

    /// As [`Cache::len`].
    ///
    /// # Errors
    /// Those of the inner cache, and [`Error::Unsupported`] for a mapping that shares it, such as a
    /// prefix: the inner cache counts the entries of all.
    fn len(&self) -> Result<usize, Self::Error> {
        match M::OWNS_ALL {
            true => self.inner.len(),
            false => Err(Error::Unsupported(Capability::Len).into()),
        }
    }

    fn get_with_ttl(&self, key: &Self::Key) -> Result<Found<Self::Value>, Self::Error> {
        let at = self.mapping.at(key)?;
        let found = self.inner.get_with_ttl(at.borrow())?;
        Ok(decode_with_ttl(&self.mapping, &at, found)?)
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.inner.default_ttl()
    }

    fn pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
        let at = self.mapping.at(key)?;
        let found = self.inner.pop(at.borrow())?;
        Ok(decode(&self.mapping, &at, found)?)
    }

    fn retain(&self, keep: &mut dyn FnMut(&Self::Key) -> bool) -> Result<(), Self::Error> {
        M::NO_ORIGIN.map_or(Ok(()), Err)?;
        let mut own = OwnKeys::new(&self.mapping);
        self.inner.retain(&mut |key| own.keep(key, keep))?;
        Ok(own.failed?)
    }

    fn get_or_compute(
        &self,
        key: &Self::Key,
        make: &mut dyn FnMut() -> Result<Option<Self::Value>, Error>,
    ) -> Result<Option<Self::Value>, Self::Error> {
        let at = self.mapping.at(key)?;
        let found = self.inner.get_or_compute(at.borrow(), &mut || {
            make()?
                .map(|value| {
                    self.mapping
                        .encode_for(&at, value, self.inner.default_ttl())
                })
                .transpose()
        })?;
        let Some(value) = found else {
            return Ok(None);
        };
        if let Some(value) = self.mapping.decode(&at, value)? {
            return Ok(Some(value));
        }
        // The stored value is corrupt: a miss, to be overwritten.
        let Some(value) = make()? else {
            return Ok(None);
        };
        let encoded = self
            .mapping
            .encode_for(&at, value.clone(), self.inner.default_ttl())?;
        self.inner.insert_entry(at.borrow(), encoded, None)?;
        Ok(Some(value))
    }

    fn has_single_flight(&self) -> bool {
        self.inner.has_single_flight()
    }

    #[cfg(feature = "alloc")]
    fn get_many(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error> {
        let ats = batch::ats(&self.mapping, keys)?;
        let values = self.inner.get_many(&batch::borrowed(&ats))?;
        Ok(batch::decode(&self.mapping, &ats, values)?)
    }

    #[cfg(feature = "alloc")]
    fn get_many_with_ttl(
        &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
        let ats = batch::ats(&self.mapping, keys)?;
        let values = self.inner.get_many_with_ttl(&batch::borrowed(&ats))?;
        Ok(batch::decode_with_ttl(&self.mapping, &ats, values)?)
    }

    #[cfg(feature = "alloc")]
    fn insert_many(
        &self,
        entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), Self::Error> {
        let kept = ttl.or_else(|| self.inner.default_ttl());
        let (ats, values) = batch::encode(&self.mapping, entries, kept)?;
        self.inner.insert_many(batch::entries(&ats, values), ttl)
    }

    #[cfg(feature = "alloc")]
    fn remove_many(&self, keys: &[&Self::Key]) -> Result<usize, Self::Error> {
        let ats = batch::ats(&self.mapping, keys)?;
        self.inner.remove_many(&batch::borrowed(&ats))
    }
}
