use ctu_std::{Cache, LockedCache, LruCache, ConcurrentCache, TwoLevelCache};

struct Page(String);

fn values_that_are_not_clone() {
    let first = ConcurrentCache::<String, Page>::with_capacity(100);
    let second = LruCache::<String, Page>::with_capacity(1_000);
    let _ = TwoLevelCache::builder(first, second);
}

fn no_level_at_all() {
    let second = LruCache::<String, String>::with_capacity(1_000);
    let _ = TwoLevelCache::builder("redis://127.0.0.1", second);
}

fn shared(_: impl Cache) {}

fn a_cache_in_a_lock() {
    shared(LockedCache::new(ConcurrentCache::<String, u64>::with_capacity(100)));
}

fn main() {}
