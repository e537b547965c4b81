//! A store without a bound: a hash map.

use super::{
    slots::RandomState,
    store::{Store, refuse_ttl},
};
use crate::{
    entries::{KeyParts, StoredKey},
    error::Error,
};
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash, Hasher},
    marker::PhantomData,
    time::Duration,
};
use hashbrown::HashMap;

/// A store that never evicts: a hash map, the counterpart of `DictCache` in CacheToolsUtils.
///
/// ```
/// use ctu_core::{Cache, CacheExt, SpinCache, heap::DictCache};
///
/// let cache = SpinCache::new(DictCache::<String, u32>::new());
/// cache.insert("one", 1)?;
/// assert_eq!(cache.get("one")?, Some(1));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DictCache<K, V, H = RandomState>(HashMap<K, V, H>);

impl<K, V> DictCache<K, V> {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<K, V, H> DictCache<K, V, H> {
    /// The entries, in no order.
    #[cfg(feature = "defmt")]
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter()
    }

    /// An empty store that hashes keys with `hasher`.
    pub const fn with_hasher(hasher: H) -> Self {
        Self(HashMap::with_hasher(hasher))
    }

    /// The map.
    pub fn into_inner(self) -> HashMap<K, V, H> {
        self.0
    }
}

impl<K, V, H: Default> Default for DictCache<K, V, H> {
    fn default() -> Self {
        Self::with_hasher(H::default())
    }
}

/// The parts of a key of `L`, in the form that the map looks up.
struct KeyPartsOf<'q, Q, L: ?Sized>(&'q Q, PhantomData<fn(&L)>);

impl<Q: KeyParts<L>, L: ?Sized> Hash for KeyPartsOf<'_, Q, L> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash_as(state);
    }
}

impl<Q: KeyParts<L>, L: ?Sized, K: Borrow<L>> hashbrown::Equivalent<K> for KeyPartsOf<'_, Q, L> {
    fn equivalent(&self, key: &K) -> bool {
        self.0.is(key.borrow())
    }
}

impl<K: StoredKey, V, H: BuildHasher> Store for DictCache<K, V, H> {
    type Key = K::Lookup;
    type Value = V;

    fn get(&mut self, key: &Self::Key) -> Option<&V> {
        self.0.get(key)
    }

    fn get_equivalent<Q: KeyParts<K::Lookup>>(&mut self, key: &Q) -> Result<Option<&V>, Error> {
        Ok(self.0.get(&KeyPartsOf::<Q, K::Lookup>(key, PhantomData)))
    }

    fn insert_entry(
        &mut self,
        key: &Self::Key,
        value: V,
        ttl: Option<Duration>,
    ) -> Result<Option<V>, Error> {
        refuse_ttl(ttl)?;
        Ok(self.0.insert(K::store(key)?, value))
    }

    fn remove(&mut self, key: &Self::Key) -> Option<V> {
        self.0.remove(key)
    }

    fn contains(&mut self, key: &Self::Key) -> bool {
        self.0.contains_key(key)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&Self::Key) -> bool) {
        self.0.retain(|key, _| keep(key.borrow()));
    }

    fn len(&mut self) -> usize {
        self.0.len()
    }
}
