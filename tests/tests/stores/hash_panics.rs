//! A panic of the `Hash` of a key in the middle of an operation leaves a store unchanged.

use ctu_core::{
    Clock, ClockCache, LruCache, ManualClock, S3FifoCache, TtlCache, heap,
    stores::{Evicting, Lru, Slots, Ttl, Unordered},
};
use std::{
    cell::Cell,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

const CAPACITY: usize = 8;
const MINUTE: Duration = Duration::from_secs(60);

thread_local! {
    /// How many hashes it is to the one that panics.
    static HASHES: Cell<usize> = const { Cell::new(usize::MAX) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key(u32);

/// The payload of the panic.
struct OnPurpose;

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        HASHES.set(HASHES.get() - 1);
        if HASHES.get() == 0 {
            resume_unwind(Box::new(OnPurpose));
        }
        self.0.hash(state);
    }
}

/// Runs `operation` with a panic at its hash number `hashes`. Returns whether it reached that hash.
fn panics_at(hashes: usize, operation: impl FnOnce()) -> bool {
    HASHES.set(hashes);
    let ended = catch_unwind(AssertUnwindSafe(operation));
    HASHES.set(usize::MAX);
    match ended {
        Ok(()) => false,
        Err(panic) if panic.is::<OnPurpose>() => true,
        Err(panic) => resume_unwind(panic),
    }
}

/// A store as these tests see it.
trait Tested: Clone {
    fn insert(&mut self, key: Key);
    fn remove(&mut self, key: Key);
    fn pop(&mut self);
    fn keep_even(&mut self);
    /// Its keys, if all of it is in order.
    fn keys(&self) -> Result<Vec<Key>, &'static str>;
}

macro_rules! tested {
    ([$($generics:tt)*] $t:ty, $insert:item) => {
        impl<$($generics)*> Tested for $t
        where
            T: Slots<Key, u32, Deadlines: Clone> + Clone,
            S: BuildHasher + Clone,
        {
            $insert
            fn remove(&mut self, key: Key) {
                Self::remove(self, &key);
            }
            fn pop(&mut self) {
                self.pop_lru();
            }
            fn keep_even(&mut self) {
                self.retain(|key, _| key.0.is_multiple_of(2));
            }
            fn keys(&self) -> Result<Vec<Key>, &'static str> {
                self.validate()?;
                Ok(self.iter().map(|(key, _)| *key).collect())
            }
        }
    };
}
tested!(
    [T, S] Lru<Key, u32, T, S>,
    fn insert(&mut self, key: Key) {
        Self::insert(self, key, 0);
    }
);
tested!(
    [T, C: Clock + Clone, S] Ttl<Key, u32, T, C, S>,
    // Some in the queue of deadlines, some in the tree.
    fn insert(&mut self, key: Key) {
        if key.0.is_multiple_of(2) {
            Self::insert(self, key, 0);
        } else {
            Self::insert_with_ttl(self, key, 0, MINUTE * key.0).expect("not too long");
        }
    }
);

impl<const N: usize, R: Evicting + Clone> Tested for Unordered<Key, u32, N, u16, R> {
    fn insert(&mut self, key: Key) {
        Self::insert(self, key, 0);
    }
    fn remove(&mut self, key: Key) {
        Self::remove(self, &key);
    }
    fn pop(&mut self) {}
    fn keep_even(&mut self) {
        self.retain(|key, _| key.0.is_multiple_of(2));
    }
    fn keys(&self) -> Result<Vec<Key>, &'static str> {
        self.validate()?;
        Ok(self.iter().map(|(key, _)| *key).collect())
    }
}

/// Runs `operation` on clones of `store` with a panic at the first hash, at the second, and so on,
/// until it completes. After each panic the store must be consistent, and unchanged if the
/// operation has one step. Returns the number of panics.
fn interrupted<C: Tested>(store: &C, one_step: bool, operation: impl Fn(&mut C)) -> usize {
    let before = store.keys().expect("whole at first");
    for hashes in 1.. {
        let mut store = store.clone();
        let panicked = panics_at(hashes, || operation(&mut store));
        let after = store.keys().expect("whole after each");
        if !panicked {
            return hashes - 1;
        }
        assert!(!one_step || after == before, "{after:?}, not {before:?}");
    }
    unreachable!("an operation takes no hash for ever")
}

/// Interrupts every operation on stores from empty to full.
fn check<C: Tested>(mut store: C) {
    for key in 0..3 * CAPACITY as u32 {
        let new = Key(1_000 + key);
        assert!(interrupted(&store, true, |store| store.insert(new)) > 0);
        assert!(interrupted(&store, true, |store| store.remove(Key(key / 2))) > 0);
        interrupted(&store, true, C::pop);
        interrupted(&store, false, C::keep_even);
        store.insert(Key(key));
    }
}

#[test]
fn lru_inline_survives_panicking_hash() {
    check(LruCache::<Key, u32, CAPACITY>::new());
}

#[test]
fn lru_heap_survives_panicking_hash() {
    check(heap::LruCache::with_capacity(CAPACITY));
}

#[test]
fn unordered_stores_survive_panicking_hash() {
    check(ClockCache::<Key, u32, CAPACITY>::new());
    check(S3FifoCache::<Key, u32, CAPACITY>::new());
}

#[test]
fn ttl_inline_survives_panicking_hash() {
    let clock = ManualClock::new();
    check(TtlCache::<Key, u32, CAPACITY, _>::new(MINUTE, &clock));
}

#[test]
fn ttl_heap_survives_panicking_hash() {
    let clock = ManualClock::new();
    check(heap::TtlCache::with_capacity(CAPACITY, MINUTE, &clock));
}

#[test]
fn panicking_hash_during_expiry_leaves_the_store_whole() {
    let clock = ManualClock::new();
    let mut store = TtlCache::<Key, u32, CAPACITY, _>::new(MINUTE, &clock);
    for key in 1..=CAPACITY as u32 {
        store.insert(Key(key), 0);
        clock.advance(MINUTE / 10);
    }
    // Of which four have expired then.
    clock.advance(MINUTE / 2);
    let each = interrupted(&store, false, |store| assert_eq!(store.expire(), 4));
    assert!(each >= 4, "they were hashed");
    interrupted(&store, false, |store| assert!(store.get(&Key(1)).is_none()));
    interrupted(&store, false, |store| Tested::insert(store, Key(100)));
}

#[test]
fn panicking_hash_during_rehash_leaves_the_store_whole() {
    // The same in every run, and yet it scatters.
    let hasher = BuildHasherDefault::<DefaultHasher>::new();
    let mut store = heap::LruCache::with_capacity_and_hasher(100, hasher);
    let mut broken = 0;
    for key in 0..2_000 {
        for hashes in 1.. {
            let mut store = store.clone();
            if !panics_at(hashes, || Tested::insert(&mut store, Key(key))) {
                break;
            }
            if store.validate().is_ok() {
                continue;
            }
            // An entry that lookups miss is evicted in its turn.
            broken += 1;
            for other in 2_000..2_100 {
                store.insert(Key(other), 0);
            }
            assert_eq!((store.validate(), store.len()), (Ok(()), 100));
        }
        store.insert(Key(key), 0);
    }
    assert!(broken > 0, "it was never made anew in its place");
}
