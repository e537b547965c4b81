//! The stores without a recency list as [`Store`]s.

use super::{Rule, Unordered};
use crate::{
    entries::{KeyParts, StoredKey},
    error::Error,
    stores::{
        slots::Slot,
        store::{Store, refuse_ttl, store_methods},
    },
};
use core::{
    hash::{BuildHasher, Hasher as _},
    time::Duration,
};

impl<K: StoredKey, V, const N: usize, I: Slot, R: Rule, H: BuildHasher> Store
    for Unordered<K, V, N, I, R, H>
{
    type Key = K::Lookup;
    type Value = V;

    #[inline]
    fn get_equivalent<Q: KeyParts<K::Lookup>>(&mut self, key: &Q) -> Result<Option<&V>, Error> {
        let mut state = self.hasher.build_hasher();
        key.hash_as(&mut state);
        let is = |found: &K| key.is(found.borrow());
        let slot = self.table.index.find(state.finish(), &self.table.keys, is);
        Ok(self.use_slot(slot).map(|value| &*value))
    }

    fn exchange_entry(
        &mut self,
        key: &Self::Key,
        value: &mut Option<V>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        refuse_ttl(ttl)?;
        self.exchange(K::store(key)?, value).map(drop)
    }

    store_methods!(V);
}
