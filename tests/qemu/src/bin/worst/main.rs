//! The longest time that each operation holds its lock, in instructions, and its stack.
//!
//! The worst cases are provoked: every bucket of the index is full, deadlines go through the whole
//! heap, every entry has expired, the ticks of deadlines have wrapped around. Lines are
//! `worst;<subject>;<operation>;<instructions>`, `stack;` and `ram;<subject>;;<bytes>`: `run` makes
//! the data sheet of them.
#![no_std]
#![no_main]

mod arena;
mod collide;
mod timed;

use collide::Colliding;
use core::hint::black_box;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use ctu_core::{
    ArenaFixedCache, ArenaLruCache, Bytes, Cache, Clock, ClockCache, FixedCache, IntoValue,
    LockedCache, LruCache, PrefixedCache, S3FifoCache, SmallClockCache, SmallFixedCache,
    SmallLruCache, SmallS3FifoCache, SmallTtlCache, StatsCache, Store, TtlCache,
};
use ctu_qemu::exit;
use timed::{Timed, begin, report, run};

/// The time of the stores, in milliseconds.
static NOW: AtomicU32 = AtomicU32::new(0);

struct Timer;

impl Clock for Timer {
    const BITS: u32 = 32;
    #[inline]
    fn now(&self) -> u64 {
        u64::from(NOW.load(Ordering::Relaxed))
    }
}

fn pass(milliseconds: u32) {
    let now = NOW.load(Ordering::Relaxed);
    NOW.store(now.wrapping_add(milliseconds), Ordering::Relaxed);
}

const DAY: u32 = 86_400_000;
const TTL: Duration = Duration::from_secs(60);

/// Keys of a cache, by number.
trait Keys {
    type Key: ?Sized;
    fn with<T>(number: u32, f: impl FnOnce(&Self::Key) -> T) -> T;
}

/// Keys of four bytes.
struct Numbers;

impl Keys for Numbers {
    type Key = u32;
    fn with<T>(number: u32, f: impl FnOnce(&u32) -> T) -> T {
        f(&black_box(number))
    }
}

/// Keys of twenty bytes that differ in the last ones.
struct Long;

impl Keys for Long {
    type Key = [u8];
    fn with<T>(number: u32, f: impl FnOnce(&[u8]) -> T) -> T {
        let mut key = *b"sensor/of/room/.....";
        if let Some(end) = key.last_chunk_mut() {
            *end = number.to_be_bytes();
        }
        f(black_box(&key))
    }
}

/// Keys of one byte.
struct Short;

impl Keys for Short {
    type Key = u8;
    fn with<T>(number: u32, f: impl FnOnce(&u8) -> T) -> T {
        f(&black_box(number as u8))
    }
}

/// Every operation on a cache of `n` entries; `ttls` for one with a time-to-live.
fn provoke<K: Keys, C: Cache<Key = K::Key>>(cache: &C, n: u32, ttls: bool, value: &C::Value) {
    let value = || black_box(value).clone();
    let get = |key| K::with(key, |key| run("get", || cache.get(key).is_ok()));
    let put = |key, ttl| {
        K::with(key, |key| {
            let value = value();
            run("insert", || cache.insert_entry(key, value, ttl).is_ok())
        })
    };
    let remove = |key| K::with(key, |key| run("remove", || cache.remove(key).is_ok()));
    let ttl = |millis: u32| ttls.then(|| Duration::from_millis(u64::from(millis)));
    begin();
    for round in 0..3 {
        // New keys in full buckets; each deadline is earlier than all before it.
        for i in 0..2 * n {
            put(i, ttl(DAY - i));
        }
        for i in 0..2 * n {
            get(i);
            K::with(i, |key| run("get", || cache.get_with_ttl(key).is_ok()));
        }
        // Rewrites with the latest deadline, from the earliest on.
        for i in (0..2 * n).rev() {
            put(i, ttl(2 * DAY + i));
        }
        for i in 0..n {
            remove(i.wrapping_mul(37) % (2 * n));
            put(i, None);
        }
        // All have expired: lookups, rewrites, new keys, removals.
        pass(3 * DAY);
        for i in 0..n {
            get(i);
            put(if round == 0 { i } else { 3 * n + i }, ttl(1));
            remove(2 * n - i);
        }
        // The ticks wrap around.
        for i in 0..8 {
            pass(24 * DAY);
            get(i);
            put(i, ttl(DAY));
            pass(24 * DAY);
            remove(i);
        }
        for i in 0..n {
            put(i, ttl(DAY + i));
        }
        pass(2 * DAY);
        run("sweep", || cache.len().is_ok());
        for i in 0..n {
            put(i, ttl(2 * DAY));
        }
        run("sweep", || cache.retain(&mut |_| false).is_ok());
    }
}

type Lock<S> = LockedCache<Timed, S>;

fn numbers<S: Store<Key = u32, Value = u32>>(subject: &str, store: S, n: u32, ttls: bool) {
    let cache = Lock::new(store);
    provoke::<Numbers, _>(&cache, n, ttls, &7);
    report(subject, size_of_val(&cache));
}

/// The same for a stack on a base of `bytes` bytes.
fn long<C>(subject: &str, cache: &C, bytes: usize, n: u32, ttls: bool)
where
    C: Cache<Key = [u8], Value = Bytes<64>>,
{
    let value = (&[7_u8; 64]).into_value().unwrap_or_default();
    provoke::<Long, _>(cache, n, ttls, &value);
    report(subject, bytes + size_of_val(cache));
}

type Key = Bytes<20>;
type Value = Bytes<64>;

#[ctu_qemu::entry]
fn main() -> ! {
    let hash = Colliding::<16>;
    let hash_256 = Colliding::<256>;
    numbers(
        "LruCache<u32, u32, 16>",
        LruCache::<u32, u32, 16, _>::with_hasher(hash),
        16,
        false,
    );
    numbers(
        "LruCache<u32, u32, 256>",
        LruCache::<u32, u32, 256, _>::with_hasher(hash_256),
        256,
        false,
    );
    numbers(
        "SmallLruCache<u32, u32, 255>",
        SmallLruCache::<u32, u32, 255, _>::with_hasher(hash_256),
        255,
        false,
    );
    numbers(
        "ClockCache<u32, u32, 256>",
        ClockCache::<u32, u32, 256, _>::with_hasher(hash_256),
        256,
        false,
    );
    numbers(
        "SmallClockCache<u32, u32, 255>",
        SmallClockCache::<u32, u32, 255, _>::with_hasher(hash_256),
        255,
        false,
    );
    numbers(
        "S3FifoCache<u32, u32, 256>",
        S3FifoCache::<u32, u32, 256, _>::with_hasher(hash_256),
        256,
        false,
    );
    numbers(
        "SmallS3FifoCache<u32, u32, 255>",
        SmallS3FifoCache::<u32, u32, 255, _>::with_hasher(hash_256),
        255,
        false,
    );
    numbers(
        "FixedCache<u32, u32, 256>, spread keys",
        FixedCache::<u32, u32, 256, _>::with_hasher(hash_256),
        256,
        false,
    );
    numbers(
        "TtlCache<u32, u32, 16, _>",
        TtlCache::<u32, u32, 16, _, _>::with_hasher(TTL, Timer, hash),
        16,
        true,
    );
    numbers(
        "TtlCache<u32, u32, 256, _>",
        TtlCache::<u32, u32, 256, _, _>::with_hasher(TTL, Timer, hash_256),
        256,
        true,
    );
    numbers(
        "SmallTtlCache<u32, u32, 255, _>",
        SmallTtlCache::<u32, u32, 255, _, _>::with_hasher(TTL, Timer, hash_256),
        255,
        true,
    );
    let hash = Colliding::<32>;
    long(
        "LruCache<Bytes<20>, Bytes<64>, 32>",
        &Lock::new(LruCache::<Key, Value, 32, _>::with_hasher(hash)),
        0,
        32,
        false,
    );
    long(
        "SmallFixedCache<Bytes<20>, Bytes<64>, 32>, spread keys",
        &Lock::new(SmallFixedCache::<Key, Value, 32, _>::with_hasher(hash)),
        0,
        32,
        false,
    );
    arena::provoke(
        "ArenaLruCache<Bytes<64>, 32, 2784>",
        &Lock::new(ArenaLruCache::new()),
    );
    arena::provoke(
        "ArenaFixedCache<Bytes<64>, 32, 2784>",
        &Lock::new(ArenaFixedCache::new()),
    );
    long(
        "TtlCache<Bytes<20>, Bytes<64>, 32, _>",
        &Lock::new(TtlCache::<Key, Value, 32, _, _>::with_hasher(
            TTL, Timer, hash,
        )),
        0,
        32,
        true,
    );
    let base = Lock::new(LruCache::<Bytes<24>, Value, 32, _>::with_hasher(hash));
    long(
        "PrefixedCache on LruCache<Bytes<24>, Bytes<64>, 32>",
        &PrefixedCache::new(&base, b"cfg."),
        size_of_val(&base),
        32,
        false,
    );
    let base = Lock::new(TtlCache::<Key, Value, 32, _, _>::with_hasher(
        TTL, Timer, hash,
    ));
    long(
        "StatsCache on TtlCache<Bytes<20>, Bytes<64>, 32, _>",
        &StatsCache::new(&base),
        size_of_val(&base),
        32,
        true,
    );
    // The sensor node's.
    let readings = Lock::new(TtlCache::<u8, [u32; 2], 4, _, _>::with_hasher(
        TTL,
        Timer,
        Colliding::<4>,
    ));
    provoke::<Short, _>(&readings, 4, true, &[7; 2]);
    report(
        "TtlCache<u8, Reading, 4, _>, as READINGS of the example",
        size_of_val(&readings),
    );
    exit(0)
}
