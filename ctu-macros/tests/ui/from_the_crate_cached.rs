use ctu_core::{LruCache, SpinCache, cached};

static CACHE: SpinCache<LruCache<u64, u64, 8>> = SpinCache::new(LruCache::new());

#[cached(size = 100)]
fn size(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, time = 60)]
fn time(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, convert = r#"{ number }"#)]
fn convert(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, result = true)]
fn result(number: u64) -> Result<u64, ()> {
    Ok(number)
}

#[cached(cache = CACHE, option = true)]
fn option(number: u64) -> Option<u64> {
    Some(number)
}

#[cached(cache = CACHE, sync_writes = true)]
fn sync_writes(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, sync_writes_buckets = 16)]
fn sync_writes_buckets(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, refresh = true)]
fn refresh(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE, force_refresh = "{ number == 0 }")]
fn force_refresh(number: u64) -> u64 {
    number
}

struct Service;

impl Service {
    #[cached(cache = CACHE, in_impl = true)]
    fn in_impl(number: u64) -> u64 {
        number
    }
}

fn main() {}
