//! Two levels through an outage of the second, operation by operation.
//!
//! ```text
//! cargo run -p ctu-std --example two_levels
//! ```
//!
//! The program starts a Redis server of its own, stops it (SIGSTOP: connections stay open, without replies)
//! and continues it. Each line has the time of the operation and the state of the cache after it.

use ctu_std::{
    Cache, CacheExt, CoarseClock, ConcurrentCache, PrefixedRedisCache, RedisCache, TwoLevelCache,
};
use std::{
    error::Error,
    fmt,
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

#[allow(dead_code, reason = "other examples use the rest")]
#[path = "support/redis.rs"]
mod redis;

type First = ConcurrentCache<String, String, CoarseClock>;
type Second = PrefixedRedisCache<str, String>;

struct Shop {
    cache: TwoLevelCache<First, Second>,
}

impl Shop {
    fn new(redis: &str) -> Result<Self, Box<dyn Error>> {
        let first = ConcurrentCache::with_ttl(1_000, Duration::from_secs(60), CoarseClock::new());
        let second = RedisCache::builder(redis)
            .prefix("shop.")
            // The longest time that a stopped server costs an operation.
            .deadline(Duration::from_millis(100))
            .build()?;
        let cache = TwoLevelCache::builder(first, second)
            .resilient()
            // Short periods, so that the example ends soon.
            .open_for(Duration::from_millis(200), Duration::from_millis(400))
            .settle_time(Duration::from_millis(500))
            .build();
        Ok(Self { cache })
    }

    /// Runs an operation, and prints its result, its time, and the state of the cache.
    fn show<T: fmt::Debug, E: Error + 'static>(
        &self,
        name: &str,
        operation: impl FnOnce(&TwoLevelCache<First, Second>) -> Result<T, E>,
    ) -> Result<(), Box<dyn Error>> {
        let start = Instant::now();
        let result = operation(&self.cache)?;
        let (time, stats) = (start.elapsed(), self.cache.stats());
        let result = format!("{result:?}");
        writeln!(
            io::stdout(),
            "{name:<34}{result:<16}{:>8.2} ms   breaker {:<9}journal {}",
            time.as_secs_f64() * 1e3,
            format!("{:?}", stats.breaker).to_lowercase(),
            stats.journal
        )?;
        Ok(())
    }

    /// Waits until the background thread has replayed the journal.
    fn wait_for_recovery(&self) {
        while self.cache.stats().journal > 0 {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn title(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "\n{text}")
}

fn main() -> Result<(), Box<dyn Error>> {
    let redis = redis::Redis::start()?;
    let (shop, other) = (Shop::new(redis.url())?, Shop::new(redis.url())?);

    title("Redis runs")?;
    shop.show("insert lamp = 20", |cache| cache.insert("lamp", "20"))?;
    shop.show("insert desk = 150", |cache| cache.insert("desk", "150"))?;
    shop.show("get lamp, in memory", |cache| cache.get("lamp"))?;
    other.show("get lamp, other node, from Redis", |cache| {
        cache.get("lamp")
    })?;

    redis.stop()?;
    title("Redis is stopped: it answers no request")?;
    shop.show("get lamp, in memory", |cache| cache.get("lamp"))?;
    shop.show("get chair, a miss after 100 ms", |cache| cache.get("chair"))?;
    shop.show("get chair, the breaker is open", |cache| cache.get("chair"))?;
    shop.show("insert lamp = 25", |cache| cache.insert("lamp", "25"))?;
    shop.show("remove desk", |cache| cache.remove("desk"))?;
    shop.show("get lamp, the new value", |cache| cache.get("lamp"))?;
    shop.show("get desk, removed", |cache| cache.get("desk"))?;

    redis.resume()?;
    title("Redis continues")?;
    shop.wait_for_recovery();
    shop.show("the missed keys are deleted there", |cache| {
        cache.second().get_many(&["lamp", "desk"])
    })?;
    shop.show("get lamp, in memory", |cache| cache.get("lamp"))?;
    shop.show("get desk, from Redis: none", |cache| cache.get("desk"))?;
    writeln!(io::stdout(), "\n{}", shop.cache.stats())?;
    Ok(())
}
