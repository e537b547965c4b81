//! The rule S3-FIFO: two queues and the keys that left them, with a small queue that adapts.

use super::{
    Unordered,
    ghosts::{Ghosts, Queue},
    rule::{Evict, Evicting, Rule, Uses},
};
use crate::stores::{index::Marked, slots::Slot};
use rustc_hash::FxBuildHasher;

/// A store of at most `N` entries that resists scans: keys that come once do not displace those
/// that come again.
///
/// It evicts by S3-FIFO with a small queue of adaptive length, and finds more than an
/// [`LruCache`](crate::LruCache) in the same RAM: an entry takes
/// `size_of::<K>() + size_of::<V>() + 8` bytes. A hit writes two bits. `N` is 1 to 65,535.
///
/// A new entry is in the small queue. One with two hits there moves to the main queue, another one
/// is evicted and its key is remembered; such a key enters the main queue when it comes back.
/// The main queue evicts the oldest entry without a hit; one with hits moves back to the end. The
/// small queue grows where keys come back that it evicted last, and shrinks where those of the main
/// queue do.
///
/// # Bounds
/// Every operation except `clear`, `retain` and iteration takes a time that does not depend on `N`,
/// as in an [`LruCache`](crate::LruCache#bounds). An eviction moves at most eight entries in the
/// queues, then it evicts an entry with hits. A [`SmallS3FifoCache`] has 3 buckets for 4 entries in
/// its index, so one insertion in fifty million meets a full bucket.
///
/// A removed entry leaves its place in the queue to the entry of the last slot.
///
/// J. Yang, Y. Zhang, Z. Qiu, Y. Yue, R. Vinayak, "FIFO Queues are All You Need for Cache
/// Eviction", SOSP 2023.
///
/// ```
/// use ctu_core::S3FifoCache;
///
/// let mut cache = S3FifoCache::<u32, &str, 8>::new();
/// cache.insert(1, "often used");
/// cache.get(&1);
/// cache.get(&1);
/// for key in 1_000..1_100 {
///     cache.insert(key, "of a scan");
/// }
/// assert_eq!(cache.get(&1), Some(&"often used"));
/// ```
pub type S3FifoCache<K, V, const N: usize, H = FxBuildHasher> =
    Unordered<K, V, N, u16, S3Fifo<u16, N>, H>;

/// An [`S3FifoCache`] of at most 255 entries that take 5 bytes over their key and value.
///
/// ```
/// use ctu_core::SmallS3FifoCache;
/// let mut cache = SmallS3FifoCache::<u32, u32, 255>::new();
/// cache.insert(1, 10);
/// assert_eq!(cache.get(&1), Some(&10));
/// ```
pub type SmallS3FifoCache<K, V, const N: usize, H = FxBuildHasher> =
    Unordered<K, V, N, u8, S3Fifo<u8, N>, H>;

/// The rule of an [`S3FifoCache`].
///
/// ```
/// use ctu_core::stores::{S3Fifo, Unordered};
/// let mut cache = Unordered::<u32, u32, 8, u16, S3Fifo<u16, 8>>::new(); // an `S3FifoCache`
/// cache.insert(1, 10);
/// ```
///
/// Every slot that ever had an entry is in one of the queues. A slot without an entry keeps its
/// place for the next entry.
#[derive(Clone, Debug)]
pub struct S3Fifo<I, const N: usize> {
    links: Links<I, N>,
    small: Fifo<I>,
    main: Fifo<I>,
    ghosts: Ghosts<N>,
    /// The length above which the small queue evicts, and not the main queue.
    small_target: u16,
}

/// The number of uses in the small queue that move an entry to the main queue.
const USED: u8 = 2;
/// The number of entries that an eviction moves.
const STEPS: usize = 8;

impl<I: Slot, const N: usize> S3Fifo<I, N> {
    /// The queue that evicts, with its oldest slot.
    #[inline]
    fn evicting(&self) -> (Queue, I) {
        if self.small.len > self.small_target || self.main.len == 0 {
            (Queue::Small, self.links.oldest(&self.small))
        } else {
            (Queue::Main, self.links.oldest(&self.main))
        }
    }

    /// The queue of which a slot is the oldest.
    #[inline]
    fn ends(&self, slot: I) -> Option<Queue> {
        if self.links.oldest(&self.small) == slot {
            Some(Queue::Small)
        } else if self.links.oldest(&self.main) == slot {
            Some(Queue::Main)
        } else {
            None
        }
    }

    const fn queue(&mut self, queue: Queue) -> (&mut Fifo<I>, &mut Links<I, N>) {
        match queue {
            Queue::Small => (&mut self.small, &mut self.links),
            Queue::Main => (&mut self.main, &mut self.links),
        }
    }

    #[inline]
    fn push(&mut self, queue: Queue, slot: I) {
        let (queue, links) = self.queue(queue);
        links.push(queue, slot);
    }

    #[inline]
    fn pop(&mut self, queue: Queue) {
        let (queue, links) = self.queue(queue);
        links.pop(queue);
    }

    /// The number of slots in the queues.
    #[inline]
    fn queued(&self) -> usize {
        usize::from(self.small.len) + usize::from(self.main.len)
    }
}

impl<I: Slot, const N: usize> Evict for S3Fifo<I, N> {
    const START: Self = Self {
        links: Links([I::NONE; N]),
        small: Fifo::EMPTY,
        main: Fifo::EMPTY,
        ghosts: Ghosts::EMPTY,
        small_target: 0,
    };
    const EVICTS: bool = true;

    #[inline]
    fn recall(&mut self, hash: u64) -> bool {
        let Some(ghost) = self.ghosts.recall(hash) else {
            return false;
        };
        // The last evicted keys are those that a longer queue holds. An older one shows that the
        // key comes again, but not that one more entry in the queue holds it.
        if ghost.newest {
            let longest = N.saturating_sub(2) as u16;
            self.small_target = match ghost.from {
                Queue::Small => self.small_target.saturating_add(1).min(longest),
                Queue::Main => self.small_target.saturating_sub(1),
            };
        }
        true
    }

    #[inline]
    fn victim(&mut self, _: usize, uses: &mut impl Uses) -> Option<usize> {
        for _ in 0..STEPS {
            let (queue, slot) = self.evicting();
            let used = uses.uses(slot.index());
            match queue {
                Queue::Small if used >= USED => {
                    uses.set_uses(slot.index(), 0);
                    self.links.pop(&mut self.small);
                    self.links.push(&mut self.main, slot);
                }
                Queue::Main if used > 0 => {
                    uses.set_uses(slot.index(), used.wrapping_sub(1));
                    self.links.rotate(&mut self.main);
                }
                _ => return Some(slot.index()),
            }
        }
        Some(self.evicting().1.index())
    }

    #[inline]
    fn place(&mut self, at: usize, evicted: Option<u64>, recalled: bool) {
        let slot = I::new(at);
        match evicted {
            Some(hash) => {
                // An entry of a full bucket may be anywhere in a queue. The new one takes its place.
                let Some(from) = self.ends(slot) else { return };
                self.pop(from);
                self.ghosts.remember(hash, from);
            }
            None if at < self.queued() => return,
            None => {}
        }
        self.push(if recalled { Queue::Main } else { Queue::Small }, slot);
    }

    #[cfg(any(test, feature = "validate"))]
    fn validate(&self, len: usize) -> Result<(), &'static str> {
        let mut seen = [false; N];
        for queue in [&self.small, &self.main] {
            let mut slot = self.links.oldest(queue);
            for _ in 0..queue.len {
                match seen.get_mut(slot.index()) {
                    Some(seen) if !*seen => *seen = true,
                    _ => return Err("a slot is in the queues twice"),
                }
                slot = self.links.newer(slot);
            }
            if slot != self.links.oldest(queue) {
                return Err("a queue is not a circle of its length");
            }
        }
        if self.queued() < len || seen.iter().skip(self.queued()).any(|&seen| seen) {
            return Err("a slot with an entry is in no queue");
        }
        Ok(())
    }
}

impl<I: Slot, const N: usize> Rule for S3Fifo<I, N> {
    type Marks = Marked<2>;
}

impl<I: Slot, const N: usize> Evicting for S3Fifo<I, N> {}

/// A queue of slots, first in, first out: a circle of links that begins after the newest slot.
#[derive(Clone, Debug)]
struct Fifo<I> {
    newest: I,
    len: u16,
}

impl<I: Slot> Fifo<I> {
    const EMPTY: Self = Self {
        newest: I::NONE,
        len: 0,
    };
}

/// The slot after each slot in its queue: the next newer one, or the oldest after the newest.
#[derive(Clone, Debug)]
struct Links<I, const N: usize>([I; N]);

impl<I: Slot, const N: usize> Links<I, N> {
    #[inline]
    fn newer(&self, slot: I) -> I {
        self.0.get(slot.index()).copied().unwrap_or(I::NONE)
    }

    #[inline]
    fn set(&mut self, slot: I, newer: I) {
        if let Some(link) = self.0.get_mut(slot.index()) {
            *link = newer;
        }
    }

    /// The oldest slot of a queue, or no slot.
    #[inline]
    fn oldest(&self, queue: &Fifo<I>) -> I {
        self.newer(queue.newest)
    }

    /// Adds a slot that is in no queue, as the newest.
    #[inline]
    fn push(&mut self, queue: &mut Fifo<I>, slot: I) {
        let oldest = if queue.len == 0 {
            slot
        } else {
            self.oldest(queue)
        };
        self.set(slot, oldest);
        self.set(queue.newest, slot);
        queue.newest = slot;
        queue.len = queue.len.saturating_add(1);
    }

    /// Removes the oldest slot.
    #[inline]
    fn pop(&mut self, queue: &mut Fifo<I>) {
        let second = self.newer(self.oldest(queue));
        self.set(queue.newest, second);
        queue.len = queue.len.saturating_sub(1);
        if queue.len == 0 {
            queue.newest = I::NONE;
        }
    }

    /// Makes the oldest slot the newest.
    #[inline]
    fn rotate(&self, queue: &mut Fifo<I>) {
        queue.newest = self.oldest(queue);
    }
}
