//! Entries of the concurrent cache, cold or hot.

use super::life::Life;
use ctu_core::stores::policy;
use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering::Relaxed},
};

/// A key, its value, and its times.
pub(super) struct Kept<K, V> {
    pub(super) key: K,
    pub(super) value: V,
    pub(super) life: Life,
}

/// A hot entry, which the near slots of several threads share.
pub(super) struct Hot<K, V> {
    pub(super) kept: Kept<K, V>,
    /// The mixed hash of the key, so that the key's code does not run when the entry leaves.
    pub(super) hash: u64,
    /// The times that threads found it near since the last look for eviction, up to 3.
    uses: AtomicU8,
}

impl<K, V> Hot<K, V> {
    /// Marks a use. Returns whether that wrote anything.
    #[inline]
    pub(super) fn mark(&self) -> bool {
        // After the third nothing is written: the line stays with every processor that reads it.
        let uses = self.uses.load(Relaxed);
        if uses < 3 {
            self.uses.store(uses + 1, Relaxed);
        }
        uses < 3
    }
}

/// An entry of a shard.
pub(super) enum Entry<K, V> {
    Cold(Kept<K, V>),
    /// The entry, and a bit for each stripe that may hold it near.
    Hot(Arc<Hot<K, V>>, u64),
}

impl<K, V> Entry<K, V> {
    pub(super) const fn new(key: K, value: V, life: Life) -> Self {
        Self::Cold(Kept { key, value, life })
    }

    /// The life of an entry that is not in a cache yet.
    pub(super) const fn life_mut(&mut self) -> Option<&mut Life> {
        match self {
            Self::Cold(kept) => Some(&mut kept.life),
            Self::Hot(..) => None,
        }
    }

    #[inline]
    pub(super) fn kept(&self) -> &Kept<K, V> {
        match self {
            Self::Cold(kept) => kept,
            Self::Hot(hot, _) => &hot.kept,
        }
    }

    /// The same entry, held near by the stripe with this number, too.
    pub(super) fn heat(self, hash: u64, stripe: usize) -> Self {
        self.share(hash, 1 << (stripe % 64))
    }

    /// The same entry, which may be held outside its shard. `bit` is that of a stripe, or 0.
    pub(super) fn share(self, hash: u64, bit: u64) -> Self {
        match self {
            Self::Cold(kept) => {
                let uses = AtomicU8::new(0);
                Self::Hot(Arc::new(Hot { kept, hash, uses }), bit)
            }
            Self::Hot(hot, stripes) => Self::Hot(hot, stripes | bit),
        }
    }
}

impl<K, V> policy::Entry for Entry<K, V> {
    #[inline]
    fn is_expired(&self, now: u64) -> bool {
        !self.kept().life.is_live(now)
    }

    fn take_unmarked(&self) -> u8 {
        match self {
            Self::Cold(_) => 0,
            Self::Hot(hot, _) => {
                let uses = hot.uses.load(Relaxed);
                if uses > 0 {
                    hot.uses.store(0, Relaxed);
                }
                uses
            }
        }
    }
}
