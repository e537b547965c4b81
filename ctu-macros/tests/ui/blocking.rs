use ctu_std::{
    LockedCache, LruCache, PrefixedCache, RedisCache, SingleFlightCache, StatsCache,
    TwoLevelCache, cached,
};
use std::sync::LazyLock;

type Redis = RedisCache<str, String>;
type Memory = LockedCache<LruCache<String, String>>;

static REDIS: LazyLock<Redis> = LazyLock::new(|| todo!());
static LEVELS: LazyLock<TwoLevelCache<Memory, Redis>> = LazyLock::new(|| todo!());
static WRAPPED: LazyLock<StatsCache<SingleFlightCache<Redis>>> = LazyLock::new(|| todo!());
static IN_MEMORY: LazyLock<StatsCache<TwoLevelCache<Memory, SingleFlightCache<Memory>>>> =
    LazyLock::new(|| todo!());

#[cached(cache = REDIS)]
async fn on_redis(id: u32) -> String {
    id.to_string()
}

#[cached(cache = LEVELS)]
async fn on_two_levels(id: u32) -> String {
    id.to_string()
}

#[cached(cache = WRAPPED)]
async fn on_a_wrapper(id: u32) -> String {
    id.to_string()
}

#[cached(cache = REDIS, blocking)]
async fn blocking_on_purpose(id: u32) -> String {
    id.to_string()
}

#[cached(cache = PrefixedCache::new(&*IN_MEMORY, "p."))]
async fn in_memory(id: u32) -> String {
    id.to_string()
}

fn main() {}
