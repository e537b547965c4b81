use ctu_core::{LruCache, SpinCache, cache_functions, cache_methods};

type Numbers = SpinCache<LruCache<(&'static str, u64), u64, 8>>;

struct Item {
    cache: Numbers,
}

#[cache_methods(cache = self.cache, get_dat = "1.", no_such_method = "2.")]
impl Item {
    fn get_data(&self, number: u64) -> u64 {
        number
    }

    fn get_some(&self, number: u64) -> u64 {
        number
    }
}

#[cache_methods(get_data = "1.")]
impl Item {}

#[cache_methods(cache = self.cache)]
impl Item {}

#[cache_methods(cache = self.cache, key = ctu_core::json_key)]
impl Item {
    fn open(&self, number: u64) -> u64 {
        number
    }
}

#[cache_methods(cache = self.cache, shut = "1.", shut = "2.")]
impl Item {
    fn shut(&self, number: u64) -> u64 {
        number
    }
}

#[cache_methods(cache = self.cache, opts(prefix = "p."), first)]
impl Item {}

#[cache_functions(cache = CACHE, some_fun = "f.")]
mod functions {
    use super::Numbers;
    use ctu_core::{LruCache, SpinCache};

    static CACHE: Numbers = SpinCache::new(LruCache::new());

    pub fn some_func(number: u64) -> u64 {
        number
    }
}

#[cache_functions(cache = CACHE, some_func = "f.")]
fn some_func(number: u64) -> u64 {
    number
}

fn main() {}
