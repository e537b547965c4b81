//! Rehearses outages of the network in front of a real Redis server, as a test of a service in its CI does.
//!
//! ```text
//! cargo run -p ctu-std --example rehearsal --features test-util
//! ```
//!
//! The program starts a Redis server of its own. Two nodes of a shop use it, one of them through a proxy that fails
//! on command. Each line is one fault. A request that fails, or a price that comes back after it was replaced, ends
//! the program with an error.

use ctu_std::{
    CoarseClock, ConcurrentCache, PrefixedRedisCache, RedisCache, TwoLevelCache,
    prelude::*,
    test_util::{FaultProxy, NetworkFault},
};
use std::{
    error::Error,
    io::{self, Write},
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

#[allow(dead_code, reason = "other examples use the rest")]
#[path = "support/redis.rs"]
mod redis;

type First = ConcurrentCache<String, u64, CoarseClock>;
type Second = PrefixedRedisCache<str, u64>;

/// The service under test.
struct Shop {
    prices: TwoLevelCache<First, Second>,
}

impl Shop {
    fn new(redis: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let first = First::with_ttl(1_000, Duration::from_secs(600), CoarseClock::new());
        let second = RedisCache::builder(format!("redis://{redis}"))
            .prefix("price.")
            .deadline(Duration::from_millis(300))
            .build()?;
        let prices = TwoLevelCache::builder(first, second)
            .resilient()
            // Short times, so that the rehearsal ends soon.
            .open_for(Duration::from_millis(50), Duration::from_millis(100))
            .settle_time(Duration::from_millis(400))
            .build();
        Ok(Self { prices })
    }

    /// The price of a product: from the cache, or else from the database.
    fn price(&self, product: &str, database: u64) -> Result<u64, Box<dyn Error>> {
        Ok(self.prices.get_or_insert_with(product, || database)?)
    }

    /// Waits until the background thread has replayed the journal.
    fn wait_for_recovery(&self) {
        while self.prices.stats().journal > 0 {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Takes a shop through one fault. Returns the time of the slowest request.
fn rehearse(
    shop: &Shop,
    proxy: &FaultProxy,
    fault: NetworkFault,
    price: u64,
) -> Result<Duration, Box<dyn Error>> {
    shop.prices.insert("lamp", price - 1)?;
    proxy.fail(fault);
    let start = Instant::now();
    shop.prices.insert("lamp", price)?;
    let mut slowest = start.elapsed();
    for request in 0..50 {
        let start = Instant::now();
        let lamp = shop.price("lamp", price)?;
        let other = shop.price(&format!("product {price} {request}"), price)?;
        slowest = slowest.max(start.elapsed());
        if (lamp, other) != (price, price) {
            return Err(
                format!("{fault:?}: the prices are {lamp} and {other}, not {price}").into(),
            );
        }
    }
    proxy.work();
    shop.wait_for_recovery();
    Ok(slowest)
}

fn main() -> Result<(), Box<dyn Error>> {
    let redis = redis::Redis::start()?;
    let server = SocketAddr::from(([127, 0, 0, 1], redis.own_port().ok_or("no port")?));
    let proxy = FaultProxy::new(server)?;
    let shop = Shop::new(proxy.address())?;
    let faults = [
        ("Redis is down", NetworkFault::Closed),
        ("the network drops all packets", NetworkFault::BlackHole),
        ("replies are lost", NetworkFault::RepliesLost),
        (
            "replies take 5 ms more",
            NetworkFault::Delay(Duration::from_millis(5)),
        ),
        ("connections flap", NetworkFault::ClosedAfterReply),
    ];
    for (number, (name, fault)) in faults.into_iter().enumerate() {
        let price = 10 * (number as u64 + 1);
        let slowest = rehearse(&shop, &proxy, fault, price)?;
        // A node without a first level of that time: Redis has the new price, or none.
        let elsewhere = Shop::new(server)?.price("lamp", price)?;
        if elsewhere != price {
            return Err(format!("{name}: another node has the old price {elsewhere}").into());
        }
        let stats = shop.prices.stats();
        writeln!(
            io::stdout(),
            "{name:<32}100 answers, slowest {:>6.1} ms, {:>2} outages so far, other node: {elsewhere}",
            slowest.as_secs_f64() * 1e3,
            stats.outages,
        )?;
    }
    Ok(())
}
