use ctu_core::{LruCache, SpinCache, cache_methods};

static CACHE: SpinCache<LruCache<(&'static str, u64), u64, 8>> = SpinCache::new(LruCache::new());

trait Source {
    fn get(&self, number: u64) -> u64;
}

// Needs `opts(in_trait)`.
#[cache_methods(cache = CACHE, get = "g.")]
impl Source for Vec<u64> {
    fn get(&self, number: u64) -> u64 {
        number
    }
}

fn main() {}
