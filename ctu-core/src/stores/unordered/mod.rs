//! Stores without a recency list: keys, values and an index in dense slots, and a rule that chooses
//! the entry to evict.

mod as_collection;
mod as_store;
mod clock;
mod ghosts;
mod refuse;
mod rule;
mod s3_fifo;

pub use clock::{Clock, ClockCache, SmallClockCache};
pub use refuse::{FixedCache, Refuse, SmallFixedCache};
pub use rule::{Evicting, Rule};
pub use s3_fifo::{S3Fifo, S3FifoCache, SmallS3FifoCache};

use super::{
    index::Marks,
    slots::{Slot, Table},
    sweep::Sweep,
};
use crate::error::Error;
use core::{
    borrow::Borrow,
    convert::Infallible,
    hash::{BuildHasher, Hash},
    iter::Zip,
    marker::PhantomData,
    mem, slice,
};
use rule::Uses as _;
use rustc_hash::FxBuildHasher;

/// The store without a recency list, generic over its rule: [`ClockCache`], [`S3FifoCache`] and
/// [`FixedCache`].
///
/// ```
/// use ctu_core::{ClockCache, FixedCache};
/// let mut recent = ClockCache::<u32, u32, 1>::new();
/// let mut kept = FixedCache::<u32, u32, 1>::new();
/// recent.insert(1, 10);
/// kept.insert(1, 10)?;
/// assert_eq!(recent.insert(2, 20), Some((1, 10)));
/// assert!(kept.insert(2, 20).is_err());
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Unordered<K, V, const N: usize, I, R: Rule, H = FxBuildHasher> {
    table: Table<K, V, N, I, R::Marks>,
    rule: R,
    hasher: H,
    slots: PhantomData<I>,
}

impl<K, V, const N: usize, I: Slot, R: Rule> Unordered<K, V, N, I, R> {
    /// An empty store. Compiles only for a capacity `N` from 1 to 65,535, or to 255 in a small
    /// store. It is all zeros: a `static` of it takes RAM and no flash.
    pub const fn new() -> Self {
        Self::with_hasher(FxBuildHasher)
    }
}

impl<K, V, const N: usize, I: Slot, R: Rule, H> Unordered<K, V, N, I, R, H> {
    /// An empty store that hashes keys with `hasher`.
    pub const fn with_hasher(hasher: H) -> Self {
        Self {
            table: Table::new(),
            rule: R::START,
            hasher,
            slots: PhantomData,
        }
    }

    /// The maximum number of entries.
    pub const fn capacity(&self) -> usize {
        N
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.table.keys.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room for a new key.
    pub fn is_full(&self) -> bool {
        self.len() >= N
    }

    /// Removes every entry. O(N).
    pub fn clear(&mut self) {
        // Values last: a panic in a drop leaves the rest whole.
        self.rule = R::START;
        self.table.clear();
    }

    /// Iterates over the entries, in no particular order.
    pub fn iter(&self) -> Zip<slice::Iter<'_, K>, slice::Iter<'_, V>> {
        self.table.keys.iter().zip(self.table.values.iter())
    }

    /// Iterates over the entries with mutable values, in no particular order.
    pub fn iter_mut(&mut self) -> Zip<slice::Iter<'_, K>, slice::IterMut<'_, V>> {
        self.table.keys.iter().zip(self.table.values.iter_mut())
    }

    /// The value in a slot, which counts as used.
    #[inline]
    fn use_slot(&mut self, slot: I) -> Option<&mut V> {
        let value = self.table.values.get_mut(slot.index())?;
        if R::Marks::BITS > 0 {
            let uses = self.table.index.mark(slot).saturating_add(1);
            self.table.index.set_mark(slot, uses.min(R::Marks::MOST));
        }
        Some(value)
    }
}

impl<K: Hash + Eq, V, const N: usize, I: Slot, R: Rule, H: BuildHasher>
    Unordered<K, V, N, I, R, H>
{
    #[inline]
    fn find<Q>(&self, key: &Q) -> I
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        let hash = self.hasher.hash_one(key);
        let is = |found: &K| found.borrow() == key;
        self.table.index.find(hash, &self.table.keys, is)
    }

    /// Returns the value at `key`.
    #[inline]
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.get_mut(key).map(|value| &*value)
    }

    /// Returns the value at `key`.
    #[inline]
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.use_slot(self.find(key))
    }

    /// Returns the value at `key`. It does not count as a use.
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.table.values.get(self.find(key).index())
    }

    /// Whether `key` has an entry. It does not count as a use.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.find(key) != I::NONE
    }

    /// The slot of a key, or else its hash, and the slot that it replaces in a full bucket.
    #[inline]
    fn find_for_insert(&self, key: &K) -> Result<I, (u64, I)> {
        let hash = self.hasher.hash_one(key);
        let table = &self.table;
        let found = table.index.find_for_insert(hash, &table.keys, |k| k == key);
        found.map_err(|crowded| (hash, if R::EVICTS { crowded } else { I::NONE }))
    }

    /// Stores the value in `value`, which is the displaced one afterwards. Returns its key.
    ///
    /// # Errors
    /// [`Error::Full`]: the store is unchanged.
    pub(super) fn exchange(&mut self, key: K, value: &mut Option<V>) -> Result<Option<K>, Error> {
        match self.find_for_insert(&key) {
            Ok(slot) => {
                if let (Some(place), Some(value)) = (self.use_slot(slot), value) {
                    mem::swap(place, value);
                }
                Ok(Some(key))
            }
            Err((hash, crowded)) => Ok(self.insert_new(hash, key, value, crowded)?.1),
        }
    }

    /// Stores an entry with a new key, in place of the entry of `victim`, if there is one, or else
    /// of the one that the rule chooses in a full store. Returns its slot and the replaced key, and
    /// leaves the value of that one in `value`.
    #[inline]
    fn insert_new(
        &mut self,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        mut victim: I,
    ) -> Result<(I, Option<K>), Error> {
        let table = &mut self.table;
        let recalled = self.rule.recall(hash);
        let len = table.keys.len();
        if victim == I::NONE && len < N {
            let slot = I::new(len);
            if let Some(value) = value.take() {
                table.push(hash, key, value);
                table.index.set_uses(len, 0);
                self.rule.place(len, None, recalled);
            }
            return Ok((slot, None));
        }
        if victim == I::NONE {
            let at = self.rule.victim(len, &mut table.index);
            victim = I::new(at.ok_or(Error::Full)?);
        }
        let old_key = table.keys.get(victim.index()).ok_or(Error::Full)?;
        let old_hash = self.hasher.hash_one(old_key);
        let old_key = table.replace_key(victim, old_hash, hash, key);
        table.index.set_uses(victim.index(), 0);
        self.rule.place(victim.index(), Some(old_hash), recalled);
        if let (Some(place), Some(value)) = (table.values.get_mut(victim.index()), value) {
            mem::swap(place, value);
        }
        Ok((victim, old_key))
    }

    /// Removes the entry at `key` and returns its value.
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: ?Sized + Hash + Eq,
    {
        self.remove_slot(self.find(key)).map(|(_, value)| value)
    }

    fn remove_slot(&mut self, slot: I) -> Option<(K, V)> {
        // Hashes first: `Hash` is the user's code, and a panic there leaves the store unchanged.
        let hash = self.hasher.hash_one(self.table.keys.get(slot.index())?);
        let last_hash = self.hasher.hash_one(self.table.keys.last()?);
        self.table.swap_remove(slot, hash, last_hash)
    }

    /// Removes the entries for which `keep` returns false. O(n), in no particular order.
    pub fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.retain_step(&mut Sweep::new(), usize::MAX, keep);
    }

    /// [`retain`](Self::retain) in steps: visits at most `entries` entries, and returns whether
    /// there are more to visit. As [`Lru::retain_step`](super::Lru::retain_step).
    pub fn retain_step(
        &mut self,
        sweep: &mut Sweep,
        entries: usize,
        mut keep: impl FnMut(&K, &mut V) -> bool,
    ) -> bool {
        for _ in 0..entries {
            let Some(slot) = sweep.next::<I>(self.len()) else {
                return false;
            };
            if let Some((key, value)) = self.table.entry_mut(slot)
                && !keep(key, value)
            {
                self.remove_slot(slot);
            }
        }
        sweep.has_more(self.len())
    }

    /// Checks the index; the error describes the broken invariant.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        if self.table.keys.len() != self.table.values.len() {
            return Err("the numbers of keys and values differ");
        }
        for (at, key) in self.table.keys.iter().enumerate() {
            if self.find(key) != I::new(at) {
                return Err("an entry is not found at its slot");
            }
        }
        self.rule.validate(self.len())
    }
}

impl<K: Hash + Eq, V, const N: usize, I: Slot, R: Evicting, H: BuildHasher>
    Unordered<K, V, N, I, R, H>
{
    /// Stores `value` at `key`. Returns the displaced entry: `key` with its old value, or the
    /// evicted entry if the store was full.
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        let mut value = Some(value);
        let key = self.exchange(key, &mut value).ok()??;
        Some((key, value?))
    }

    /// Returns the value at `key`; on a miss, stores and returns the value of `make`. It is never
    /// `None`.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> Option<&mut V> {
        let Ok(value) = self.try_get_or_insert_with(key, || Ok::<_, Infallible>(make()));
        value
    }

    /// [`get_or_insert_with`](Self::get_or_insert_with) with a computation that may fail.
    ///
    /// # Errors
    /// That of `make`. Nothing is stored.
    ///
    /// ```
    /// use ctu_core::S3FifoCache;
    ///
    /// let mut cache = S3FifoCache::<u32, u32, 2>::new();
    /// assert_eq!(cache.try_get_or_insert_with(1, || Err("no value")), Err("no value"));
    /// assert_eq!(cache.try_get_or_insert_with(1, || Ok::<_, ()>(10)), Ok(Some(&mut 10)));
    /// ```
    pub fn try_get_or_insert_with<E>(
        &mut self,
        key: K,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Option<&mut V>, E> {
        let slot = match self.find_for_insert(&key) {
            Ok(slot) => return Ok(self.use_slot(slot)),
            Err((hash, crowded)) => self.insert_new(hash, key, &mut Some(make()?), crowded),
        };
        Ok(slot
            .ok()
            .and_then(|(slot, _)| self.table.values.get_mut(slot.index())))
    }
}

impl<K: Hash + Eq, V, const N: usize, I: Slot, H: BuildHasher> Unordered<K, V, N, I, Refuse, H> {
    /// Stores `value` at `key`. Returns the old value of `key`.
    ///
    /// # Errors
    /// [`Error::Full`] for a new key in a full store, which is then unchanged.
    pub fn insert(&mut self, key: K, value: V) -> Result<Option<V>, Error> {
        let mut value = Some(value);
        let key = self.exchange(key, &mut value)?;
        Ok(value.filter(|_| key.is_some()))
    }

    /// Returns the value at `key`; on a miss, stores and returns the value of `make`.
    ///
    /// # Errors
    /// [`Error::Full`] for a new key in a full store; `make` is not called.
    pub fn get_or_insert_with(
        &mut self,
        key: K,
        make: impl FnOnce() -> V,
    ) -> Result<&mut V, Error> {
        let slot = match self.find_for_insert(&key) {
            Ok(slot) => slot,
            Err(_) if self.is_full() => return Err(Error::Full),
            Err((hash, crowded)) => self.insert_new(hash, key, &mut Some(make()), crowded)?.0,
        };
        self.table.values.get_mut(slot.index()).ok_or(Error::Full)
    }
}
