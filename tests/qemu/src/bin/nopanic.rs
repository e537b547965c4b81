//! Links only if no panic is reachable: the panic handler calls an undefined symbol.
//!
//! It calls every operation of stores, locks, mappings and wrappers, with keys and values that the
//! compiler cannot know. AES is left out: its crate keeps a bounds check in the loop over the round
//! keys. Feature `positive-control` adds a panic, and the link must then fail.
#![no_std]
#![no_main]

use core::cell::RefCell;
use core::hint::black_box;
use core::time::Duration;
// The critical section.
#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
use ctu_core::*;
#[cfg(target_arch = "riscv32")]
use riscv as _;
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;
use serde::{Deserialize, Serialize};

unsafe extern "C" {
    fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // Undefined symbol: a reachable panic fails the link.
    unsafe { a_panic_can_be_reached() }
}

struct Timer;
impl Clock for Timer {
    const BITS: u32 = 32;
    fn now(&self) -> u64 {
        u64::from(black_box(0u32))
    }
}

/// A value that the compiler cannot know.
fn any<T>(value: T) -> T {
    black_box(value)
}

fn seconds() -> Duration {
    Duration::from_millis(any(1_000))
}

#[inline(never)]
fn unordered<const N: usize>(
    clock: &mut SmallClockCache<u32, u32, N>,
    fixed: &mut FixedCache<u32, u32, N>,
) {
    black_box((clock.get(&any(1)), fixed.get(&any(1))));
    black_box((clock.peek(&any(1)), fixed.contains(&any(1))));
    black_box((
        clock.insert(any(1), any(2)),
        fixed.insert(any(1), any(2)).is_ok(),
    ));
    black_box(fixed.get_or_insert_with(any(1), || any(2)).is_ok());
    black_box((clock.remove(&any(1)), fixed.remove(&any(1))));
    let mut sweep = stores::Sweep::new();
    black_box(clock.retain_step(&mut sweep, any(2), |key, _| any(*key) > 1));
    fixed.retain(|key, _| any(*key) > 1);
    for entry in clock.iter() {
        black_box(entry);
    }
    for entry in fixed.iter_mut() {
        black_box(entry);
    }
    black_box((clock.len(), clock.is_full(), fixed.is_empty()));
    clock.clear();
}

#[inline(never)]
fn arena<const BYTES: usize, R: stores::ArenaRule>(
    store: &mut stores::Arena<Bytes<64>, 7, BYTES, R>,
) {
    let key: &[u8] = any(b"key");
    black_box(store.get(key));
    black_box(store.get_mut(key).map(|value| value.fill(any(1))));
    black_box(store.get_copy(key).is_ok());
    black_box((store.peek(key), store.contains(key)));
    black_box(store.insert(key, any(b"value")).is_ok());
    black_box(store.remove(key));
    let mut sweep = stores::Sweep::new();
    black_box(store.retain_step(&mut sweep, any(2), |key, _| key.len() > any(1)));
    store.retain(|key, _| key.len() > any(1));
    for entry in store.iter() {
        black_box(entry);
    }
    for entry in store.iter().rev() {
        black_box(entry);
    }
    black_box((store.len(), store.free_bytes(), store.is_empty()));
    store.clear();
}

#[inline(never)]
fn s3_fifo<const N: usize, I: stores::Slot, R: stores::Evicting>(
    store: &mut stores::Unordered<u32, u32, N, I, R>,
) {
    black_box((store.get(&any(1)).copied(), store.contains(&any(1))));
    black_box(store.peek(&any(1)));
    black_box(store.insert(any(1), any(2)));
    black_box(store.get_or_insert_with(any(1), || any(2)));
    black_box(
        store
            .try_get_or_insert_with(any(1), || any(Err(())))
            .is_ok(),
    );
    black_box(store.remove(&any(1)));
    store.retain(|key, _| any(*key) > 1);
    store.extend([(any(1), any(2))]);
    for entry in &*store {
        black_box(entry);
    }
    store.clear();
}

#[inline(never)]
fn lru<T: stores::Slots<u32, u32>>(store: &mut stores::Lru<u32, u32, T>) {
    black_box(store.get(&any(1)));
    black_box(store.get_mut(&any(1)));
    black_box(store.peek(&any(1)));
    black_box(store.peek_lru());
    black_box(store.contains(&any(1)));
    black_box(store.insert(any(1), any(2)));
    black_box(store.get_or_insert_with(any(1), || any(2)));
    black_box(store.remove(&any(1)));
    black_box(store.pop_lru());
    black_box(store.pop_mru());
    black_box((store.promote(&any(1)), store.demote(&any(1))));
    black_box(
        store
            .try_get_or_insert_with(any(1), || any(Err(())))
            .is_ok(),
    );
    for (_, value) in store.iter_mut() {
        *value = any(2);
    }
    let mut sweep = stores::Sweep::new();
    black_box(store.retain_step(&mut sweep, any(2), |key, _| any(*key) > 1));
    store.retain(|key, _| any(*key) > 1);
    store.extend([(any(1), any(2))]);
    for entry in store.iter() {
        black_box(entry);
    }
    for entry in store.iter().rev() {
        black_box(entry);
    }
    black_box((
        store.len(),
        store.capacity(),
        store.is_full(),
        store.is_empty(),
    ));
    store.clear();
}

#[inline(never)]
fn ttl<T: stores::Slots<u32, u32>>(store: &mut stores::Ttl<u32, u32, T, Timer>) {
    black_box(store.get(&any(1)));
    black_box(store.get_mut(&any(1)));
    black_box(store.peek(&any(1)));
    black_box(store.contains(&any(1)));
    black_box(store.remaining(&any(1)));
    black_box(store.insert(any(1), any(2)));
    black_box(store.insert_with_ttl(any(1), any(2), seconds()).is_ok());
    black_box(store.remove(&any(1)));
    black_box(store.pop_lru());
    black_box(store.pop_mru());
    black_box((store.promote(&any(1)), store.demote(&any(1))));
    black_box(store.get_or_insert_with(any(1), || any(2)));
    black_box(store.set_ttl(seconds()).is_ok());
    for (_, value) in store.iter_mut() {
        *value = any(2);
    }
    black_box(store.expire());
    black_box(store.pop_expired());
    let mut sweep = stores::Sweep::new();
    black_box(store.retain_step(&mut sweep, any(2), |key, _| any(*key) > 1));
    store.retain(|key, _| any(*key) > 1);
    for entry in store.iter() {
        black_box(entry);
    }
    black_box((store.len(), store.capacity(), store.ttl(), store.max_ttl()));
    store.clear();
}

/// All of a cache's operations.
macro_rules! operations {
    ($name:ident, $Key:ty, $Value:ty, $Given:ty, $key:expr, $value:expr) => {
        #[inline(never)]
        fn $name<C: Cache<Key = $Key, Value = $Value>>(cache: &C) {
            let key: &$Key = any($key);
            black_box(cache.get(key).is_ok());
            black_box(cache.insert(key, any($value)).is_ok());
            black_box(cache.insert_with_ttl(key, any($value), seconds()).is_ok());
            black_box(cache.contains(key).is_ok());
            black_box(cache.get_with_ttl(key).is_ok());
            black_box(cache.remove(key).is_ok());
            black_box(cache.pop(key).is_ok());
            let mut keep = |key: &$Key| size_of_val(any(key)) > any(1);
            black_box(cache.retain(&mut keep).is_ok());
            black_box(cache.get_or_insert_with(key, || any($value)).is_ok());
            black_box(
                cache
                    .get_or_try_insert_with(key, || any(Err::<$Given, ()>(())))
                    .is_ok(),
            );
            black_box(cache.len().is_ok());
            black_box(cache.is_empty().is_ok());
            black_box(cache.clear().is_ok());
        }
    };
}
operations!(cache, [u8], Bytes<64>, &[u8], b"key", &b"value"[..]);
operations!(texts, str, Text<64>, &str, "key", "value");
operations!(readings, u16, Reading, Reading, &1, READING);

/// Awaits some of them.
async fn awaited<C: LocalAsyncCache<Key = [u8], Value = Bytes<64>>>(cache: &C) {
    let key: &[u8] = any(b"key");
    black_box(cache.get(key).await.is_ok());
    black_box(cache.insert(key, any(&b"value"[..])).await.is_ok());
    black_box(cache.remove(key).await.is_ok());
    black_box(
        cache
            .get_or_insert_with(key, async || any(&b"made"[..]))
            .await
            .is_ok(),
    );
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Reading {
    millidegrees: i32,
    valid: bool,
}

const READING: Reading = Reading {
    millidegrees: 21_500,
    valid: true,
};

type Store = LruCache<Bytes<32>, Bytes<64>, 7>;

#[entry]
fn main() -> ! {
    static SPIN: SpinCache<Store> = SpinCache::new(Store::new());
    static SECTION: LockedCache<CriticalSectionMutex, Store> = LockedCache::new(Store::new());
    static TIMED: SpinCache<TtlCache<Bytes<32>, Bytes<64>, 7, Timer>> =
        SpinCache::new(TtlCache::new(Duration::from_secs(60), Timer));
    static TEXTS: SpinCache<LruCache<Text<64>, Text<64>, 7>> = SpinCache::new(LruCache::new());
    static NUMBERS: PrefixCounter = PrefixCounter::new();

    lru(&mut LruCache::<u32, u32, 1>::new());
    lru(&mut LruCache::<u32, u32, 7>::new());
    lru(&mut SmallLruCache::<u32, u32, 7>::new());
    unordered::<7>(&mut SmallClockCache::new(), &mut FixedCache::new());
    arena(&mut ArenaLruCache::<_, 7, 300>::new());
    arena(&mut ArenaFixedCache::<_, 7, 4>::new());
    static ARENA: SpinCache<ArenaLruCache<Bytes<64>, 7, 300>> =
        SpinCache::new(ArenaLruCache::new());
    cache(&ARENA);
    s3_fifo(&mut SmallS3FifoCache::<u32, u32, 7>::new());
    s3_fifo(&mut S3FifoCache::<u32, u32, 1>::new());
    s3_fifo(&mut S3FifoCache::<u32, u32, 300>::new());
    ttl(&mut TtlCache::<u32, u32, 7, _>::new(
        Duration::from_secs(60),
        Timer,
    ));
    ttl(&mut SmallTtlCache::<u32, u32, 7, _>::new(
        Duration::from_secs(60),
        Timer,
    ));
    static SETTINGS: SpinCache<SmallFixedCache<Bytes<32>, Bytes<64>, 7>> =
        SpinCache::new(SmallFixedCache::new());
    cache(&SETTINGS);
    cache(&SPIN);
    cache(&SECTION);
    cache(&TIMED);
    cache(&RefCell::new(Store::new()));
    black_box(SPIN.try_get(any(b"key")).is_ok());
    black_box(SPIN.try_insert(any(b"key"), any(b"value")).is_ok());
    black_box(SPIN.try_remove(any(b"key")).is_ok());
    cache(&PrefixedCache::new(&SPIN, any(b"prefix")));
    let counted = StatsCache::new(&SPIN);
    cache(&counted);
    black_box(counted.stats().is_ok());
    counted.reset_stats();
    let secret: &[u8] = any(b"sixteen bytes or more");
    if let Ok(vault) = EncryptedCache::try_new(&SPIN, secret)
        .and_then(|vault| vault.hsize(any(16)))
        .and_then(|vault| vault.csize(any(8)))
    {
        cache(&vault);
        black_box(vault.damaged());
        cache(&vault.cipher(ChaCha20));
    }

    cache(&DebugCache::new(&SPIN, "name", |event: &Event<'_>| {
        black_box((event.name, event.operation, event.key.is_some()));
    }));
    texts(&AutoPrefixedCache::new(&TEXTS));
    if let Ok(numbered) =
        AutoPrefixedCache::counted(&TEXTS, &NUMBERS, any(PrefixEncoding::A85), any("~"))
    {
        texts(&numbered);
    }
    cache(&BytesCache::new(&TEXTS));
    readings(&ToBytesCache::<_, u16, Reading, Postcard<8>>::new(&SPIN));
    // Its futures are always ready.
    let ready = Mapped::with_mapping(Ready(&SPIN), Prefix::new(&b"prefix"[..]));
    let mut future = core::pin::pin!(awaited(&ready));
    let mut context = core::task::Context::from_waker(core::task::Waker::noop());
    black_box(Future::poll(future.as_mut(), &mut context).is_ready());

    #[cfg(feature = "positive-control")]
    black_box([1, 2, 3][any(1usize)]);

    loop {
        core::hint::spin_loop();
    }
}
