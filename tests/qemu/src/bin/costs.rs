//! Counts the instructions and the stack that operations take, beside others that do the same.
//!
//! Lines are `cost;<what>;<operation>;<instructions>`, `stack;` and `ram;<what>;<operation>;<bytes>`: `run` makes tables
//! of them.
#![no_std]
#![no_main]

use core::cell::RefCell;
use core::hint::black_box;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use ctu_core::{
    Bytes, BytesCache, Cache, Clock, CriticalSectionMutex, EncryptedCache, LockedCache, LruCache,
    PrefixedCache, SpinCache, StatsCache, Text, TtlCache,
};
use ctu_qemu::{
    count::{average, each},
    exit, stack,
};
use heapless::{index_map::FnvIndexMap, linear_map::LinearMap};
use sha3::Digest;

fn cost(what: &str, operation: &str, instructions: u32) {
    defmt::info!("cost;{=str};{=str};{=u32}", what, operation, instructions);
}

fn stack(what: &str, operation: &str, op: impl FnMut()) {
    let bytes = stack::of(op);
    defmt::info!("stack;{=str};{=str};{=usize}", what, operation, bytes);
}

/// A key that is not there, whatever was inserted.
const MISSING: u32 = 1 << 30;

/// Keys that were never there before, one after the other.
struct Fresh(u32);

impl Fresh {
    fn next(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }
}

/// Counted in place of the machine's timer, which is busy counting instructions.
static NOW: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Copy)]
struct Timer;

impl Clock for Timer {
    const BITS: u32 = 32;
    #[inline]
    fn now(&self) -> u64 {
        u64::from(NOW.load(Ordering::Relaxed))
    }
}

fn lru<const N: usize>(what: &str) {
    let mut cache = LruCache::<u32, u32, N>::new();
    let n = N as u32;
    let rounds = 512;
    cache.extend((0..n).map(|key| (key, key)));
    cost(
        what,
        "hit",
        average(rounds, |i| {
            black_box(cache.get(&(i % n)));
        }),
    );
    cost(
        what,
        "miss",
        average(rounds, |i| {
            black_box(cache.get(&(i | MISSING)));
        }),
    );
    let mut fresh = Fresh(n);
    cost(
        what,
        "insert, evicts",
        average(rounds, |_| {
            black_box(cache.insert(fresh.next(), 7));
        }),
    );
    cache.clear();
    cost(
        what,
        "insert, room",
        each(n, |i| {
            black_box(cache.insert(i, 7));
        }),
    );
    cost(
        what,
        "remove",
        each(n, |i| {
            black_box(cache.remove(&i));
        }),
    );
}

fn ttl<const N: usize>(what: &str) {
    let mut cache = TtlCache::<u32, u32, N, Timer>::new(Duration::from_secs(60), Timer);
    let n = N as u32;
    let rounds = 512;
    for key in 0..n {
        cache.insert(key, key);
    }
    cost(
        what,
        "hit",
        average(rounds, |i| {
            black_box(cache.get(&(i % n)));
        }),
    );
    cost(
        what,
        "miss",
        average(rounds, |i| {
            black_box(cache.get(&(i | MISSING)));
        }),
    );
    let mut fresh = Fresh(n);
    cost(
        what,
        "insert, evicts",
        average(rounds, |_| {
            black_box(cache.insert(fresh.next(), 7));
        }),
    );
    cost(
        what,
        "insert_for, evicts",
        average(rounds, |i| {
            let ttl = Duration::from_millis(u64::from(1_000 + i));
            black_box(cache.insert_for(fresh.next(), 7, ttl).is_ok());
        }),
    );
    cache.clear();
    cost(
        what,
        "insert, room",
        each(n, |i| {
            black_box(cache.insert(i, 7));
        }),
    );
    cost(
        what,
        "remove",
        each(n, |i| {
            black_box(cache.remove(&i));
        }),
    );
}

fn uluru<const N: usize>(what: &str) {
    let mut cache = uluru::LRUCache::<(u32, u32), N>::new();
    let n = N as u32;
    let rounds = 512;
    for key in 0..n {
        cache.insert((key, key));
    }
    cost(
        what,
        "hit",
        average(rounds, |i| {
            let key = i % n;
            black_box(cache.find(|entry| entry.0 == key));
        }),
    );
    cost(
        what,
        "miss",
        average(rounds, |i| {
            let key = i | MISSING;
            black_box(cache.find(|entry| entry.0 == key));
        }),
    );
    let mut fresh = Fresh(n);
    cost(
        what,
        "insert, evicts",
        average(rounds, |_| {
            black_box(cache.insert((fresh.next(), 7)));
        }),
    );
}

/// heapless' maps keep no order; to make room, the oldest key is removed, which the caller has to know.
macro_rules! map {
    ($name:ident, $map:ty) => {
        fn $name<const N: usize>(what: &str) {
            let mut map = <$map>::new();
            let n = N as u32;
            let rounds = 512;
            for key in 0..n {
                black_box(map.insert(key, key).is_ok());
            }
            cost(
                what,
                "hit",
                average(rounds, |i| {
                    black_box(map.get(&(i % n)));
                }),
            );
            cost(
                what,
                "miss",
                average(rounds, |i| {
                    black_box(map.get(&(i | MISSING)));
                }),
            );
            let mut fresh = Fresh(n - 1);
            cost(
                what,
                "insert, evicts",
                average(rounds, |_| {
                    let key = fresh.next();
                    black_box(map.remove(&(key - n)));
                    black_box(map.insert(key, 7).is_ok());
                }),
            );
            map.clear();
            cost(
                what,
                "insert, room",
                each(n, |i| {
                    black_box(map.insert(i, 7).is_ok());
                }),
            );
            cost(
                what,
                "remove",
                each(n, |i| {
                    black_box(map.remove(&i));
                }),
            );
        }
    };
}
map!(index_map, FnvIndexMap<u32, u32, N>);
map!(linear_map, LinearMap<u32, u32, N>);

fn locks() {
    static SPIN: SpinCache<LruCache<u32, u32, 16>> = SpinCache::new(LruCache::new());
    static SECTION: LockedCache<CriticalSectionMutex, LruCache<u32, u32, 16>> =
        LockedCache::new(LruCache::new());
    let cell = RefCell::new(LruCache::<u32, u32, 16>::new());
    let counted = StatsCache::new(&cell);
    fn hits(what: &str, cache: &impl Cache<Key = u32, Value = u32>) {
        for key in 0..16u32 {
            black_box(cache.insert(&key, key).is_ok());
        }
        cost(
            what,
            "hit",
            average(256, |i| {
                black_box(cache.get(&(i % 16)).is_ok());
            }),
        );
        cost(
            what,
            "miss",
            average(256, |i| {
                black_box(cache.get(&(i | MISSING)).is_ok());
            }),
        );
        let mut fresh = Fresh(16);
        cost(
            what,
            "insert, evicts",
            average(256, |_| {
                black_box(cache.insert(&fresh.next(), 7).is_ok());
            }),
        );
    }
    hits("RefCell<LruCache<u32, u32, 16>>", &cell);
    hits("SpinCache<LruCache<u32, u32, 16>>", &SPIN);
    hits(
        "LockedCache<CriticalSectionMutex, LruCache<u32, u32, 16>>",
        &SECTION,
    );
    hits("StatsCache<&RefCell<LruCache<u32, u32, 16>>>", &counted);
}

const SECRET: &[u8; 32] = b"thirty-two bytes that none knows";
const KEY: &[u8] = b"wifi/psk";

type Base = RefCell<LruCache<Bytes<16>, Bytes<64>, 16>>;

fn encrypted() {
    let base = Base::new(LruCache::new());
    let vault = EncryptedCache::new(&base, SECRET);
    let value = [7u8; 64];
    for i in 0..16u8 {
        black_box(base.insert(&[i; 16], &value).is_ok());
    }
    black_box(vault.insert(KEY, &value).is_ok());

    let what = "parts of the next: SHA3-512, Salsa20, the store";
    let primitives = |buffer: &mut [u8]| {
        use salsa20::cipher::{KeyIvInit, StreamCipher};
        let hash: [u8; 64] = sha3::Sha3_512::new()
            .chain_update(black_box(KEY))
            .chain_update(black_box(SECRET))
            .finalize()
            .into();
        let mut key = [0; 32];
        let mut nonce = [0; 8];
        let mut place = [0; 16];
        for (to, from) in key.iter_mut().zip(&hash[32..]) {
            *to = *from;
        }
        for (to, from) in nonce.iter_mut().zip(&hash[24..]) {
            *to = *from;
        }
        place.copy_from_slice(&hash[..16]);
        let mut cipher = salsa20::Salsa20::new(&key.into(), &nonce.into());
        black_box(cipher.try_apply_keystream(buffer).is_ok());
        place
    };
    cost(
        what,
        "get",
        average(16, |_| {
            let mut buffer = value;
            let place = primitives(&mut buffer);
            black_box(&buffer);
            black_box(base.get(&place).is_ok());
        }),
    );
    cost(
        what,
        "insert",
        average(16, |_| {
            let mut buffer = value;
            let place = primitives(&mut buffer);
            black_box(base.insert(&place, black_box(&buffer)).is_ok());
        }),
    );
    let what = "EncryptedCache<&RefCell<LruCache<Bytes<16>, Bytes<64>, 16>>>";
    cost(
        what,
        "get",
        average(16, |_| {
            black_box(vault.get(black_box(KEY)).is_ok());
        }),
    );
    cost(
        what,
        "insert",
        average(16, |_| {
            black_box(vault.insert(black_box(KEY), black_box(&value)).is_ok());
        }),
    );
}

fn stacks() {
    // Beside the operations: what measuring itself takes.
    stack("nothing", "", || {
        black_box(());
    });
    let mut lru = LruCache::<u32, u32, 64>::new();
    lru.extend((0..64).map(|key| (key, key)));
    stack("LruCache<u32, u32, N>", "get", || {
        black_box(lru.get(black_box(&1)));
    });
    stack("LruCache<u32, u32, N>", "insert", || {
        black_box(lru.insert(black_box(100), 1));
    });
    stack("LruCache<u32, u32, N>", "remove", || {
        black_box(lru.remove(black_box(&100)));
    });
    let mut ttl = TtlCache::<u32, u32, 64, Timer>::new(Duration::from_secs(60), Timer);
    for key in 0..64 {
        black_box(
            ttl.insert_for(key, key, Duration::from_secs(u64::from(key)))
                .is_ok(),
        );
    }
    stack("TtlCache<u32, u32, N, _>", "get", || {
        black_box(ttl.get(black_box(&1)));
    });
    stack("TtlCache<u32, u32, N, _>", "insert", || {
        black_box(ttl.insert(black_box(100), 1));
    });
    stack("TtlCache<u32, u32, N, _>", "insert_for", || {
        black_box(
            ttl.insert_for(black_box(101), 1, Duration::from_secs(1))
                .is_ok(),
        );
    });
    stack("TtlCache<u32, u32, N, _>", "remove", || {
        black_box(ttl.remove(black_box(&100)));
    });
    let base = RefCell::new(LruCache::<Bytes<20>, Bytes<64>, 8>::new());
    let what = "RefCell<LruCache<Bytes<20>, Bytes<64>, N>>";
    stack(what, "insert", || {
        black_box(base.insert(black_box(KEY), b"value").is_ok());
    });
    stack(what, "get", || {
        black_box(base.get(black_box(KEY)).is_ok());
    });
    let prefixed = PrefixedCache::new(&base, b"cfg.");
    stack("PrefixedCache on that", "insert", || {
        black_box(prefixed.insert(black_box(KEY), b"value").is_ok());
    });
    stack("PrefixedCache on that", "get", || {
        black_box(prefixed.get(black_box(KEY)).is_ok());
    });
    let counted = StatsCache::new(&base);
    stack("StatsCache on that", "insert", || {
        black_box(counted.insert(black_box(KEY), b"value").is_ok());
    });
    stack("StatsCache on that", "get", || {
        black_box(counted.get(black_box(KEY)).is_ok());
    });
    let texts = RefCell::new(LruCache::<Text<25>, Text<80>, 8>::new());
    let written = BytesCache::new(&texts);
    stack("BytesCache on Text<25>, Text<80>", "insert", || {
        black_box(written.insert(black_box(KEY), b"value").is_ok());
    });
    stack("BytesCache on Text<25>, Text<80>", "get", || {
        black_box(written.get(black_box(KEY)).is_ok());
    });
    let vault = EncryptedCache::new(&base, SECRET);
    stack("EncryptedCache on Bytes<20>, Bytes<64>", "insert", || {
        black_box(vault.insert(black_box(KEY), b"value").is_ok());
    });
    stack("EncryptedCache on Bytes<20>, Bytes<64>", "get", || {
        black_box(vault.get(black_box(KEY)).is_ok());
    });
}

/// Bytes of RAM an entry takes, keys and values of 4 bytes each included.
fn ram() {
    fn an_entry<Small, Large>(what: &str) {
        let bytes = (size_of::<Large>() - size_of::<Small>()) / 64;
        defmt::info!("ram;{=str};an entry;{=usize}", what, bytes);
    }
    an_entry::<LruCache<u32, u32, 64>, LruCache<u32, u32, 128>>("LruCache<u32, u32, N>");
    an_entry::<TtlCache<u32, u32, 64, Timer>, TtlCache<u32, u32, 128, Timer>>(
        "TtlCache<u32, u32, N, _>",
    );
    an_entry::<uluru::LRUCache<(u32, u32), 64>, uluru::LRUCache<(u32, u32), 128>>(
        "uluru::LRUCache<(u32, u32), N>",
    );
    an_entry::<FnvIndexMap<u32, u32, 64>, FnvIndexMap<u32, u32, 128>>(
        "heapless::FnvIndexMap<u32, u32, N>",
    );
    an_entry::<LinearMap<u32, u32, 64>, LinearMap<u32, u32, 128>>(
        "heapless::LinearMap<u32, u32, N>",
    );
}

#[ctu_qemu::entry]
fn main() -> ! {
    ram();
    lru::<16>("LruCache<u32, u32, 16>");
    lru::<64>("LruCache<u32, u32, 64>");
    lru::<256>("LruCache<u32, u32, 256>");
    uluru::<16>("uluru::LRUCache<(u32, u32), 16>");
    uluru::<64>("uluru::LRUCache<(u32, u32), 64>");
    uluru::<256>("uluru::LRUCache<(u32, u32), 256>");
    index_map::<16>("heapless::FnvIndexMap<u32, u32, 16>");
    index_map::<64>("heapless::FnvIndexMap<u32, u32, 64>");
    index_map::<256>("heapless::FnvIndexMap<u32, u32, 256>");
    linear_map::<16>("heapless::LinearMap<u32, u32, 16>");
    linear_map::<64>("heapless::LinearMap<u32, u32, 64>");
    linear_map::<256>("heapless::LinearMap<u32, u32, 256>");
    ttl::<16>("TtlCache<u32, u32, 16, _>");
    ttl::<64>("TtlCache<u32, u32, 64, _>");
    ttl::<256>("TtlCache<u32, u32, 256, _>");
    locks();
    encrypted();
    stacks();
    exit(0)
}
