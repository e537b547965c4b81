//! Slots of entries on the heap.

use super::{Deadlines, Link, Slot, Slots};
use alloc::vec::Vec;
use core::{fmt, mem};
use hashbrown::HashTable;

/// The default hasher of heap-backed stores. Its random seed hides from an attacker which keys
/// collide.
///
/// With feature `std` the seed comes from the operating system. Without it, the seed comes from
/// addresses, which are the same at every start of a microcontroller. No quick hasher resists an
/// attacker with timings; pass a keyed hasher such as SipHash to the store in that case.
pub use foldhash::fast::RandomState;

/// Entries on the heap, with a capacity chosen at run time, up to 4,294,967,294.
///
/// Memory is allocated as entries are added, never for more than the capacity. An entry takes its
/// key, its value, 8 bytes of links, and 5 bytes in a hash table that is 7/16 to 7/8 full.
///
/// The table is hashbrown's. If a key's `Hash` panics during a rehash, lookups may miss some
/// entries; these are evicted as the least recently used ones.
///
/// ```
/// use ctu_core::stores::{Heap, Lru};
/// let mut cache = Lru::<u32, u32, Heap<u32, u32>, _>::with_capacity(1_000);
/// cache.insert(1, 10);
/// assert_eq!(cache.get(&1), Some(&10));
/// ```
#[derive(Clone)]
pub struct Heap<K, V> {
    index: HashTable<u32>,
    nodes: Vec<Node<K, V>>,
    capacity: u32,
}

#[derive(Clone)]
struct Node<K, V> {
    key: K,
    value: V,
    link: Link<u32>,
}

const NONE: u32 = u32::MAX;

impl<K, V> Heap<K, V> {
    pub(crate) const fn with_capacity(capacity: usize) -> Self {
        Self {
            index: HashTable::new(),
            nodes: Vec::new(),
            capacity: Self::limited(capacity),
        }
    }

    const fn limited(capacity: usize) -> u32 {
        if capacity < NONE as usize {
            capacity as u32
        } else {
            NONE - 1
        }
    }

    /// Sets the capacity. The caller keeps no more entries.
    pub(crate) const fn set_capacity(&mut self, capacity: usize) {
        self.capacity = Self::limited(capacity);
    }

    /// Reserves memory for more entries, never for more than the capacity.
    #[cold]
    fn grow(&mut self) {
        let len = self.nodes.len();
        let room = (self.capacity as usize).saturating_sub(len);
        self.nodes.reserve_exact(len.max(4).min(room));
    }

    fn rehash_slot(nodes: &[Node<K, V>], slot: u32, rehash: &impl Fn(&K) -> u64) -> u64 {
        nodes.get(slot.index()).map_or(0, |node| rehash(&node.key))
    }

    #[inline]
    fn attach(&mut self, hash: u64, slot: u32, rehash: impl Fn(&K) -> u64) {
        let nodes = &self.nodes;
        self.index
            .insert_unique(hash, slot, |&slot| Self::rehash_slot(nodes, slot, &rehash));
    }

    #[inline]
    fn detach(&mut self, hash: u64, slot: u32) {
        if let Ok(found) = self.index.find_entry(hash, |&found| found == slot) {
            found.remove();
        }
    }
}

impl<K, V> Slots<K, V> for Heap<K, V> {
    type Slot = u32;
    type Deadlines = Vec<HeapDeadline>;

    #[inline]
    fn capacity(&self) -> usize {
        self.capacity as usize
    }

    #[inline]
    fn taken(&self) -> usize {
        self.nodes.len()
    }

    #[inline]
    fn key(&self, slot: u32) -> Option<&K> {
        self.nodes.get(slot.index()).map(|node| &node.key)
    }

    #[inline]
    fn value(&self, slot: u32) -> Option<&V> {
        self.nodes.get(slot.index()).map(|node| &node.value)
    }

    #[inline]
    fn value_mut(&mut self, slot: u32) -> Option<&mut V> {
        self.nodes.get_mut(slot.index()).map(|node| &mut node.value)
    }

    #[inline]
    fn entry_mut(&mut self, slot: u32) -> Option<(&K, &mut V)> {
        self.nodes
            .get_mut(slot.index())
            .map(|node| (&node.key, &mut node.value))
    }

    fn iter_mut<'a>(&'a mut self) -> impl Iterator<Item = (&'a K, &'a mut V)>
    where
        K: 'a,
        V: 'a,
    {
        self.nodes
            .iter_mut()
            .map(|node| (&node.key, &mut node.value))
    }

    #[inline]
    fn link(&self, slot: u32) -> Option<Link<u32>> {
        self.nodes.get(slot.index()).map(|node| node.link)
    }

    #[inline]
    fn link_mut(&mut self, slot: u32) -> Option<&mut Link<u32>> {
        self.nodes.get_mut(slot.index()).map(|node| &mut node.link)
    }

    #[inline]
    fn find(&self, hash: u64, is: impl Fn(&K) -> bool) -> u32 {
        let nodes = &self.nodes;
        let found = self.index.find(hash, |slot| {
            nodes.get(slot.index()).is_some_and(|node| is(&node.key))
        });
        found.copied().unwrap_or(NONE)
    }

    #[inline]
    fn find_for_insert(&self, hash: u64, is: impl Fn(&K) -> bool) -> Result<u32, u32> {
        match self.find(hash, is) {
            NONE => Err(NONE),
            slot => Ok(slot),
        }
    }

    #[inline]
    fn push(&mut self, hash: u64, key: K, value: V, rehash: impl Fn(&K) -> u64) -> u32 {
        let slot = u32::new(self.nodes.len());
        if slot >= self.capacity {
            return NONE;
        }
        if self.nodes.len() == self.nodes.capacity() {
            self.grow();
        }
        self.attach(hash, slot, rehash);
        let link = Link::NONE;
        self.nodes.push(Node { key, value, link });
        slot
    }

    #[inline]
    fn replace_key(
        &mut self,
        slot: u32,
        old_hash: u64,
        hash: u64,
        key: K,
        rehash: impl Fn(&K) -> u64,
    ) -> Option<K> {
        let node = self.nodes.get_mut(slot.index())?;
        let key = mem::replace(&mut node.key, key);
        self.detach(old_hash, slot);
        self.attach(hash, slot, rehash);
        Some(key)
    }

    fn swap_remove(&mut self, slot: u32, hash: u64, last_hash: u64) -> Option<(K, V)> {
        self.nodes.get(slot.index())?;
        self.detach(hash, slot);
        let mut node = self.nodes.pop()?;
        let last = u32::new(self.nodes.len());
        if slot != last {
            if let Some(moved) = self.index.find_mut(last_hash, |&found| found == last) {
                *moved = slot;
            }
            mem::swap(self.nodes.get_mut(slot.index())?, &mut node);
        }
        Some((node.key, node.value))
    }

    fn clear(&mut self) {
        self.index.clear();
        self.nodes.clear();
    }
}

/// The tick and the place of a slot, and the slot at the place of this number.
#[derive(Clone, Copy, Debug)]
pub struct HeapDeadline {
    at: u32,
    place: u32,
    slot: u32,
}

impl Deadlines<u32> for Vec<HeapDeadline> {
    #[inline]
    fn at(&self, slot: u32) -> Option<u32> {
        self.get(slot.index()).map(|node| node.at)
    }

    #[inline]
    fn set_at(&mut self, slot: u32, at: u32) {
        if let Some(node) = self.get_mut(slot.index()) {
            node.at = at;
        }
    }

    #[inline]
    fn place(&self, slot: u32) -> usize {
        self.get(slot.index())
            .map_or(usize::MAX, |node| node.place.index())
    }

    #[inline]
    fn slot(&self, place: usize) -> u32 {
        self.get(place).map_or(NONE, |node| node.slot)
    }

    #[inline]
    fn put(&mut self, place: usize, slot: u32) {
        if let Some(node) = self.get_mut(place) {
            node.slot = slot;
        }
        if let Some(node) = self.get_mut(slot.index()) {
            node.place = u32::new(place);
        }
    }

    #[inline]
    fn reserve(&mut self, slot: u32) {
        if self.len() <= slot.index() {
            let unset = HeapDeadline {
                at: 0,
                place: NONE,
                slot: NONE,
            };
            self.resize(slot.index().saturating_add(1), unset);
        }
    }
}

impl<K, V> fmt::Debug for Heap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heap")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
