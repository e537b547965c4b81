//! Stores whose keys and values share one array of bytes.

mod records;

use super::{sweep::Sweep, unordered::Refuse};
use crate::{entries::Buffer, error::Error};
use core::{
    fmt,
    hash::{BuildHasher, Hash},
    marker::PhantomData,
};
use records::{HEAD, MAX_KEY, Records, copy, size};
use rustc_hash::FxBuildHasher;

/// A store of keys and values of different lengths in one array of `BYTES` bytes. A new entry evicts
/// the least recently used ones until there is room for it.
///
/// An entry takes 6 bytes over its key and its value as they are: 3 in the array and 3 in a table of
/// `N` entries. There is no heap, and an empty store is all zeros. Keys are bytes, up to 254. `N` and
/// `BYTES` are at most 65,535. Behind a lock or in a `RefCell` it is a [`Cache`](crate::Cache) whose
/// lookups copy the value into a `V`.
///
/// ```
/// use ctu_core::{ArenaLruCache, Bytes, Cache, CacheExt, SpinCache};
///
/// // 32 settings of 22 bytes in 902 bytes; an array of values of 64 bytes takes 3,078.
/// type Settings = ArenaLruCache<Bytes<64>, 32, 800>;
/// static SETTINGS: SpinCache<Settings> = SpinCache::new(Settings::new());
///
/// SETTINGS.insert(b"wifi/ssid", b"home")?;
/// SETTINGS.insert(b"motd", b"a value of another length")?;
/// assert_eq!(SETTINGS.get(b"wifi/ssid")?.as_deref(), Some(&b"home"[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// # Bounds
/// A lookup compares a byte of up to `N` entries, and the keys where that byte is equal; a hit also
/// moves the places of up to `N` entries by one. A removal costs the same. An insertion of a value of
/// the same length as before overwrites it. Another one evicts at most `N` entries, and without room
/// at the end of the array it moves each of the `BYTES` bytes at most once. There is no amortisation:
/// no operation does work for earlier ones. The time grows with `N` and `BYTES`: this store is for up
/// to some hundred entries.
pub type ArenaLruCache<V, const N: usize, const BYTES: usize> = Arena<V, N, BYTES, EvictLru>;

/// An [`ArenaLruCache`] that refuses an entry without room, for entries that must not vanish.
///
/// ```
/// use ctu_core::{ArenaFixedCache, Bytes, Error};
///
/// let mut settings = ArenaFixedCache::<Bytes<64>, 8, 36>::new();
/// settings.insert(b"ssid", b"home")?;
/// settings.insert(b"psk", b"correct horse")?;
/// assert_eq!(settings.insert(b"volume", b"7"), Err(Error::Full));
/// assert!(settings.remove(b"psk"));
/// settings.insert(b"volume", b"7")?;
/// # Ok::<(), Error>(())
/// ```
pub type ArenaFixedCache<V, const N: usize, const BYTES: usize> = Arena<V, N, BYTES, Refuse>;

/// The treatment of a new entry without room: others give way, or the entry is refused.
///
/// ```
/// use ctu_core::{ArenaFixedCache, ArenaLruCache, Bytes, stores::{Arena, ArenaRule}};
///
/// /// Works with both rules.
/// fn restore<R: ArenaRule>(store: &mut Arena<Bytes<64>, 8, 100, R>) -> bool {
///     store.insert(b"volume", b"7").is_ok()
/// }
/// assert!(restore(&mut ArenaLruCache::new()));
/// assert!(restore(&mut ArenaFixedCache::new()));
/// ```
#[allow(private_bounds)]
pub trait ArenaRule: Sealed {}

trait Sealed {
    /// Whether entries give way.
    const EVICTS: bool;
}

/// The rule of an [`ArenaLruCache`]: the least recently used entries give way.
///
/// ```
/// use ctu_core::{ArenaLruCache, Bytes, stores::{Arena, EvictLru}};
/// let store: Arena<Bytes<64>, 8, 100, EvictLru> = ArenaLruCache::new();
/// assert!(store.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct EvictLru;

impl Sealed for EvictLru {
    const EVICTS: bool = true;
}

impl ArenaRule for EvictLru {}

impl Sealed for Refuse {
    const EVICTS: bool = false;
}

impl ArenaRule for Refuse {}

/// The store in one array of bytes, generic over its rule: [`ArenaLruCache`] and [`ArenaFixedCache`].
///
/// ```
/// use ctu_core::{ArenaLruCache, Bytes};
///
/// let mut store = ArenaLruCache::<Bytes<64>, 8, 100>::new();
/// store.insert(b"name", b"greenhouse")?;
/// store.insert(b"volume", b"7")?;
/// if let Some(volume) = store.get_mut(b"volume") {
///     volume[0] += 1;
/// }
/// let names: Vec<_> = store.iter().map(|(key, _)| key).collect();
/// assert_eq!(names, [&b"volume"[..], b"name"]);
/// assert_eq!(store.free_bytes(), 100 - (3 + 4 + 10) - (3 + 6 + 1));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Arena<V, const N: usize, const BYTES: usize, R> {
    records: Records<BYTES>,
    /// The places of the records, the most recently used one first.
    places: [u16; N],
    /// A byte of the hash of each key, in the same order.
    tags: [u8; N],
    len: u16,
    value: PhantomData<fn() -> (V, R)>,
}

impl<V, const N: usize, const BYTES: usize, R: ArenaRule> Arena<V, N, BYTES, R> {
    /// An empty store. Compiles only for `N` from 1 to 65,535 and `BYTES` from 4 to 65,535. It is all
    /// zeros: a `static` of it takes RAM and no flash.
    pub const fn new() -> Self {
        const {
            assert!(
                N >= 1 && N <= u16::MAX as usize && BYTES > HEAD && BYTES <= u16::MAX as usize,
                "the capacity must be 1 to 65,535 entries in 4 to 65,535 bytes"
            );
        }
        Self {
            records: Records::EMPTY,
            places: [0; N],
            tags: [0; N],
            len: 0,
            value: PhantomData,
        }
    }

    /// The maximum number of entries.
    pub const fn capacity(&self) -> usize {
        N
    }

    /// The number of entries.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is no entry.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of bytes without an entry. A new entry takes its key, its value and 3 bytes.
    pub const fn free_bytes(&self) -> usize {
        BYTES.saturating_sub(self.records.live())
    }

    /// Removes every entry, in a time that does not depend on their number. The bytes stay in memory
    /// until others take their place.
    pub fn clear(&mut self) {
        self.len = 0;
        self.records.clear();
    }

    /// Iterates over the entries, from the most to the least recently used; `.rev()` reverses.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        let places = self.places().iter();
        places.filter_map(|place| self.records.entry(*place))
    }

    fn places(&self) -> &[u16] {
        self.places.get(..self.len()).unwrap_or_default()
    }

    /// The position of `key` in the table.
    fn find(&self, key: &[u8]) -> Option<usize> {
        let tag = tag(key);
        let mut tags_and_places = self.tags.iter().zip(self.places());
        tags_and_places.position(|(found, place)| {
            *found == tag
                && self
                    .records
                    .entry(*place)
                    .is_some_and(|(found, _)| found == key)
        })
    }

    /// Makes the entry at `position` the most recently used. Returns the place of its record.
    fn touch(&mut self, position: usize) -> Option<u16> {
        move_to_front(&mut self.tags, position);
        move_to_front(&mut self.places, position);
        self.places.first().copied()
    }

    /// Returns the value at `key` and marks the entry as most recently used.
    pub fn get(&mut self, key: &[u8]) -> Option<&[u8]> {
        let position = self.find(key)?;
        let place = self.touch(position)?;
        self.records.entry(place).map(|(_, value)| value)
    }

    /// Returns the value at `key`, to be changed in place, and marks the entry as most recently used.
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut [u8]> {
        let position = self.find(key)?;
        let place = self.touch(position)?;
        self.records.entry_mut(place).map(|(_, value)| value)
    }

    /// Returns the value at `key`. It does not count as a use.
    pub fn peek(&self, key: &[u8]) -> Option<&[u8]> {
        let place = self.places.get(self.find(key)?)?;
        self.records.entry(*place).map(|(_, value)| value)
    }

    /// Whether `key` has an entry. It does not count as a use.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// Stores `value` at `key` and marks the entry as most recently used.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] or [`Error::ValueTooLong`] for an entry above the whole array, and for a
    /// key above 254 bytes. In an [`ArenaFixedCache`] also [`Error::Full`], for a new key or a longer
    /// value without room. The store is then unchanged.
    pub fn insert(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let size = Self::check(key, value)?;
        let found = self.find(key);
        let mut live = self.records.live();
        if let Some(position) = found {
            let place = self.places.get(position).copied().unwrap_or_default();
            if let Some((_, old)) = self.records.entry_mut(place)
                && old.len() == value.len()
            {
                copy(old, value);
                self.touch(position);
                return Ok(());
            }
            live = live.saturating_sub(self.records.size(place));
        }
        let others = self.len().saturating_sub(usize::from(found.is_some()));
        if !R::EVICTS && (others >= N || live.saturating_add(size) > BYTES) {
            return Err(Error::Full);
        }
        if let Some(position) = found {
            self.remove_at(position);
        }
        while self.len() >= N || self.free_bytes() < size {
            self.remove_at(self.len().checked_sub(1).ok_or(Error::Full)?);
        }
        if !self.records.has_room_at_the_end(size) {
            self.compact();
        }
        // There is room for it now.
        let place = self.records.append(key, value).ok_or(Error::Full)?;
        let last = self.len();
        self.len = self.len.wrapping_add(1);
        set(&mut self.tags, last, tag(key));
        set(&mut self.places, last, place);
        self.touch(last);
        Ok(())
    }

    /// The size of the record of an entry, if the store can hold it.
    fn check(key: &[u8], value: &[u8]) -> Result<usize, Error> {
        let room = BYTES.saturating_sub(HEAD);
        let max = MAX_KEY.min(room);
        if key.len() > max {
            return Err(Error::KeyTooLong {
                len: key.len(),
                max,
            });
        }
        let max = room.saturating_sub(key.len());
        if value.len() > max {
            return Err(Error::ValueTooLong {
                len: value.len(),
                max,
            });
        }
        Ok(size(key.len(), value.len()))
    }

    fn compact(&mut self) {
        let places = self.places.get_mut(..self.len.into()).unwrap_or_default();
        self.records.compact(|run, shift| {
            for place in &mut *places {
                if run.contains(&usize::from(*place)) {
                    *place = place.wrapping_sub(shift as u16);
                }
            }
        });
    }

    /// Removes the entry at `key`. Returns whether there was one. Its bytes stay in memory until
    /// others take their place.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        let found = self.find(key);
        if let Some(position) = found {
            self.remove_at(position);
        }
        found.is_some()
    }

    fn remove_at(&mut self, position: usize) {
        if let Some(place) = self.places().get(position).copied() {
            self.records.free(place);
            close_gap(&mut self.tags, position, self.len.into());
            close_gap(&mut self.places, position, self.len.into());
            self.len = self.len.wrapping_sub(1);
        }
    }

    /// Removes the entries for which `keep` returns false, in no particular order. O(n²), without a
    /// move of other entries.
    pub fn retain(&mut self, keep: impl FnMut(&[u8], &mut [u8]) -> bool) {
        self.retain_step(&mut Sweep::new(), usize::MAX, keep);
    }

    /// [`retain`](Self::retain) in steps: visits at most `entries` entries, and returns whether
    /// there are more to visit. As [`Lru::retain_step`](super::Lru::retain_step); each visit takes
    /// O(`N`). An entry that gets a value of another length in between counts as a new one.
    pub fn retain_step(
        &mut self,
        sweep: &mut Sweep,
        entries: usize,
        mut keep: impl FnMut(&[u8], &mut [u8]) -> bool,
    ) -> bool {
        // In the order of the array, downwards: lookups do not change it, and moves go downwards.
        for _ in 0..entries {
            let places = self.places().iter().copied().enumerate();
            let left = places.filter(|(_, place)| sweep.is_left((*place).into()));
            let Some((position, place)) = left.max_by_key(|(_, place)| *place) else {
                return false;
            };
            sweep.visit(place.into());
            if let Some((key, value)) = self.records.entry_mut(place)
                && !keep(key, value)
            {
                self.remove_at(position);
            }
        }
        let mut places = self.places().iter();
        places.any(|place| sweep.is_left((*place).into()))
    }

    /// Checks the table and the records; the error describes the broken invariant.
    #[cfg(any(test, feature = "validate"))]
    #[doc(hidden)]
    pub fn validate(&self) -> Result<(), &'static str> {
        self.records.validate()?;
        let sizes = self.places().iter().map(|place| self.records.size(*place));
        if sizes.sum::<usize>() != self.records.live() {
            return Err("the records of the table are not those of the array");
        }
        let found =
            |(position, (key, _)): (usize, (&[u8], &[u8]))| self.find(key) == Some(position);
        match self.iter().enumerate().all(found) {
            true => Ok(()),
            false => Err("an entry is not found at its position"),
        }
    }
}

impl<V: Buffer, const N: usize, const BYTES: usize, R: ArenaRule> Arena<V, N, BYTES, R> {
    /// [`get`](Self::get) of a copy of the value.
    ///
    /// # Errors
    /// [`Error::StoredTooLong`] for a value that does not fit `V`.
    pub fn get_copy(&mut self, key: &[u8]) -> Result<Option<V>, Error> {
        let Some(bytes) = self.get(key) else {
            return Ok(None);
        };
        match V::from_bytes(bytes) {
            Ok(value) => Ok(Some(value)),
            Err(Error::ValueTooLong { len, max }) => Err(Error::StoredTooLong { len, max }),
            Err(error) => Err(error),
        }
    }
}

/// A byte of the hash of a key.
fn tag(key: &[u8]) -> u8 {
    // The low bits are the best ones of this hash.
    FxBuildHasher.hash_one(HashOf(key)) as u8
}

/// The bytes of a key without their number, which `[u8]` would hash too.
struct HashOf<'k>(&'k [u8]);

impl Hash for HashOf<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        state.write(self.0);
    }
}

fn set<T>(items: &mut [T], at: usize, to: T) {
    if let Some(item) = items.get_mut(at) {
        *item = to;
    }
}

/// Moves an item to the front, and those before it up by one.
fn move_to_front<T: Copy>(items: &mut [T], position: usize) {
    let Some(part) = items.get_mut(..=position) else {
        return;
    };
    if let [.., last] = *part {
        part.copy_within(..part.len().saturating_sub(1), 1);
        set(part, 0, last);
    }
}

/// Moves the items behind `position`, up to `end`, down by one.
fn close_gap<T: Copy>(items: &mut [T], position: usize, end: usize) {
    if let Some(part) = items.get_mut(position..end)
        && !part.is_empty()
    {
        part.copy_within(1.., 0);
    }
}

impl<V, const N: usize, const BYTES: usize, R: ArenaRule> Default for Arena<V, N, BYTES, R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V, const N: usize, const BYTES: usize, R: ArenaRule> fmt::Debug for Arena<V, N, BYTES, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
