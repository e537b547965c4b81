//! `LruCache`: exact order, any capacity, borrowed lookups, 8 bytes an entry.

use crate::support::{Random, assert_order};
use core::cell::Cell;
use core::hash::{BuildHasher, Hasher};
use ctu_core::{Bytes, Cache as _, CacheExt as _, LruCache, SmallLruCache, Text, stores::Sweep};

pub(crate) fn new_store_is_empty() {
    let mut cache = LruCache::<u32, u32, 3>::new();
    assert_eq!((cache.len(), cache.capacity()), (0, 3));
    assert!(cache.is_empty() && !cache.is_full());
    assert_eq!(cache.get(&1), None);
    assert_eq!(cache.get_mut(&1), None);
    assert_eq!(cache.peek(&1), None);
    assert_eq!(cache.peek_lru(), None);
    assert_eq!(cache.remove(&1), None);
    assert_eq!(cache.pop_lru(), None);
    assert!(!cache.contains(&1));
    assert_order(&cache, &[]);
}

pub(crate) fn evicts_the_least_recently_used() {
    let mut cache = LruCache::<u32, u32, 3>::new();
    for key in 1..=3 {
        assert_eq!(cache.insert(key, key * 10), None);
    }
    assert!(cache.is_full());
    assert_eq!(cache.insert(4, 40), Some((1, 10)));
    assert_order(&cache, &[4, 3, 2]);
    assert_eq!(cache.insert(5, 50), Some((2, 20)));
    assert_order(&cache, &[5, 4, 3]);
}

pub(crate) fn capacity_one_works() {
    let mut cache = LruCache::<u32, u32, 1>::new();
    assert_eq!(cache.insert(1, 10), None);
    assert_eq!(cache.insert(2, 20), Some((1, 10)));
    assert_eq!(cache.get(&1), None);
    assert_eq!(cache.get(&2), Some(&20));
    assert_order(&cache, &[2]);
    assert_eq!(cache.remove(&2), Some(20));
    assert_order(&cache, &[]);
    assert_eq!(cache.insert(3, 30), None);
    assert_eq!(cache.pop_lru(), Some((3, 30)));
    assert_order(&cache, &[]);
}

pub(crate) fn any_capacity_works() {
    fn fill_twice<const N: usize>() {
        let mut cache = LruCache::<u32, u32, N>::new();
        let n = N as u32;
        for key in 0..2 * n {
            let evicted = key.checked_sub(n).map(|old| (old, !old));
            assert_eq!(cache.insert(key, !key), evicted);
        }
        assert_eq!(cache.validate(), Ok(()));
        assert_eq!(cache.len(), N);
        for key in n..2 * n {
            assert_eq!(cache.get(&key), Some(&!key));
        }
        for key in 0..n {
            assert_eq!(cache.get(&key), None);
        }
    }
    fill_twice::<2>();
    fill_twice::<3>();
    fill_twice::<7>();
    fill_twice::<64>();
    fill_twice::<100>();
}

pub(crate) fn get_marks_the_entry_most_recently_used() {
    let mut cache = LruCache::<u32, u32, 3>::new();
    cache.extend([(1, 10), (2, 20), (3, 30)]);
    // The oldest, one in the middle, the newest.
    assert_eq!(cache.get(&1), Some(&10));
    assert_order(&cache, &[1, 3, 2]);
    assert_eq!(cache.get(&3), Some(&30));
    assert_order(&cache, &[3, 1, 2]);
    assert_eq!(cache.get(&3), Some(&30));
    assert_order(&cache, &[3, 1, 2]);
    assert_eq!(cache.insert(4, 40), Some((2, 20)));
}

pub(crate) fn get_mut_gives_a_mutable_value() {
    let mut cache = LruCache::<u32, u32, 3>::new();
    cache.extend([(1, 10), (2, 20)]);
    if let Some(value) = cache.get_mut(&1) {
        *value += 1;
    }
    assert_eq!(cache.peek(&1), Some(&11));
    assert_order(&cache, &[1, 2]);
}

pub(crate) fn peek_and_contains_keep_the_order() {
    let mut cache = LruCache::<u32, u32, 3>::new();
    cache.extend([(1, 10), (2, 20), (3, 30)]);
    assert_eq!(cache.peek(&1), Some(&10));
    assert!(cache.contains(&1) && !cache.contains(&4));
    assert_eq!(cache.peek_lru(), Some((&1, &10)));
    assert_order(&cache, &[3, 2, 1]);
}

pub(crate) fn insert_returns_the_displaced_entry() {
    let mut cache = LruCache::<u32, u32, 2>::new();
    assert_eq!(cache.insert(1, 10), None);
    assert_eq!(cache.insert(1, 11), Some((1, 10)));
    assert_eq!(cache.insert(2, 20), None);
    // A rewrite marks the entry most recently used and evicts no entry.
    assert_eq!(cache.insert(1, 12), Some((1, 11)));
    assert_order(&cache, &[1, 2]);
    assert_eq!(cache.insert(3, 30), Some((2, 20)));
}

pub(crate) fn remove_frees_a_slot() {
    // Every position in the list and every slot.
    for removed in 1..=4 {
        let mut cache = LruCache::<u32, u32, 4>::new();
        cache.extend([(1, 10), (2, 20), (3, 30), (4, 40)]);
        assert_eq!(cache.remove(&removed), Some(removed * 10));
        assert_eq!(cache.remove(&removed), None);
        assert_eq!(cache.validate(), Ok(()));
        assert!(!cache.is_full() && !cache.contains(&removed));
        assert_eq!(cache.insert(5, 50), None);
        assert_eq!(cache.validate(), Ok(()));
        let oldest = if removed == 1 { 2 } else { 1 };
        assert_eq!(cache.insert(6, 60), Some((oldest, oldest * 10)));
    }
}

pub(crate) fn pop_lru_removes_the_oldest_first() {
    let mut cache = LruCache::<u32, u32, 3>::new();
    cache.extend([(1, 10), (2, 20), (3, 30)]);
    cache.get(&1);
    assert_eq!(cache.pop_lru(), Some((2, 20)));
    assert_order(&cache, &[1, 3]);
    assert_eq!(cache.pop_lru(), Some((3, 30)));
    assert_eq!(cache.pop_lru(), Some((1, 10)));
    assert_eq!(cache.pop_lru(), None);
    assert_order(&cache, &[]);
}

pub(crate) fn iterates_both_ways() {
    let mut cache = LruCache::<u32, u32, 4>::new();
    cache.extend([(1, 10), (2, 20), (3, 30)]);
    cache.get(&2);
    assert!(cache.iter().eq([(&2, &20), (&3, &30), (&1, &10)]));
    assert!(cache.iter().rev().eq([(&1, &10), (&3, &30), (&2, &20)]));
    assert_eq!(cache.iter().len(), 3);
    let mut from_both_ends = cache.iter();
    assert_eq!(from_both_ends.next(), Some((&2, &20)));
    assert_eq!(from_both_ends.next_back(), Some((&1, &10)));
    assert_eq!(from_both_ends.next(), Some((&3, &30)));
    assert_eq!(from_both_ends.next_back(), None);
    assert_eq!(from_both_ends.next(), None);
}

pub(crate) fn retain_keeps_the_order() {
    let mut cache = LruCache::<u32, u32, 8>::new();
    cache.extend((1..=8).map(|key| (key, key * 10)));
    cache.retain(|key, value| {
        *value += 1;
        key % 3 != 0
    });
    assert_order(&cache, &[8, 7, 5, 4, 2, 1]);
    assert_eq!(cache.peek(&7), Some(&71));
    cache.retain(|_, _| false);
    assert_order(&cache, &[]);
}

pub(crate) fn clear_removes_every_entry() {
    let mut cache = LruCache::<u32, u32, 3>::new();
    for round in 0..3 {
        cache.extend([(1, round), (2, round), (3, round)]);
        assert_order(&cache, &[3, 2, 1]);
        cache.clear();
        assert_order(&cache, &[]);
        assert!((1..=3).all(|key| cache.get(&key).is_none()));
    }
}

pub(crate) fn get_or_insert_with_calls_the_closure_once() {
    let mut cache = LruCache::<u32, u32, 2>::new();
    assert_eq!(cache.get_or_insert_with(1, || 10), Some(&mut 10));
    assert_eq!(cache.get_or_insert_with(1, || unreachable!()), Some(&mut 10));
    cache.get_or_insert_with(2, || 20);
    cache.get_or_insert_with(1, || unreachable!());
    cache.get_or_insert_with(3, || 30);
    assert_order(&cache, &[3, 1]);
}

pub(crate) fn lookup_takes_a_borrowed_key() {
    let mut cache = LruCache::<Bytes<8>, u32, 4>::new();
    let key = Bytes::try_from(&b"key"[..]).unwrap_or_default();
    cache.insert(key, 1);
    assert_eq!(cache.get(&b"key"[..]), Some(&1));
    assert_eq!(cache.get(&b"ke"[..]), None);
    assert_eq!(cache.get(&b"longer than any key"[..]), None);
    assert_eq!(cache.remove(&b"key"[..]), Some(1));

    let mut cache = LruCache::<Text<8>, u32, 4>::new();
    cache.insert(Text::try_from("clé").unwrap_or_default(), 2);
    assert_eq!(cache.get("clé"), Some(&2));
    assert_eq!(cache.get("cle"), None);
    assert!(cache.contains("clé"));
}

pub(crate) fn equality_compares_entries_and_order() {
    let mut one = LruCache::<u32, u32, 3>::new();
    let mut other = LruCache::<u32, u32, 3>::new();
    one.extend([(1, 10), (2, 20)]);
    other.extend([(2, 20), (1, 10)]);
    assert_ne!(one, other);
    other.get(&2);
    assert_eq!(one, other);
    assert_eq!(one.clone(), one);
    assert_ne!(one, LruCache::new());
}

pub(crate) fn store_is_a_collection() {
    let cache: LruCache<u32, u32, 3> = (0..5).map(|key| (key, key * 10)).collect();
    assert!(cache.iter().eq([(&4, &40), (&3, &30), (&2, &20)]));
    assert!(cache.clone().into_iter().eq([(4, 40), (3, 30), (2, 20)]));
    assert!(cache.into_iter().rev().eq([(2, 20), (3, 30), (4, 40)]));
}

pub(crate) fn borrowed_store_is_a_store() {
    let mut store = LruCache::<u32, u32, 3>::new();
    {
        let cache = core::cell::RefCell::new(&mut store);
        assert_eq!(cache.insert(&1, 10u32), Ok(()));
        assert_eq!(cache.get(&1), Ok(Some(10)));
    }
    assert_eq!(store.get(&1), Some(&10));
}

/// A hasher that returns a constant.
#[derive(Default)]
struct Constant;

impl Hasher for Constant {
    fn write(&mut self, _: &[u8]) {}
    fn finish(&self) -> u64 {
        u64::MAX
    }
}

impl BuildHasher for Constant {
    type Hasher = Self;
    fn build_hasher(&self) -> Self {
        Self
    }
}

pub(crate) fn keys_of_one_hash_work() {
    let mut cache = LruCache::<u32, u32, 5, Constant>::with_hasher(Constant);
    for key in 0..20 {
        assert_eq!(cache.insert(key, key).is_some(), key >= 5);
        assert_eq!(cache.validate(), Ok(()));
    }
    for key in [16, 19, 15, 18, 17] {
        assert_eq!(cache.remove(&key), Some(key));
        assert_eq!(cache.validate(), Ok(()));
    }
    assert!(cache.is_empty());
}

pub(crate) fn full_bucket_replaces_its_oldest_entry() {
    let mut cache = LruCache::<u32, u32, 20, Constant>::with_hasher(Constant);
    for key in 0..12 {
        assert_eq!(cache.insert(key, key), None);
    }
    cache.get(&0);
    // There is room in the store, but not in the bucket.
    assert_eq!(cache.insert(12, 12), Some((0, 0)));
    assert_eq!(cache.get_or_insert_with(13, || 13), Some(&mut 13));
    assert_eq!((cache.len(), cache.peek(&1)), (12, None));
    assert_eq!(cache.insert(13, 14), Some((13, 13)));
    assert_eq!(cache.validate(), Ok(()));
}

pub(crate) fn retain_in_steps_visits_every_entry() {
    let mut cache = LruCache::<u32, u32, 16>::new();
    cache.extend((0..16).map(|key| (key, key)));
    let mut sweep = Sweep::new();
    let mut visited = 0_u32;
    let mut steps = 0;
    while cache.retain_step(&mut sweep, 3, |key, _| {
        visited |= 1 << key;
        key % 2 == 0
    }) {
        steps += 1;
        // The store changes between the steps.
        cache.remove(&(2 * steps));
        cache.insert(100 + steps, 0);
        assert_eq!(cache.validate(), Ok(()));
    }
    assert_eq!(steps, 5);
    // The removed ones may have been visited, and all others have been.
    assert_eq!(visited | 0b101_0101_0100, 0xFFFF);
    assert!((0..16).all(|key| key % 2 == 0 || !cache.contains(&key)));
    assert!([0, 12, 14].iter().all(|key| cache.contains(key)));
    assert!(!cache.retain_step(&mut Sweep::new(), 100, |_, _| false));
    assert!(cache.is_empty() && !cache.retain_step(&mut Sweep::new(), 1, |_, _| true));
}

/// Counts its drops.
struct Dropped<'c>(&'c Cell<usize>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

pub(crate) fn each_value_is_dropped_once() {
    let drops = Cell::new(0);
    let mut cache = LruCache::<u32, Dropped<'_>, 4>::new();
    for key in 0..6 {
        drop(cache.insert(key, Dropped(&drops)));
    }
    assert_eq!(drops.get(), 2);
    drop(cache.insert(5, Dropped(&drops)));
    drop(cache.remove(&4));
    drop(cache.pop_lru());
    assert_eq!(drops.get(), 5);
    cache.retain(|key, _| *key != 5);
    assert_eq!(drops.get(), 6);
    drop(cache.insert(7, Dropped(&drops)));
    cache.clear();
    assert_eq!(drops.get(), 8);
    drop(cache.insert(8, Dropped(&drops)));
    drop(cache);
    assert_eq!(drops.get(), 9);
}

pub(crate) fn store_works_in_a_static() {
    // `new` is evaluated at compile time; there is no set-up at run time.
    static CACHE: spin::Mutex<LruCache<u32, u32, 4>> = spin::Mutex::new(LruCache::new());
    let mut cache = CACHE.lock();
    cache.insert(1, 10);
    assert_eq!(cache.get(&1), Some(&10));
    cache.clear();
}

pub(crate) fn entry_takes_eight_bytes_over_key_and_value() {
    fn an_entry<K, V>() -> usize {
        let of = |entries: usize, bytes: usize| bytes / entries;
        of(
            64,
            size_of::<LruCache<K, V, 128>>() - size_of::<LruCache<K, V, 64>>(),
        )
    }
    assert!(an_entry::<u32, u32>() <= 4 + 4 + 8);
    assert!(an_entry::<u8, u8>() <= 1 + 1 + 8);
    assert!(an_entry::<u8, u64>() <= 1 + 8 + 8);
    assert!(an_entry::<u16, [u8; 3]>() <= 2 + 3 + 8);
    let bytes = size_of::<Bytes<20>>() + size_of::<Bytes<64>>();
    assert!(an_entry::<Bytes<20>, Bytes<64>>() <= bytes + 8);
    // The fixed cost of a store: its lengths, head and tail.
    assert!(size_of::<LruCache<u32, u32, 1>>() <= 4 + 4 + 8 + 16);
}

pub(crate) fn entry_of_a_small_store_takes_four_bytes_over_key_and_value() {
    fn an_entry<K, V>() -> usize {
        (size_of::<SmallLruCache<K, V, 128>>() - size_of::<SmallLruCache<K, V, 64>>()) / 64
    }
    assert!(an_entry::<u32, u32>() <= 4 + 4 + 4);
    assert!(an_entry::<u16, [u8; 3]>() <= 2 + 3 + 4);
    let bytes = size_of::<Bytes<20>>() + size_of::<Bytes<64>>();
    assert!(an_entry::<Bytes<20>, Bytes<64>>() <= bytes + 4);
}

pub(crate) fn small_store_agrees_with_a_large_one() {
    let mut random = Random::new(0x5EED_0008);
    let mut small = SmallLruCache::<u32, u32, 7>::new();
    let mut large = LruCache::<u32, u32, 7>::new();
    for step in 0..600 {
        let key = random.below(11);
        match random.below(8) {
            0..=2 => assert_eq!(small.insert(key, step), large.insert(key, step)),
            3..=5 => assert_eq!(small.get(&key), large.get(&key)),
            6 => assert_eq!(small.remove(&key), large.remove(&key)),
            _ => assert_eq!(small.pop_lru(), large.pop_lru()),
        }
        assert_eq!(small.validate(), Ok(()));
        assert!(small.iter().eq(large.iter()));
    }
}

pub(crate) fn promote_and_demote_change_the_order() {
    let mut cache = LruCache::<u32, u32, 4>::new();
    assert!(!cache.promote(&1) && !cache.demote(&1));
    cache.insert(1, 10);
    assert!(cache.promote(&1) && cache.demote(&1));
    assert_order(&cache, &[1]);
    cache.extend([(2, 20), (3, 30), (4, 40)]);
    assert!(cache.demote(&3));
    assert_order(&cache, &[4, 2, 1, 3]);
    assert!(cache.demote(&4) && cache.demote(&4));
    assert_order(&cache, &[2, 1, 3, 4]);
    assert!(cache.promote(&3));
    assert_order(&cache, &[3, 2, 1, 4]);
    assert_eq!(cache.pop_mru(), Some((3, 30)));
    assert_order(&cache, &[2, 1, 4]);
}

pub(crate) fn iter_mut_reaches_every_value() {
    let mut cache: LruCache<u32, u32, 4> = (0..3).map(|key| (key, key)).collect();
    for (key, value) in cache.iter_mut() {
        *value += 10 * key;
    }
    assert!(cache.iter().eq([(&2, &22), (&1, &11), (&0, &0)]));
}

pub(crate) fn try_get_or_insert_with_stores_no_error() {
    let mut cache = LruCache::<u32, u32, 2>::new();
    assert_eq!(cache.try_get_or_insert_with(1, || Err("none")), Err("none"));
    assert!(cache.is_empty());
    assert_eq!(cache.try_get_or_insert_with(1, || Ok::<_, ()>(10)), Ok(Some(&mut 10)));
    assert_eq!(cache.try_get_or_insert_with(1, || Err("none")), Ok(Some(&mut 10)));
}

pub(crate) fn random_operations_agree_with_a_list() {
    const N: usize = 6;
    let mut random = Random::new(0xC0FF_EE11);
    let mut cache = LruCache::<u32, u32, N>::new();
    // A naive LRU: the most recently used entry first.
    let mut list = heapless::Vec::<(u32, u32), { N + 1 }>::new();
    for step in 0..1_000 {
        let key = random.below(10);
        let at = list.iter().position(|entry| entry.0 == key);
        match random.below(8) {
            0..=2 => {
                let displaced = cache.insert(key, step);
                let expected = at.map(|at| list.remove(at));
                assert!(list.insert(0, (key, step)).is_ok());
                let evicted = if list.len() > N { list.pop() } else { None };
                assert_eq!(displaced, expected.or(evicted));
            }
            3..=5 => {
                let found = cache.get(&key).copied();
                let expected = at.map(|at| list.remove(at));
                assert_eq!(found, expected.map(|entry| entry.1));
                if let Some(entry) = expected {
                    assert!(list.insert(0, entry).is_ok());
                }
            }
            6 => assert_eq!(cache.remove(&key), at.map(|at| list.remove(at).1)),
            _ => assert_eq!(cache.pop_lru(), list.pop()),
        }
        assert_eq!(cache.validate(), Ok(()));
        assert!(cache.iter().map(|(k, v)| (*k, *v)).eq(list.iter().copied()));
        assert!(cache.iter().rev().eq(list.iter().rev().map(|(k, v)| (k, v))));
    }
}
