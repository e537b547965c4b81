use ctu_core::{LruCache, SpinCache, cached};

static CACHE: SpinCache<LruCache<u64, u64, 8>> = SpinCache::new(LruCache::new());

struct Service;

impl Service {
    // Needs `method`.
    #[cached(cache = CACHE)]
    fn get(number: u64) -> u64 {
        number
    }
}

fn main() {}
