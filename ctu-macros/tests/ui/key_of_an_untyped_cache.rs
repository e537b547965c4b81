use ctu_core::{Cache, LruCache, SpinCache, cached};

type Numbers = SpinCache<LruCache<u64, u64, 8>>;

static CACHE: Numbers = SpinCache::new(LruCache::new());

#[cached(cache: Numbers = CACHE)]
fn typed(number: u64) -> u64 {
    number
}

// Needs `cache: Numbers = CACHE`.
#[cached(cache = CACHE)]
fn untyped(number: u64) -> u64 {
    number
}

fn main() {
    let _ = CACHE.get(&typed::cache_key(1).unwrap());
    let _ = CACHE.get(&untyped::cache_key(1).unwrap());
}
