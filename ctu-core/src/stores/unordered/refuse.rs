//! The rule of a store that evicts no entry.

use super::{
    Unordered,
    rule::{Evict, Rule},
};
use crate::stores::index::Unmarked;
use rustc_hash::FxBuildHasher;

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
pub type FixedCache<K, V, const N: usize, H = FxBuildHasher> = Unordered<K, V, N, u16, Refuse, H>;

/// A [`FixedCache`] of at most 255 entries that take 2 bytes over their key and value.
///
/// ```
/// use ctu_core::{Error, stores::SmallFixedCache};
/// let mut cache = SmallFixedCache::<u32, u32, 1>::new();
/// cache.insert(1, 10)?;
/// assert_eq!(cache.insert(2, 20), Err(Error::Full));
/// # Ok::<(), Error>(())
/// ```
pub type SmallFixedCache<K, V, const N: usize, H = FxBuildHasher> =
    Unordered<K, V, N, u8, Refuse, H>;

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

impl Evict for Refuse {
    const START: Self = Self;
    const EVICTS: bool = false;
}

impl Rule for Refuse {
    type Marks = Unmarked;
}
