#![no_main]
//! Stores under operations: their links, index and deadlines agree after each, and look-ups beside a
//! plain map never return a value that was not the last one stored.

use arbitrary::Arbitrary;
use ctu_core::{LruCache, ManualClock, TtlCache, heap};
use ctu_std::{Cache, CacheExt, ConcurrentCache};
use libfuzzer_sys::fuzz_target;
use std::{collections::HashMap, time::Duration};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Operation {
    Get(u8),
    Insert(u8, u16),
    InsertFor(u8, u16, u16),
    Remove(u8),
    PopLru,
    Retain(u8),
    Advance(u32),
    Expire,
    Clear,
}

const TTL: Duration = Duration::from_secs(1);

/// Runs `$op` on a store with the methods that both kinds share.
macro_rules! run {
    ($store:ident, $op:ident, $last:ident) => {
        match $op {
            Operation::Get(key) => {
                if let Some(found) = $store.get(&key) {
                    assert_eq!(Some(found), $last.get(&key));
                }
            }
            Operation::Insert(key, value) => drop($store.insert(key, value)),
            Operation::Remove(key) => {
                $store.remove(&key);
                assert!(!$store.contains(&key));
            }
            Operation::PopLru => drop($store.pop_lru()),
            Operation::Retain(part) => $store.retain(|key, _| key % 5 != part % 5),
            Operation::Clear => $store.clear(),
            _ => {}
        }
        $store.validate().expect("links, index and deadlines agree");
        assert!($store.len() <= $store.capacity());
    };
}

macro_rules! run_ttl {
    ($store:ident, $op:ident, $last:ident) => {
        match $op {
            Operation::InsertFor(key, value, ttl) => {
                let ttl = Duration::from_millis(ttl.into());
                let _ = $store.insert_with_ttl(key, value, ttl);
            }
            Operation::Expire => drop($store.expire()),
            _ => {}
        }
        run!($store, $op, $last);
    };
}

fuzz_target!(|input: (u8, Vec<Operation>)| {
    let (capacity, operations) = input;
    let capacity = usize::from(capacity % 32) + 1;
    let clock = ManualClock::new();
    let mut inline = LruCache::<u8, u16, 7>::new();
    let mut on_heap = heap::LruCache::<u8, u16>::with_capacity(capacity);
    let mut timed = TtlCache::<u8, u16, 7, _>::new(TTL, &clock);
    let mut timed_on_heap = heap::TtlCache::<u8, u16, _>::with_capacity(capacity, TTL, &clock);
    let concurrent = ConcurrentCache::<u8, u16>::with_capacity(capacity);
    let mut last = HashMap::new();
    for op in operations {
        if let Operation::Insert(key, value) = op {
            last.insert(key, value);
            concurrent.insert(&key, value).expect("a number is a key");
        }
        run!(inline, op, last);
        run!(on_heap, op, last);
        match op {
            Operation::Advance(by) => clock.advance(Duration::from_millis((by >> 8).into())),
            Operation::InsertFor(key, value, _) => {
                // Only the stores with a time-to-live take it.
                inline.remove(&key);
                on_heap.remove(&key);
                concurrent.remove(&key).expect("a number is a key");
                last.insert(key, value);
            }
            Operation::Get(key) => {
                if let Some(found) = concurrent.get(&key).expect("a number is a key") {
                    assert_eq!(Some(&found), last.get(&key));
                }
            }
            Operation::Remove(key) => {
                concurrent.remove(&key).expect("a number is a key");
                assert_eq!(concurrent.get(&key), Ok(None));
            }
            Operation::Clear => concurrent.clear().expect("a store in memory"),
            _ => {}
        }
        run_ttl!(timed, op, last);
        run_ttl!(timed_on_heap, op, last);
        assert!(concurrent.len().is_ok_and(|len| len <= capacity));
    }
});
