//! The stores beside other caches of the same kind: `cargo bench -p ctu-bench --bench stores`. With
//! `-- SECTION`, one section alone: `stores`, `wrappers` or `snapshot`.
//!
//! Keys and values are `u64`. "hit" looks up random present keys. "evict" inserts new keys into a
//! full cache. "zipf" looks up a key and inserts it after a miss, with keys by Zipf's law with
//! exponent 0.9 over ten times the capacity. Every cache uses its default hasher: `LruCache`
//! FxHash, the stores of `heap` foldhash, schnellru ahash. schnellru also runs with FxHash.
//! "snapshot" saves a million entries to memory and loads them into an empty cache.

use ctu_bench::contest::{Contender, Outcome, contest, table};
use ctu_core::{
    Bytes, Cache, CacheExt, EncryptedCache, LruCache, SpinCache, heap,
    stores::{Lru, Slots},
};
use ctu_std::{ConcurrentCache, LoadSnapshot, SaveSnapshot, Snapshot};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use rand_distr::{Distribution, Zipf};
use rustc_hash::FxBuildHasher;
use salsa20::{
    Salsa20,
    cipher::{KeyIvInit, StreamCipher},
};
use sha3::{Digest, Sha3_512};
use std::{cell::RefCell, hash::BuildHasher, hint::black_box, time::Instant};

const OPERATIONS: usize = 200_000;
const ROUNDS: usize = 21;

/// The common operations of the caches.
trait Peer {
    fn get(&mut self, key: u64) -> Option<u64>;
    fn insert(&mut self, key: u64, value: u64);
    fn get_or_insert(&mut self, key: u64) -> u64 {
        match self.get(key) {
            Some(value) => value,
            None => {
                self.insert(key, key);
                key
            }
        }
    }
}

impl<T: Slots<u64, u64>, S: BuildHasher> Peer for Lru<u64, u64, T, S> {
    fn get(&mut self, key: u64) -> Option<u64> {
        Lru::get(self, &key).copied()
    }
    fn insert(&mut self, key: u64, value: u64) {
        Lru::insert(self, key, value);
    }
    fn get_or_insert(&mut self, key: u64) -> u64 {
        self.get_or_insert_with(key, || key)
            .map_or(key, |value| *value)
    }
}

impl<S: BuildHasher> Peer for schnellru::LruMap<u64, u64, schnellru::ByLength, S> {
    fn get(&mut self, key: u64) -> Option<u64> {
        schnellru::LruMap::get(self, &key).copied()
    }
    fn insert(&mut self, key: u64, value: u64) {
        schnellru::LruMap::insert(self, key, value);
    }
    fn get_or_insert(&mut self, key: u64) -> u64 {
        schnellru::LruMap::get_or_insert(self, key, || key).map_or(key, |value| *value)
    }
}

impl<S: BuildHasher> Peer for lru::LruCache<u64, u64, S> {
    fn get(&mut self, key: u64) -> Option<u64> {
        lru::LruCache::get(self, &key).copied()
    }
    fn insert(&mut self, key: u64, value: u64) {
        self.put(key, value);
    }
    fn get_or_insert(&mut self, key: u64) -> u64 {
        *lru::LruCache::get_or_insert(self, key, || key)
    }
}

impl<S: BuildHasher> Peer for hashlink::LruCache<u64, u64, S> {
    fn get(&mut self, key: u64) -> Option<u64> {
        hashlink::LruCache::get(self, &key).copied()
    }
    fn insert(&mut self, key: u64, value: u64) {
        hashlink::LruCache::insert(self, key, value);
    }
}

impl<H: BuildHasher> Peer for heap::AdaptiveCache<u64, u64, H> {
    fn get(&mut self, key: u64) -> Option<u64> {
        heap::AdaptiveCache::get(self, &key).copied()
    }
    fn insert(&mut self, key: u64, value: u64) {
        heap::AdaptiveCache::insert(self, key, value);
    }
    fn get_or_insert(&mut self, key: u64) -> u64 {
        self.get_or_insert_with(key, || key)
            .map_or(key, |value| *value)
    }
}

impl Peer for quick_cache::unsync::Cache<u64, u64> {
    fn get(&mut self, key: u64) -> Option<u64> {
        quick_cache::unsync::Cache::get(self, &key).copied()
    }
    fn insert(&mut self, key: u64, value: u64) {
        quick_cache::unsync::Cache::insert(self, key, value);
    }
}

impl Peer for moka::sync::Cache<u64, u64> {
    fn get(&mut self, key: u64) -> Option<u64> {
        moka::sync::Cache::get(self, &key)
    }
    fn insert(&mut self, key: u64, value: u64) {
        moka::sync::Cache::insert(self, key, value);
    }
}

struct Uluru<const N: usize>(uluru::LRUCache<(u64, u64), N>);

impl<const N: usize> Peer for Uluru<N> {
    fn get(&mut self, key: u64) -> Option<u64> {
        self.0.find(|entry| entry.0 == key).map(|entry| entry.1)
    }
    fn insert(&mut self, key: u64, value: u64) {
        self.0.insert((key, value));
    }
}

/// The keys of one column, the same for every contender.
struct Keys {
    present: Vec<u64>,
    hits: Vec<u64>,
    zipf: Vec<u64>,
}

/// Spreads numbers over all keys, so that none is helped by a row of them.
fn key(number: u64) -> u64 {
    number
        .wrapping_add(1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(23)
        .wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

impl Keys {
    fn new(capacity: usize) -> Self {
        let mut random = StdRng::seed_from_u64(capacity as u64);
        let mut present: Vec<u64> = (0..capacity as u64).map(key).collect();
        present.shuffle(&mut random);
        let hits = (0..OPERATIONS)
            .map(|_| present[random.random_range(0..capacity)])
            .collect();
        let zipf = Zipf::new(10.0 * capacity as f64, 0.9).expect("a valid exponent");
        let zipf = (0..OPERATIONS)
            .map(|_| key(zipf.sample(&mut random) as u64))
            .collect();
        Self {
            present,
            hits,
            zipf,
        }
    }
}

fn fill(cache: &mut impl Peer, keys: &Keys) {
    keys.present.iter().for_each(|key| cache.insert(*key, *key));
}

fn hits(cache: &mut impl Peer, keys: &Keys) -> u64 {
    keys.hits
        .iter()
        .filter_map(|key| cache.get(*key))
        .fold(0, u64::wrapping_add)
}

fn evictions(cache: &mut impl Peer, next: &mut u64) -> u64 {
    for _ in 0..OPERATIONS {
        *next += 1;
        cache.insert(key(*next), *next);
    }
    *next
}

fn zipf(cache: &mut impl Peer, keys: &Keys) -> u64 {
    keys.zipf
        .iter()
        .map(|key| cache.get_or_insert(*key))
        .fold(0, u64::wrapping_add)
}

/// Three columns for one capacity. Each name comes with the making of a cache.
macro_rules! columns {
    ($outcomes:ident, $capacity:expr, { $($name:literal: $kind:ident $make:expr,)* }) => {
        let keys = Keys::new($capacity);
        eprintln!("{} entries: hits ...", $capacity);
        $outcomes.push(contest(&format!("hit {}", $capacity), OPERATIONS, ROUNDS, vec![$({
            let mut cache = $make;
            fill(&mut cache, &keys);
            let keys = &keys;
            Contender::$kind($name, move || hits(&mut cache, keys))
        },)*]));
        eprintln!("{} entries: evicting inserts ...", $capacity);
        $outcomes.push(contest(&format!("evict {}", $capacity), OPERATIONS, ROUNDS, vec![$({
            let mut cache = $make;
            fill(&mut cache, &keys);
            let mut next = $capacity as u64;
            Contender::$kind($name, move || evictions(&mut cache, &mut next))
        },)*]));
        eprintln!("{} entries: zipf ...", $capacity);
        $outcomes.push(contest(&format!("zipf {}", $capacity), OPERATIONS, ROUNDS, vec![$({
            let mut cache = $make;
            let keys = &keys;
            Contender::$kind($name, move || zipf(&mut cache, keys))
        },)*]));
    };
}

fn stores(outcomes: &mut Vec<Outcome>) {
    columns!(outcomes, 64, {
        "ctu LruCache": ours Box::new(LruCache::<u64, u64, 64>::new()),
        "ctu heap::LruCache": ours heap::LruCache::with_capacity(64),
        "schnellru": peer schnellru::LruMap::new(schnellru::ByLength::new(64)),
        "schnellru, hashing as ctu LruCache does": peer schnellru::LruMap::with_hasher(schnellru::ByLength::new(64), FxBuildHasher),
        "uluru": peer Uluru::<64>(uluru::LRUCache::new()),
    });
    columns!(outcomes, 1024, {
        "ctu LruCache": ours Box::new(LruCache::<u64, u64, 1024>::new()),
        "ctu heap::LruCache": ours heap::LruCache::with_capacity(1024),
        "ctu heap::AdaptiveCache": ours heap::AdaptiveCache::with_capacity(1024),
        "schnellru": peer schnellru::LruMap::new(schnellru::ByLength::new(1024)),
        "schnellru, hashing as ctu LruCache does": peer schnellru::LruMap::with_hasher(schnellru::ByLength::new(1024), FxBuildHasher),
        "lru": peer lru::LruCache::new(1024.try_into().expect("not 0")),
        "hashlink": peer hashlink::LruCache::new(1024),
        "quick_cache (unsync)": peer quick_cache::unsync::Cache::new(1024),
        "moka (sync)": peer moka::sync::Cache::new(1024),
    });
    columns!(outcomes, 65_535, {
        "ctu LruCache": ours Box::new(LruCache::<u64, u64, 65_535>::new()),
        "ctu heap::LruCache": ours heap::LruCache::with_capacity(65_535),
        "ctu heap::AdaptiveCache": ours heap::AdaptiveCache::with_capacity(65_535),
        "schnellru": peer schnellru::LruMap::new(schnellru::ByLength::new(65_535)),
        "schnellru, hashing as ctu LruCache does": peer schnellru::LruMap::with_hasher(schnellru::ByLength::new(65_535), FxBuildHasher),
        "lru": peer lru::LruCache::new(65_535.try_into().expect("not 0")),
        "hashlink": peer hashlink::LruCache::new(65_535),
        "quick_cache (unsync)": peer quick_cache::unsync::Cache::new(65_535),
        "moka (sync)": peer moka::sync::Cache::new(65_535),
    });
}

impl<P: Peer + ?Sized> Peer for Box<P> {
    fn get(&mut self, key: u64) -> Option<u64> {
        (**self).get(key)
    }
    fn insert(&mut self, key: u64, value: u64) {
        (**self).insert(key, value);
    }
    fn get_or_insert(&mut self, key: u64) -> u64 {
        (**self).get_or_insert(key)
    }
}

/// Measures the cost of wrappers.
fn wrappers(outcomes: &mut Vec<Outcome>) {
    eprintln!("encryption ...");
    outcomes.extend(encryption::<64>());
    outcomes.extend(encryption::<1024>());
    outcomes.extend(encryption::<{ 16 * 1024 }>());
    eprintln!("locks ...");
    outcomes.push(locked());
}

/// `EncryptedCache` on a store beside its bare primitives, on the same buffer.
fn encryption<const SIZE: usize>() -> [Outcome; 2] {
    const SECRET: &[u8; 32] = b"thirty-two bytes that none knows";
    let operations = (4 << 20) / (SIZE + 1024);
    let key = b"the key of a page";
    let store = LruCache::<Bytes<16>, Bytes<SIZE>, 8>::new();
    let cache = EncryptedCache::new(RefCell::new(store), SECRET);
    let value = Bytes::<SIZE>::from_slice(&[7; SIZE]).expect("room");
    cache.insert(key, value.clone()).expect("room");
    assert_eq!(cache.get(key), Ok(Some(value.clone())));
    let mut buffer = value.clone();
    let primitives = |bytes: &mut [u8]| {
        let derived = Sha3_512::new()
            .chain_update(black_box(key))
            .chain_update(SECRET)
            .finalize();
        let cipher_key: &[u8; 32] = derived[32..64].try_into().expect("32 bytes");
        let nonce: &[u8; 8] = derived[24..32].try_into().expect("8 bytes");
        Salsa20::new(cipher_key.into(), nonce.into()).apply_keystream(bytes);
        u64::from(bytes[0])
    };
    let mut bare = || {
        (0..operations)
            .map(|_| primitives(&mut buffer))
            .sum::<u64>()
    };
    let get = contest(
        &format!("encrypted get {SIZE} B"),
        operations,
        ROUNDS,
        vec![
            Contender::ours("ctu EncryptedCache", || {
                let found = (0..operations).map(|_| cache.get(black_box(key)).ok().flatten());
                found
                    .map(|found| found.map_or(0, |value| u64::from(value[0])))
                    .sum()
            }),
            Contender::peer("SHA3-512 and Salsa20", &mut bare),
        ],
    );
    let insert = contest(
        &format!("encrypted insert {SIZE} B"),
        operations,
        ROUNDS,
        vec![
            Contender::ours("ctu EncryptedCache", || {
                let done = (0..operations).map(|_| cache.insert(black_box(key), value.clone()));
                done.map(|done| u64::from(done.is_ok())).sum()
            }),
            Contender::peer("SHA3-512 and Salsa20", &mut bare),
        ],
    );
    [get, insert]
}

/// `LockedCache` beside a store in a lock.
fn locked() -> Outcome {
    let keys = Keys::new(1024);
    let mut store = LruCache::<u64, u64, 1024>::new();
    fill(&mut store, &keys);
    let bare = spin::Mutex::new(store.clone());
    let cache = SpinCache::new(store);
    contest(
        "locked hit",
        OPERATIONS,
        ROUNDS,
        vec![
            Contender::ours("ctu LockedCache", || {
                keys.hits
                    .iter()
                    .filter_map(|key| cache.get(key).ok().flatten())
                    .fold(0, u64::wrapping_add)
            }),
            Contender::peer("the store in its lock", || {
                keys.hits
                    .iter()
                    .filter_map(|key| bare.lock().get(key).copied())
                    .fold(0, u64::wrapping_add)
            }),
        ],
    )
}

/// Saves and loads a million entries. Prints the seconds of the fastest of three rounds.
fn snapshots() {
    const ENTRIES: u64 = 1_000_000;
    let entries = || (0..ENTRIES).map(|number| (key(number), number));
    let texts = || {
        let texts = (0..ENTRIES).map(|number| (format!("user:{number:08}"), vec![7_u8; 100]));
        texts.collect::<Vec<_>>()
    };
    let concurrent = || ConcurrentCache::<u64, u64>::with_capacity(ENTRIES as usize);
    let full = concurrent();
    entries().for_each(|(key, value)| full.insert(&key, value).expect("room"));
    println!("\n| a million entries | MB | save, s | load, s |\n| --- | ---: | ---: | ---: |");
    let mut lru = heap::LruCache::<u64, u64>::with_capacity(ENTRIES as usize);
    lru.extend(entries());
    snapshot("`LruCache`, `u64` to `u64`", &lru, || {
        heap::LruCache::<u64, u64>::with_capacity(ENTRIES as usize)
    });
    let mut adaptive = heap::AdaptiveCache::<u64, u64>::with_capacity(ENTRIES as usize);
    adaptive.extend(entries());
    snapshot("`AdaptiveCache`, `u64` to `u64`", &adaptive, || {
        heap::AdaptiveCache::<u64, u64>::with_capacity(ENTRIES as usize)
    });
    let mut adaptive = heap::AdaptiveCache::<String, Vec<u8>>::with_capacity(ENTRIES as usize);
    adaptive.extend(texts());
    snapshot("`AdaptiveCache`, 13 bytes to 100 bytes", &adaptive, || {
        heap::AdaptiveCache::<String, Vec<u8>>::with_capacity(ENTRIES as usize)
    });
    let warm = concurrent();
    snapshot("`ConcurrentCache`, `u64` to `u64`", &full, || &warm);
}

fn snapshot<L: LoadSnapshot>(name: &str, full: &impl SaveSnapshot, empty: impl Fn() -> L) {
    let (mut bytes, mut save, mut load) = (Vec::new(), f64::INFINITY, f64::INFINITY);
    for _ in 0..3 {
        bytes.clear();
        let start = Instant::now();
        let saved = Snapshot::new().save(full, &mut bytes).expect("memory");
        save = save.min(start.elapsed().as_secs_f64());
        let mut cache = empty();
        let start = Instant::now();
        let loaded = Snapshot::new().load(&mut cache, &bytes[..]).expect("whole");
        load = load.min(start.elapsed().as_secs_f64());
        assert_eq!(loaded.entries, saved);
    }
    let megabytes = bytes.len() as f64 / 1e6;
    println!("| {name} | {megabytes:.0} | {save:.2} | {load:.2} |");
}

fn main() {
    let section = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    assert!(
        section
            .as_deref()
            .is_none_or(|section| ["stores", "wrappers", "snapshot"].contains(&section)),
        "a section is stores, wrappers or snapshot"
    );
    let runs = |name| section.as_deref().is_none_or(|section| section == name);
    let (stored, wrapped) = (runs("stores"), runs("wrappers"));
    // A store of 65,535 entries is 1.5 MB and is made on the stack before it is boxed.
    let bench = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || {
            let mut outcomes = Vec::new();
            if stored {
                stores(&mut outcomes);
            }
            if wrapped {
                wrappers(&mut outcomes);
            }
            if !outcomes.is_empty() {
                println!("\n{}", table(&outcomes));
            }
        });
    bench.expect("a thread").join().expect("no panic");
    if runs("snapshot") {
        snapshots();
    }
}
