//! Stores without a recency list: keys, values and an index in dense slots.

use super::{
    index::{Marked, Marks, Unmarked},
    slots::{Slot, Table},
    store::{Store, store_methods},
    sweep::Sweep,
};
use crate::{
    entries::{KeyParts, StoredKey},
    error::Error,
};
use core::{
    borrow::Borrow,
    fmt,
    hash::{BuildHasher, Hash, Hasher as _},
    iter::Zip,
    marker::PhantomData,
    mem, slice,
    time::Duration,
};
use rustc_hash::FxBuildHasher;

/// A store of at most `N` entries that evicts by the rule CLOCK: the smallest store that evicts.
///
/// An entry takes `size_of::<K>() + size_of::<V>() + 4` bytes, half of an
/// [`LruCache`](crate::LruCache), and a hit writes one bit. The hit ratio is about that of LRU: a
/// hand goes round the entries, evicts the first one without a hit since the last round, and at the
/// latest the eighth that it looks at. `N` is 1 to 65,535.
///
/// Every operation except `clear`, `retain` and iteration takes a time that does not depend on `N`,
/// as in an [`LruCache`](crate::LruCache#bounds).
///
/// ```
/// use ctu_core::ClockCache;
///
/// let mut cache = ClockCache::<u32, &str, 2>::new();
/// cache.insert(1, "one");
/// cache.insert(2, "two");
/// assert_eq!(cache.get(&1), Some(&"one"));
/// assert_eq!(cache.insert(3, "three"), Some((2, "two")));
/// ```
pub type ClockCache<K, V, const N: usize, S = FxBuildHasher> = Unordered<K, V, N, u16, Clock, S>;

/// A [`ClockCache`] of at most 255 entries that take 2 bytes over their key and value.
///
/// ```
/// use ctu_core::stores::SmallClockCache;
/// let mut cache = SmallClockCache::<u32, u32, 255>::new();
/// cache.insert(1, 10);
/// assert_eq!(cache.get(&1), Some(&10));
/// ```
pub type SmallClockCache<K, V, const N: usize, S = FxBuildHasher> =
    Unordered<K, V, N, u8, Clock, S>;

/// A store of at most `N` entries that refuses a new key when it is full, for entries that must not
/// vanish: settings, for example.
///
/// An entry takes `size_of::<K>() + size_of::<V>() + 4` bytes. `N` is 1 to 65,535. An operation
/// takes a time that does not depend on `N`, if the hashes of the keys are spread evenly; no key is
/// refused in a store with room, so keys that share a bucket are compared one by one.
///
/// ```
/// use ctu_core::{Cache, CacheExt, Error, FixedCache, SpinCache};
///
/// let settings = SpinCache::new(FixedCache::<&str, u32, 2>::new());
/// settings.insert(&"volume", 7)?;
/// settings.insert(&"light", 3)?;
/// assert_eq!(settings.insert(&"alarm", 1), Err(Error::Full));
/// settings.insert(&"volume", 8)?;
/// assert_eq!(settings.get(&"volume")?, Some(8));
/// # Ok::<(), Error>(())
/// ```
pub type FixedCache<K, V, const N: usize, S = FxBuildHasher> = Unordered<K, V, N, u16, Refuse, S>;

/// A [`FixedCache`] of at most 255 entries that take 2 bytes over their key and value.
///
/// ```
/// use ctu_core::{Error, stores::SmallFixedCache};
/// let mut cache = SmallFixedCache::<u32, u32, 1>::new();
/// cache.insert(1, 10)?;
/// assert_eq!(cache.insert(2, 20), Err(Error::Full));
/// # Ok::<(), Error>(())
/// ```
pub type SmallFixedCache<K, V, const N: usize, S = FxBuildHasher> =
    Unordered<K, V, N, u8, Refuse, S>;

/// Which entry a full store replaces.
///
/// ```
/// use ctu_core::stores::{Rule, Slot, Unordered};
/// fn count<K, V, const N: usize, I: Slot, R: Rule, S>(store: &Unordered<K, V, N, I, R, S>) -> usize {
///     store.len()
/// }
/// let cache = ctu_core::ClockCache::<u32, u32, 8>::new();
/// assert_eq!(count(&cache), 0);
/// ```
#[allow(private_bounds)]
pub trait Rule: Sealed {
    /// The marks of the slots.
    #[doc(hidden)]
    type Marks: Marks + Clone;
}

trait Sealed: Sized {
    /// A rule at its start.
    const START: Self;
    /// Whether the buckets of the index are bounded, by an eviction.
    const EVICTS: bool;

    /// The slot that a new entry replaces in a full store.
    fn victim(&mut self, _: usize, _: impl FnMut(usize) -> bool) -> Option<usize> {
        None
    }
}

/// The rule of a [`ClockCache`].
///
/// ```
/// use ctu_core::stores::{Clock, Unordered};
/// let mut cache = Unordered::<u32, u32, 8, u16, Clock>::new(); // a `ClockCache`
/// cache.insert(1, 10);
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    hand: usize,
}

/// The number of entries that the hand passes for an eviction.
const STEPS: usize = 8;

impl Sealed for Clock {
    const START: Self = Self { hand: 0 };
    const EVICTS: bool = true;

    #[inline]
    fn victim(&mut self, len: usize, mut take_mark: impl FnMut(usize) -> bool) -> Option<usize> {
        let mut at = self.hand;
        for _ in 0..STEPS {
            at = if self.hand < len { self.hand } else { 0 };
            self.hand = at.wrapping_add(1);
            if !take_mark(at) {
                break;
            }
        }
        Some(at)
    }
}

impl Rule for Clock {
    type Marks = Marked;
}

/// The rule of a [`FixedCache`].
///
/// ```
/// use ctu_core::stores::{Refuse, Unordered};
/// let mut cache = Unordered::<u32, u32, 8, u16, Refuse>::new(); // a `FixedCache`
/// cache.insert(1, 10)?;
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Refuse;

impl Sealed for Refuse {
    const START: Self = Self;
    const EVICTS: bool = false;
}

impl Rule for Refuse {
    type Marks = Unmarked;
}

/// The store without a recency list, generic over its rule: [`ClockCache`] and [`FixedCache`].
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
pub struct Unordered<K, V, const N: usize, I, R: Rule, S = FxBuildHasher> {
    table: Table<K, V, N, I, R::Marks>,
    rule: R,
    hasher: S,
    slots: PhantomData<I>,
}

impl<K, V, const N: usize, I: Slot, R: Rule> Unordered<K, V, N, I, R> {
    /// An empty store. Compiles only for a capacity `N` from 1 to 65,535, or to 255 in a small
    /// store. It is all zeros: a `static` of it takes RAM and no flash.
    pub const fn new() -> Self {
        Self::with_hasher(FxBuildHasher)
    }
}

impl<K, V, const N: usize, I: Slot, R: Rule, S> Unordered<K, V, N, I, R, S> {
    /// An empty store that hashes keys with `hasher`.
    pub const fn with_hasher(hasher: S) -> Self {
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
            self.table.index.set_mark(slot, true);
        }
        Some(value)
    }
}

impl<K: Hash + Eq, V, const N: usize, I: Slot, R: Rule, S: BuildHasher>
    Unordered<K, V, N, I, R, S>
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

    /// Stores the value in `value`, which is the displaced one afterwards. Returns its key.
    ///
    /// # Errors
    /// [`Error::Full`]: the store is unchanged.
    fn exchange(&mut self, key: K, value: &mut Option<V>) -> Result<Option<K>, Error> {
        let table = &mut self.table;
        let hash = self.hasher.hash_one(&key);
        let found = table
            .index
            .find_for_insert(hash, &table.keys, |k| *k == key);
        let mut crowded = match found {
            Ok(slot) => {
                if let (Some(place), Some(value)) = (self.use_slot(slot), value) {
                    mem::swap(place, value);
                }
                return Ok(Some(key));
            }
            Err(crowded) => crowded,
        };
        if !R::EVICTS {
            crowded = I::NONE;
        }
        if crowded == I::NONE {
            let len = table.keys.len();
            if len < N {
                if let Some(value) = value.take() {
                    table.push(hash, key, value);
                }
                return Ok(None);
            }
            let index = &mut table.index;
            let victim = self.rule.victim(len, |at| {
                let slot = I::new(at);
                let mark = index.mark(slot);
                index.set_mark(slot, false);
                mark
            });
            crowded = I::new(victim.ok_or(Error::Full)?);
        }
        let old_key = table.keys.get(crowded.index()).ok_or(Error::Full)?;
        let old_hash = self.hasher.hash_one(old_key);
        let old_key = table.replace_key(crowded, old_hash, hash, key);
        if let (Some(place), Some(value)) = (table.values.get_mut(crowded.index()), value) {
            mem::swap(place, value);
        }
        Ok(old_key)
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
        Ok(())
    }
}

impl<K: Hash + Eq, V, const N: usize, I: Slot, S: BuildHasher> Unordered<K, V, N, I, Clock, S> {
    /// Stores `value` at `key`. Returns the displaced entry: `key` with its old value, or the
    /// evicted entry if the store was full.
    pub fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        let mut value = Some(value);
        let key = self.exchange(key, &mut value).ok()??;
        Some((key, value?))
    }
}

impl<K: Hash + Eq, V, const N: usize, I: Slot, S: BuildHasher> Unordered<K, V, N, I, Refuse, S> {
    /// Stores `value` at `key`. Returns the old value of `key`.
    ///
    /// # Errors
    /// [`Error::Full`] for a new key in a full store, which is then unchanged.
    pub fn insert(&mut self, key: K, value: V) -> Result<Option<V>, Error> {
        let mut value = Some(value);
        let key = self.exchange(key, &mut value)?;
        Ok(value.filter(|_| key.is_some()))
    }
}

impl<K, V, const N: usize, I: Slot, R: Rule, S: Default> Default for Unordered<K, V, N, I, R, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K, V, const N: usize, I, R, S> fmt::Debug for Unordered<K, V, N, I, R, S>
where
    K: fmt::Debug,
    V: fmt::Debug,
    I: Slot,
    R: Rule,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: StoredKey, V, const N: usize, I: Slot, R: Rule, S: BuildHasher> Store
    for Unordered<K, V, N, I, R, S>
{
    type Key = K::Lookup;
    type Value = V;

    #[inline]
    fn get(&mut self, key: &Self::Key) -> Option<&V> {
        Self::get(self, key)
    }

    #[inline]
    fn get_equivalent<Q: KeyParts<K::Lookup>>(&mut self, key: &Q) -> Result<Option<&V>, Error> {
        let mut state = self.hasher.build_hasher();
        key.hash_as(&mut state);
        let is = |found: &K| key.is(found.borrow());
        let slot = self.table.index.find(state.finish(), &self.table.keys, is);
        Ok(self.use_slot(slot).map(|value| &*value))
    }

    fn get_with_ttl(&mut self, key: &Self::Key) -> Option<(&V, Option<Duration>)> {
        Some((Self::get(self, key)?, None))
    }

    fn insert_entry(
        &mut self,
        key: &Self::Key,
        value: V,
        ttl: Option<Duration>,
    ) -> Result<Option<V>, Error> {
        let mut value = Some(value);
        self.exchange_entry(key, &mut value, ttl)?;
        Ok(value)
    }

    fn exchange_entry(
        &mut self,
        key: &Self::Key,
        value: &mut Option<V>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        if ttl.is_some() {
            return Err(Error::TtlUnsupported);
        }
        self.exchange(K::store(key)?, value).map(drop)
    }

    store_methods!(V);
}
