//! `#[cached]` on functions, and `#[cache_methods]` on the methods of an object.
//!
//! ```text
//! cargo run -p ctu-std --example cached_functions
//! ```

use ctu_std::{ConcurrentCache, LockedCache, LruCache, StdClock, cache_methods, cached, json_key};
use std::{
    error::Error,
    fmt,
    io::{self, Write},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

/// The number of computations, which a cached call does not add to.
static COMPUTED: AtomicU32 = AtomicU32::new(0);

fn compute<T>(value: T) -> T {
    COMPUTED.fetch_add(1, Relaxed);
    value
}

/// A program chooses the cache, and can count, share and clear it.
static PRICES: LazyLock<LockedCache<LruCache<(String, u32), u64>>> =
    LazyLock::new(|| LockedCache::new(LruCache::with_capacity(1_000)));

#[derive(Debug)]
struct UnknownProduct;

impl fmt::Display for UnknownProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("unknown product")
    }
}

impl Error for UnknownProduct {}

/// The price in cents. The arguments are the key. An `Err` is not cached.
#[cached(cache = PRICES)]
fn price(product: &str, count: u32) -> Result<u64, UnknownProduct> {
    compute(match product {
        "lamp" => Ok(2_000 * u64::from(count)),
        "desk" => Ok(15_000 * u64::from(count)),
        _ => Err(UnknownProduct),
    })
}

/// Entries live for a minute.
static RATES: LazyLock<ConcurrentCache<(String,), u32, StdClock>> =
    LazyLock::new(|| ConcurrentCache::with_ttl(100, Duration::from_secs(60), StdClock::new()));

/// The cents of a foreign coin. Threads that miss the same key wait for one computation.
#[cached(cache = RATES, single_flight)]
fn rate(coin: &str) -> u32 {
    compute(90 + coin.len() as u32)
}

/// An object with a cache of its own for all of its methods.
struct Stock {
    cache: LockedCache<LruCache<String, u64>>,
    room: u64,
}

#[cache_methods(cache = self.cache, opts(key = json_key), free = "1.", shelves = "2.")]
impl Stock {
    fn free(&self, used: u64) -> u64 {
        compute(self.room - used.min(self.room))
    }

    fn shelves(&self, used: u64) -> u64 {
        compute(self.free(used).div_ceil(10))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    let mut line = |call: &str, result: &dyn fmt::Display| {
        let computed = COMPUTED.swap(0, Relaxed);
        writeln!(out, "{call:<42}{result:<18}computations: {computed}")
    };
    line("price(\"lamp\", 3)", &price("lamp", 3)?)?;
    line("price(\"lamp\", 3)", &price("lamp", 3)?)?;
    for _ in 0..2 {
        let unknown = price("unicorn", 1).err().ok_or("an error was expected")?;
        line("price(\"unicorn\", 1)", &unknown)?;
    }
    line("price::cache_in(\"lamp\", 3)", &price::cache_in("lamp", 3)?)?;
    line(
        "price::cache_del(\"lamp\", 3)",
        &price::cache_del("lamp", 3)?,
    )?;
    line("price(\"lamp\", 3)", &price("lamp", 3)?)?;
    line("price::uncached(\"lamp\", 3)", &price::uncached("lamp", 3)?)?;

    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| rate("crown"));
        }
    });
    line("rate(\"crown\") in 8 threads", &rate("crown"))?;

    let stock = Stock {
        cache: LockedCache::new(LruCache::with_capacity(100)),
        room: 95,
    };
    line(
        "stock.shelves(20), which calls free(20)",
        &stock.shelves(20),
    )?;
    line("stock.free(20)", &stock.free(20))?;
    line("stock.shelves(20)", &stock.shelves(20))?;
    Ok(())
}
