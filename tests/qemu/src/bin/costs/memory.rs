//! Bytes of RAM and of stack.

use crate::{KEY, SECRET, Timer};
use core::cell::RefCell;
use core::hint::black_box;
use core::time::Duration;
use ctu_core::{
    Aes256GcmSiv, AsconAead128, Bytes, BytesCache, Cache, CacheExt, ClockCache, EncryptedCache,
    KeyRing, KeyedAead, LruCache, PrefixedCache, S3FifoCache, SealedCache, SmallS3FifoCache,
    StatsCache, Text, TtlCache, XChaCha20Poly1305,
};
use ctu_qemu::stack;
use heapless::{index_map::FnvIndexMap, linear_map::LinearMap};

fn stack(subject: &str, operation: &str, op: impl FnMut()) {
    let bytes = stack::of(op);
    defmt::info!("stack;{=str};{=str};{=usize}", subject, operation, bytes);
}

pub(crate) fn stacks() {
    // The baseline: the stack of the measurement itself.
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
    let mut s3_fifo: S3FifoCache<u32, u32, 64> = (0..64).map(|key| (key, key)).collect();
    stack("S3FifoCache<u32, u32, N>", "get", || {
        black_box(s3_fifo.get(black_box(&1)));
    });
    stack("S3FifoCache<u32, u32, N>", "insert", || {
        black_box(s3_fifo.insert(black_box(100), 1));
    });
    stack("S3FifoCache<u32, u32, N>", "remove", || {
        black_box(s3_fifo.remove(black_box(&100)));
    });
    let mut ttl = TtlCache::<u32, u32, 64, Timer>::new(Duration::from_secs(60), Timer);
    for key in 0..64 {
        black_box(
            ttl.insert_with_ttl(key, key, Duration::from_secs(u64::from(key)))
                .is_ok(),
        );
    }
    stack("TtlCache<u32, u32, N, _>", "get", || {
        black_box(ttl.get(black_box(&1)));
    });
    stack("TtlCache<u32, u32, N, _>", "insert", || {
        black_box(ttl.insert(black_box(100), 1));
    });
    stack("TtlCache<u32, u32, N, _>", "insert_with_ttl", || {
        black_box(
            ttl.insert_with_ttl(black_box(101), 1, Duration::from_secs(1))
                .is_ok(),
        );
    });
    stack("TtlCache<u32, u32, N, _>", "remove", || {
        black_box(ttl.remove(black_box(&100)));
    });
    let base = RefCell::new(LruCache::<Bytes<20>, Bytes<64>, 8>::new());
    let subject = "RefCell<LruCache<Bytes<20>, Bytes<64>, N>>";
    stack(subject, "insert", || {
        black_box(base.insert(black_box(KEY), b"value").is_ok());
    });
    stack(subject, "get", || {
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
    sealed::<XChaCha20Poly1305>("SealedCache, XChaCha20-Poly1305, value of 64");
    sealed::<AsconAead128>("SealedCache, Ascon-AEAD128, value of 64");
    sealed::<Aes256GcmSiv>("SealedCache, AES-256-GCM-SIV, value of 64");
}

fn sealed<X: KeyedAead>(what: &str) {
    let base = RefCell::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
    let Ok(ring) = KeyRing::<X, 1>::derived(SECRET, 0, SECRET) else {
        panic!("the secret is long enough")
    };
    let cache = SealedCache::with_keys(&base, ring);
    stack(what, "insert", || {
        black_box(cache.insert(black_box(KEY), &[7; 64]).is_ok());
    });
    stack(what, "get", || {
        black_box(cache.get(black_box(KEY)).is_ok());
    });
}

/// Bytes of RAM an entry takes, keys and values of 4 bytes each included.
pub(crate) fn ram() {
    fn an_entry<Small, Large>(subject: &str) {
        let bytes = (size_of::<Large>() - size_of::<Small>()) / 64;
        defmt::info!("ram;{=str};an entry;{=usize}", subject, bytes);
    }
    an_entry::<LruCache<u32, u32, 64>, LruCache<u32, u32, 128>>("LruCache<u32, u32, N>");
    an_entry::<TtlCache<u32, u32, 64, Timer>, TtlCache<u32, u32, 128, Timer>>(
        "TtlCache<u32, u32, N, _>",
    );
    an_entry::<ClockCache<u32, u32, 64>, ClockCache<u32, u32, 128>>("ClockCache<u32, u32, N>");
    an_entry::<S3FifoCache<u32, u32, 64>, S3FifoCache<u32, u32, 128>>("S3FifoCache<u32, u32, N>");
    an_entry::<SmallS3FifoCache<u32, u32, 64>, SmallS3FifoCache<u32, u32, 128>>(
        "SmallS3FifoCache<u32, u32, N>",
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
