use ctu_core::{LruCache, SpinCache, cached};

static CACHE: SpinCache<LruCache<u64, u64, 8>> = SpinCache::new(LruCache::new());

trait Source {
    fn get(&self, number: u64) -> u64;
}

struct Service;

impl Source for Service {
    // Needs `in_trait`.
    #[cached(cache = CACHE)]
    fn get(&self, number: u64) -> u64 {
        number
    }
}

fn main() {}
