//! Hot entries near each thread, found without a shared write.

#[cfg(test)]
use super::locks::explored_thread;
use super::{
    entry::{Entry, Hot},
    locks::{RwLock, RwLockReadGuard},
};
use std::{
    cell::Cell,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    thread,
};

/// Hot entries near each thread: a look-up that finds its key here writes to no memory that threads
/// on other processors use.
///
/// Each thread has a stripe; threads with the same stripe share it. A stripe has a slot for each of
/// some hashes. One hit in [`SAMPLED`] in a shard is a sample, and an entry that is sampled twice in a
/// row among the hashes of a slot is put there. The shard knows the stripes that may hold an entry,
/// and takes it out of them when the entry changes.
pub(super) struct Near<K, V> {
    stripes: Box<[Stripe<K, V>]>,
    /// Slots a stripe.
    slots: usize,
}

/// Two stripes in one line of a processor's cache would be as slow as one stripe.
#[repr(align(128))]
struct Stripe<K, V>(OnceLock<Box<[Slot<K, V>]>>);

struct Slot<K, V> {
    /// The hash of the entry, so that most look-ups of other keys do not take the lock.
    hash: AtomicU64,
    /// Bits of the hash that was sampled last.
    sampled: AtomicU32,
    hot: RwLock<Option<Arc<Hot<K, V>>>>,
}

/// A found entry, which is not taken out meanwhile.
pub(super) type Found<'a, K, V> = RwLockReadGuard<'a, Option<Arc<Hot<K, V>>>>;

/// An entry that lost its slot.
pub(super) type Displaced<K, V> = Option<Arc<Hot<K, V>>>;

const SAMPLED: u32 = 64;
const MOST_SLOTS: usize = 1_024;
/// Bits of the set of stripes.
const MOST_STRIPES: usize = 64;

/// The number of processors, which the operating system is asked for once.
pub(super) fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

#[derive(Clone, Copy)]
struct Thread {
    /// 0 before the first use.
    number: u32,
    hits: u32,
}

thread_local!(static THREAD: Cell<Thread> = const { Cell::new(Thread { number: 0, hits: 0 }) });

/// The number of this thread, from 1 on; 0 for one that is ending.
#[inline]
fn number() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    #[cfg(test)]
    if let Some(number) = explored_thread() {
        return number;
    }
    let number = THREAD.try_with(|thread| {
        let mut this = thread.get();
        if this.number == 0 {
            this.number = LAST.fetch_add(1, Relaxed).wrapping_add(1);
            thread.set(this);
        }
        this.number
    });
    number.unwrap_or(0)
}

impl<K, V> Near<K, V> {
    /// For a cache of `capacity` entries. Memory is taken by a thread that has a hot entry.
    pub(super) fn new(capacity: usize) -> Self {
        let stripes = (2 * processors()).next_power_of_two().min(MOST_STRIPES);
        Self {
            stripes: (0..stripes).map(|_| Stripe(OnceLock::new())).collect(),
            slots: capacity.clamp(1, MOST_SLOTS).next_power_of_two(),
        }
    }

    /// This thread's stripe.
    #[inline]
    pub(super) fn stripe(&self) -> usize {
        // A power of two.
        number() as usize & (self.stripes.len() - 1)
    }

    /// The number of stripes.
    pub(super) fn stripes(&self) -> usize {
        self.stripes.len()
    }

    /// The slot of a hash in a stripe.
    #[inline]
    const fn place(&self, hash: u64) -> usize {
        // Other bits than those that choose the shard.
        (hash >> 16) as usize & (self.slots - 1)
    }

    /// The hot entry with this `hash` that `is` recognizes, where this thread's stripe has it.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl FnOnce(&K) -> bool) -> Option<Found<'_, K, V>> {
        let slots = self.stripes[self.stripe()].0.get()?;
        let slot = slots.get(self.place(hash))?;
        if slot.hash.load(Relaxed) != hash {
            return None;
        }
        // Where the entry is taken out at this moment, it is looked for in its shard.
        let found = slot.hot.try_read_recursive()?;
        let hot = found.as_ref()?;
        is(&hot.kept.key).then_some(found)
    }

    /// Counts a hit in a shard. Returns whether the entry is to be put near this thread.
    #[inline]
    pub(super) fn is_hot(&self, hash: u64) -> bool {
        #[cfg(test)]
        if explored_thread().is_some() {
            return true;
        }
        let sampled = THREAD.try_with(|thread| {
            let mut this = thread.get();
            this.hits = this.hits.wrapping_add(1);
            thread.set(this);
            this.hits.is_multiple_of(SAMPLED)
        });
        sampled.unwrap_or(false) && self.is_sampled_again(hash)
    }

    /// Notes a sampled hash. Returns whether it is the last one of its slot. Among keys that are used
    /// alike this is rare: a hot entry lies apart from its shard, which a hit there pays for.
    #[cold]
    fn is_sampled_again(&self, hash: u64) -> bool {
        let slot = &self.slots(self.stripe())[self.place(hash)];
        // The place in the stripe tells the other bits.
        let bits = (hash >> 32) as u32;
        slot.sampled.swap(bits, Relaxed) == bits
    }

    /// The slots of a stripe.
    fn slots(&self, stripe: usize) -> &[Slot<K, V>] {
        let make = || {
            let slots = (0..self.slots).map(|_| Slot {
                hash: AtomicU64::new(0),
                sampled: AtomicU32::new(0),
                hot: RwLock::new(None),
            });
            slots.collect()
        };
        self.stripes[stripe].0.get_or_init(make)
    }

    /// The same entry, put near this thread, and the one that was there, to be dropped after the
    /// lock of the shard is given back. The caller holds that lock to write.
    pub(super) fn insert_entry(
        &self,
        hash: u64,
        entry: Entry<K, V>,
    ) -> (Entry<K, V>, Displaced<K, V>) {
        let stripe = self.stripe();
        let entry = entry.heat(hash, stripe);
        let Entry::Hot(hot, _) = &entry else {
            return (entry, None);
        };
        let slot = &self.slots(stripe)[self.place(hash)];
        // A reader is there for as long as a clone takes. Another hit will try again.
        let Some(mut place) = slot.hot.try_write() else {
            return (entry, None);
        };
        slot.hash.store(hash, Relaxed);
        let old = place.replace(Arc::clone(hot));
        drop(place);
        (entry, old)
    }

    /// Takes an entry that leaves its shard out of every stripe. The caller holds the lock of the
    /// shard to write, so the entry is not put back.
    pub(super) fn forget(&self, entry: &Entry<K, V>) {
        let Entry::Hot(hot, stripes) = entry else {
            return;
        };
        for (number, stripe) in self.stripes.iter().enumerate() {
            if stripes >> number & 1 == 0 {
                continue;
            }
            let slots = stripe.0.get();
            let Some(slot) = slots.and_then(|slots| slots.get(self.place(hot.hash))) else {
                continue;
            };
            let mut place = slot.hot.write();
            if place.as_ref().is_some_and(|found| Arc::ptr_eq(found, hot)) {
                *place = None;
                slot.hash.store(0, Relaxed);
            }
        }
    }

    /// The entries of all stripes.
    #[cfg(test)]
    pub(super) fn entries(&self) -> Vec<Arc<Hot<K, V>>> {
        let stripes = self.stripes.iter().filter_map(|stripe| stripe.0.get());
        let slots = stripes.flat_map(|slots| slots.iter());
        let entries = slots.filter_map(|slot| {
            let hot = slot.hot.read();
            let hash = hot.as_ref().map_or(0, |hot| hot.hash);
            assert_eq!(slot.hash.load(Relaxed), hash);
            hot.clone()
        });
        entries.collect()
    }
}
