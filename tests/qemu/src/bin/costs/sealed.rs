//! Instructions of sealing in each suite, and of entries that are rejected.

use crate::{KEY, SECRET, average};
use core::cell::{Cell, RefCell};
use core::hint::black_box;
use core::time::Duration;
use ctu_core::{
    Aes256GcmSiv, AsconAead128, Bytes, Cache, CacheExt, KeyRing, KeyedAead, LruCache, Mapping,
    SealedCache, WallClock, XChaCha20Poly1305,
};

type Base = RefCell<LruCache<Bytes<16>, Bytes<112>, 16>>;

pub(crate) fn sealed() {
    suite::<XChaCha20Poly1305>("SealedCache, XChaCha20-Poly1305");
    suite::<AsconAead128>("SealedCache, Ascon-AEAD128");
    suite::<Aes256GcmSiv>("SealedCache, AES-256-GCM-SIV");
}

fn ring<X: KeyedAead>() -> KeyRing<X, 1> {
    let Ok(ring) = KeyRing::derived(SECRET, 0, SECRET) else {
        panic!("the secret is long enough")
    };
    ring
}

fn suite<X: KeyedAead>(what: &'static str) {
    let base = Base::new(LruCache::new());
    let cache = SealedCache::with_keys(&base, ring::<X>());
    let value = [7u8; 64];
    for i in 0..16u8 {
        black_box(base.insert(&[i; 16], &[i; 100]).is_ok());
    }
    average(what, "insert", 16, |_| {
        black_box(cache.insert(black_box(KEY), black_box(&value)).is_ok());
    });
    average(what, "get", 16, |_| {
        black_box(cache.get(black_box(KEY)).is_ok());
    });
    rejected::<X>(what);
}

/// The time of day, which passes when it is set.
struct Wall(Cell<u64>);

impl WallClock for Wall {
    fn now(&self) -> Option<u64> {
        Some(self.0.get())
    }
}

/// Entries that fail for each reason, at one key of one cache.
fn rejected<X: KeyedAead>(what: &'static str) {
    let base = RefCell::new(LruCache::<Bytes<16>, Bytes<112>, 1>::new());
    let wall = Wall(Cell::new(1_790_000_000_000));
    let timed = || SealedCache::with_keys(&base, ring::<X>()).wall_clock(&wall);
    let cache = timed();
    // Sealed by the mapping alone, since the store keeps no time to live.
    let seal = |epoch: u32, ttl: u64, key: &[u8]| {
        let of = timed().epoch(epoch);
        let sealing = of.mapping();
        let Ok(at) = Mapping::<[u8], Bytes<112>>::at(sealing, key) else {
            panic!("a key has a place")
        };
        let value = Bytes::<112>::from_slice(&[7; 64]).unwrap_or_default();
        let ttl = Some(Duration::from_secs(ttl));
        sealing.encode_for(&at, value, ttl).unwrap_or_default()
    };
    black_box(cache.insert(KEY, &[7u8; 64]).is_ok());
    let Some(name) = base.borrow().iter().next().map(|(name, _)| name.clone()) else {
        panic!("there is an entry")
    };
    let good = seal(0, 60, KEY);
    let changed = |at: usize| {
        let mut entry = good.clone();
        entry[at] ^= 1;
        entry
    };
    let last = good.len() - 1;
    let reasons = [
        ("get, forged", changed(0)),
        ("get, forged tag", changed(last - 1)),
        ("get, another key's", seal(0, 60, b"wifi/psl")),
        ("get, another epoch's", seal(1, 60, KEY)),
        ("get, unknown key id", changed(last)),
        ("get, expired", seal(0, 0, KEY)),
    ];
    for (reason, entry) in reasons {
        black_box(base.insert_entry(&name, entry, None).is_ok());
        let before = cache.rejected();
        average(what, reason, 16, |_| {
            black_box(cache.get(black_box(KEY)).is_ok());
        });
        assert_eq!(cache.rejected() - before, 16);
    }
}
