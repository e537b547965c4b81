use ctu_core::{LruCache, SpinCache, cached};

static CACHE: SpinCache<LruCache<u64, u64, 8>> = SpinCache::new(LruCache::new());

#[cached]
fn no_cache(number: u64) -> u64 {
    number
}

#[cached(CACHE)]
fn not_named(number: u64) -> u64 {
    number
}

#[cached(cache = "CACHE")]
fn in_quotes(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, prefx = "p.")]
fn misspelt(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, prefix = "p.", prefix = "q.")]
fn twice(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, prefix = b"p.")]
fn bytes(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, ttl = 60)]
fn seconds(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, only_some = true)]
fn switched(number: u64) -> Option<u64> {
    Some(number)
}

#[cached(cache = CACHE, key = "number")]
fn text_for_a_key(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, key = |a, b| a + b)]
fn too_many_keys(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, skip(nubmer))]
fn skipped(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, blocking)]
fn not_async(number: u64) -> u64 {
    number
}

fn main() {}
