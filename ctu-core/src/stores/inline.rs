use super::slots::{Deadline, Deadlines, Link, Slots};
use core::{borrow::Borrow, fmt, mem};

/// Entries in the value itself: no heap, at most `N` of them, `N` from 1 to 65,535.
///
/// Keys, values, links and the index are arrays of their own, so that no padding comes between them:
/// an entry costs its key, its value and 8 bytes (two links, a bucket and a chain, 2 bytes each).
/// The index is chained hashing with one bucket an entry, which needs no power of two and never
/// rehashes: the cost of an operation does not depend on what happened before.
#[derive(Clone)]
pub struct Inline<K, V, const N: usize> {
    keys: heapless::Vec<K, N, u16>,
    values: heapless::Vec<V, N, u16>,
    /// The first slot of each bucket's chain.
    buckets: [u16; N],
    nodes: [Node; N],
}

#[derive(Clone, Copy)]
struct Node {
    link: Link<u16>,
    /// The next slot of the bucket's chain.
    chain: u16,
}

const NONE: u16 = u16::MAX;

impl<K, V, const N: usize> Inline<K, V, N> {
    pub(crate) const fn new() -> Self {
        const {
            assert!(N >= 1 && N <= 65_535, "the capacity must be 1 to 65,535");
        }
        Self {
            keys: heapless::Vec::new(),
            values: heapless::Vec::new(),
            buckets: [NONE; N],
            nodes: [Node {
                link: Link {
                    prev: NONE,
                    next: NONE,
                },
                chain: NONE,
            }; N],
        }
    }

    /// Fibonacci hashing spreads what a plain hasher leaves in few bits; the high half of a
    /// product takes it to any N without a division.
    #[inline]
    fn bucket(hash: u64) -> usize {
        let folded = (hash ^ (hash >> 32)) as u32;
        let spread = folded.wrapping_mul(0x9E37_79B9);
        ((u64::from(spread) * N as u64) >> 32) as usize
    }

    #[inline]
    fn attach(&mut self, hash: u64, slot: u16) {
        if let Some(bucket) = self.buckets.get_mut(Self::bucket(hash))
            && let Some(node) = self.nodes.get_mut(usize::from(slot))
        {
            node.chain = *bucket;
            *bucket = slot;
        }
    }

    /// Makes whatever leads to `slot` in its chain lead to `to`.
    #[inline]
    fn redirect(&mut self, hash: u64, slot: u16, to: u16) {
        let Some(first) = self.buckets.get_mut(Self::bucket(hash)) else {
            return;
        };
        if *first == slot {
            *first = to;
            return;
        }
        let mut at = *first;
        while let Some(node) = self.nodes.get_mut(usize::from(at)) {
            if node.chain == slot {
                node.chain = to;
                return;
            }
            at = node.chain;
        }
    }

    #[inline]
    fn detach(&mut self, hash: u64, slot: u16) {
        if let Some(&Node { chain, .. }) = self.nodes.get(usize::from(slot)) {
            self.redirect(hash, slot, chain);
        }
    }
}

impl<K, V, const N: usize> Slots<K, V> for Inline<K, V, N> {
    type Slot = u16;
    type Deadlines = [Deadline<u16>; N];

    #[inline]
    fn capacity(&self) -> usize {
        N
    }

    #[inline]
    fn len(&self) -> usize {
        self.keys.len()
    }

    #[inline]
    fn key(&self, slot: u16) -> Option<&K> {
        self.keys.get(usize::from(slot))
    }

    #[inline]
    fn value(&self, slot: u16) -> Option<&V> {
        self.values.get(usize::from(slot))
    }

    #[inline]
    fn value_mut(&mut self, slot: u16) -> Option<&mut V> {
        self.values.get_mut(usize::from(slot))
    }

    #[inline]
    fn entry_mut(&mut self, slot: u16) -> Option<(&K, &mut V)> {
        let key = self.keys.get(usize::from(slot))?;
        Some((key, self.values.get_mut(usize::from(slot))?))
    }

    #[inline]
    fn link(&self, slot: u16) -> Option<Link<u16>> {
        self.nodes.get(usize::from(slot)).map(|node| node.link)
    }

    #[inline]
    fn set_prev(&mut self, slot: u16, prev: u16) {
        if let Some(node) = self.nodes.get_mut(usize::from(slot)) {
            node.link.prev = prev;
        }
    }

    #[inline]
    fn set_next(&mut self, slot: u16, next: u16) {
        if let Some(node) = self.nodes.get_mut(usize::from(slot)) {
            node.link.next = next;
        }
    }

    #[inline]
    fn find<Q>(&self, hash: u64, key: &Q) -> u16
    where
        K: Borrow<Q>,
        Q: ?Sized + Eq,
    {
        let mut slot = self
            .buckets
            .get(Self::bucket(hash))
            .copied()
            .unwrap_or(NONE);
        while let Some(found) = self.keys.get(usize::from(slot)) {
            if found.borrow() == key {
                return slot;
            }
            slot = match self.nodes.get(usize::from(slot)) {
                Some(node) => node.chain,
                None => NONE,
            };
        }
        NONE
    }

    #[inline]
    fn push(&mut self, hash: u64, key: K, value: V, _: impl Fn(&K) -> u64) -> Result<u16, (K, V)> {
        let slot = self.keys.len() as u16;
        if let Err(key) = self.keys.push(key) {
            return Err((key, value));
        }
        if let Err(value) = self.values.push(value) {
            // Keys and values are always as many, so this cannot be; nothing is lost if it is.
            return match self.keys.pop() {
                Some(key) => Err((key, value)),
                None => Ok(NONE),
            };
        }
        self.attach(hash, slot);
        Ok(slot)
    }

    #[inline]
    fn replace(
        &mut self,
        slot: u16,
        old_hash: u64,
        hash: u64,
        key: K,
        value: V,
        _: impl Fn(&K) -> u64,
    ) -> Option<(K, V)> {
        self.detach(old_hash, slot);
        self.attach(hash, slot);
        let key = mem::replace(self.keys.get_mut(usize::from(slot))?, key);
        let value = mem::replace(self.values.get_mut(usize::from(slot))?, value);
        Some((key, value))
    }

    fn swap_remove(&mut self, slot: u16, rehash: impl Fn(&K) -> u64) -> Option<(K, V)> {
        let at = usize::from(slot);
        let last = (self.keys.len() as u16).checked_sub(1)?;
        // All hashes first: they are the user's code, and whatever it does finds the store whole.
        let hash = rehash(self.keys.get(at)?);
        let last_hash = rehash(self.keys.get(usize::from(last))?);
        self.detach(hash, slot);
        let mut key = self.keys.pop()?;
        let mut value = self.values.pop()?;
        if slot != last {
            self.redirect(last_hash, last, slot);
            if let Some(&moved) = self.nodes.get(usize::from(last))
                && let Some(node) = self.nodes.get_mut(at)
            {
                *node = moved;
            }
            mem::swap(self.keys.get_mut(at)?, &mut key);
            mem::swap(self.values.get_mut(at)?, &mut value);
        }
        Some((key, value))
    }

    fn clear(&mut self) {
        self.buckets = [NONE; N];
        self.keys.clear();
        self.values.clear();
    }
}

impl<const N: usize> Deadlines<u16> for [Deadline<u16>; N] {
    #[inline]
    fn deadline(&self, slot: u16) -> Option<&Deadline<u16>> {
        self.get(usize::from(slot))
    }

    #[inline]
    fn deadline_mut(&mut self, slot: u16) -> Option<&mut Deadline<u16>> {
        self.get_mut(usize::from(slot))
    }

    #[inline]
    fn reserve(&mut self, _: u16) {}
}

impl<K, V, const N: usize> fmt::Debug for Inline<K, V, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inline")
            .field("capacity", &N)
            .finish_non_exhaustive()
    }
}
