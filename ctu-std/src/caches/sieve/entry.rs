//! What the table of a `SieveCache` holds, and what it finds it by.
//!
//! The table runs none of the caller's code but the comparison of keys: the hash is kept with the entry.
//!
//! While the table is copied to another, an entry may be in both, and one that has been replaced may still be in the first.
//! There it stands for "look in the next": so whatever looks for an entry has to match what came before under the same key,
//! at another place in the queue, too. Hence keys are compared by each other, and what only knows a place looks for the hash.

use ctu_core::StoredKey;
use papaya::Equivalent;
use std::{
    hash::{BuildHasher, Hash, Hasher},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// A key, and where it is in its queue.
pub(super) struct Kept<K> {
    pub(super) key: K,
    pub(super) hash: u64,
    pub(super) place: u32,
    /// Whether it was used since the hand came by.
    used: AtomicBool,
}

pub(super) struct Entry<V> {
    pub(super) value: V,
    /// The millisecond at which it expires.
    pub(super) until: u64,
}

/// What is looked up by its key.
pub(super) struct ByKey<'k, L: ?Sized> {
    pub(super) hash: u64,
    pub(super) key: &'k L,
}

/// What is looked up by the parts of its key.
pub(super) struct ByParts<'q, Q> {
    pub(super) hash: u64,
    pub(super) parts: &'q Q,
}

/// What is looked up by its hash alone. Where keys share a hash, that may be any of them, or none.
pub(super) struct ByHash(pub(super) u64);

impl<K> Kept<K> {
    pub(super) const fn new(key: K, hash: u64, place: u32, used: bool) -> Self {
        Self {
            key,
            hash,
            place,
            used: AtomicBool::new(used),
        }
    }

    /// Marks it as used.
    #[inline]
    pub(super) fn mark(&self) {
        // A mark that is there already is not written again: the line stays with every processor that reads it.
        if !self.used.load(Relaxed) {
            self.used.store(true, Relaxed);
        }
    }

    /// Takes the mark away, and says whether there was one.
    pub(super) fn unmark(&self) -> bool {
        let used = self.used.load(Relaxed);
        if used {
            self.used.store(false, Relaxed);
        }
        used
    }
}

impl<V> Entry<V> {
    #[inline]
    pub(super) const fn is_live(&self, now: u64) -> bool {
        now < self.until
    }
}

impl<K: Eq> PartialEq for Kept<K> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.key == other.key
    }
}

impl<K: Eq> Eq for Kept<K> {}

impl<K> Equivalent<Kept<K>> for ByHash {
    #[inline]
    fn equivalent(&self, kept: &Kept<K>) -> bool {
        self.0 == kept.hash
    }
}

impl<K: StoredKey> Equivalent<Kept<K>> for ByKey<'_, K::Lookup> {
    #[inline]
    fn equivalent(&self, kept: &Kept<K>) -> bool {
        self.hash == kept.hash && self.key == kept.key.borrow()
    }
}

impl<K: StoredKey, Q: ctu_core::Equivalent<K::Lookup>> Equivalent<Kept<K>> for ByParts<'_, Q> {
    #[inline]
    fn equivalent(&self, kept: &Kept<K>) -> bool {
        self.hash == kept.hash && self.parts.is(kept.key.borrow())
    }
}

impl<K> Hash for Kept<K> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for ByHash {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

impl<L: ?Sized> Hash for ByKey<'_, L> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<Q> Hash for ByParts<'_, Q> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Folds hashes, so that every bit of them counts in every bit: the table finds an entry's place by the lowest, and of those
/// that share a place for many, it would never be done.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    #[inline]
    fn finish(&self) -> u64 {
        // Digits of pi.
        const ODD: u64 = 0x243f_6a88_85a3_08d3;
        const MASK: u64 = 0x1319_8a2e_0370_7344;
        let folded = u128::from(self.0 ^ MASK) * u128::from(ODD);
        folded as u64 ^ (folded >> 64) as u64
    }

    /// Of no use here: what is hashed is a hash.
    fn write(&mut self, _: &[u8]) {}
}

impl BuildHasher for Hashed {
    type Hasher = Self;

    #[inline]
    fn build_hasher(&self) -> Self {
        Self(0)
    }
}
