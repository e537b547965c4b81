use ctu_core::{LruCache, SpinCache, cached};

static CACHE: SpinCache<LruCache<u64, u64, 8>> = SpinCache::new(LruCache::new());

#[cached(cache = CACHE, single_flight)]
fn double(number: u64) -> u64 {
    2 * number
}

fn main() {
    double(1);
}
