//! The rule CLOCK: a hand over the slots, and a mark a slot.

use super::{
    Unordered,
    rule::{Evict, Evicting, Rule, Uses},
};
use crate::stores::index::Marked;
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
pub type ClockCache<K, V, const N: usize, H = FxBuildHasher> = Unordered<K, V, N, u16, Clock, H>;

/// A [`ClockCache`] of at most 255 entries that take 2 bytes over their key and value.
///
/// ```
/// use ctu_core::stores::SmallClockCache;
/// let mut cache = SmallClockCache::<u32, u32, 255>::new();
/// cache.insert(1, 10);
/// assert_eq!(cache.get(&1), Some(&10));
/// ```
pub type SmallClockCache<K, V, const N: usize, H = FxBuildHasher> =
    Unordered<K, V, N, u8, Clock, H>;

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

impl Evict for Clock {
    const START: Self = Self { hand: 0 };
    const EVICTS: bool = true;

    #[inline]
    fn victim(&mut self, len: usize, uses: &mut impl Uses) -> Option<usize> {
        let mut at = self.hand;
        for _ in 0..STEPS {
            at = if self.hand < len { self.hand } else { 0 };
            self.hand = at.wrapping_add(1);
            if uses.uses(at) == 0 {
                break;
            }
            uses.set_uses(at, 0);
        }
        Some(at)
    }
}

impl Rule for Clock {
    type Marks = Marked<1>;
}

impl Evicting for Clock {}
