//! Firmware with one part of ctu-core, or none: the difference in size is the flash of that part.
//!
//! The build variable `CTU_PROBE` selects the part. Keys and values are opaque to the compiler,
//! so that it evaluates no operation.
#![no_std]
#![no_main]

use core::hint::black_box;

// The critical section.
#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
use ctu_core::*;
use panic::exit;
#[cfg(target_arch = "riscv32")]
use riscv as _;
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;

mod sheet;

mod panic {
    //! No logger here: it would be in every image.
    pub(crate) fn exit() -> ! {
        loop {
            core::hint::spin_loop();
        }
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        exit()
    }
}

fn key<T>(value: T) -> T {
    black_box(value)
}

/// A store's own operations: get, insert, remove.
#[allow(unused)]
fn store<S: Store<Key = u32, Value = u32>>(store: &mut S) {
    black_box(store.get(&key(1)).copied());
    black_box(store.insert_entry(&key(1), key(2), None).is_ok());
    black_box(store.remove(&key(1)));
}

/// A cache's operations: get, insert, remove.
#[allow(unused)]
fn numbers<C: Cache<Key = u32, Value = u32>>(cache: &C) {
    black_box(cache.get(&key(1)).is_ok());
    black_box(cache.insert_entry(&key(1), key(2), None).is_ok());
    black_box(cache.remove(&key(1)).is_ok());
}

#[allow(unused)]
fn bytes<C: Cache<Key = [u8], Value = Bytes<64>>>(cache: &C) {
    black_box(cache.get(key(b"key")).is_ok());
    black_box(cache.insert(key(b"key"), key(b"value")).is_ok());
    black_box(cache.remove(key(b"key")).is_ok());
}

#[allow(unused)]
mod parts {
    use super::*;
    use core::time::Duration;

    pub(crate) struct Timer;
    impl Clock for Timer {
        const BITS: u32 = 32;
        fn now(&self) -> u64 {
            u64::from(black_box(0u32))
        }
    }

    pub(super) type Numbers = LruCache<u32, u32, 16>;
    pub(super) type Base = SpinCache<LruCache<Bytes<20>, Bytes<64>, 8>>;

    pub(super) fn nothing() {
        black_box(key(1u32));
    }
    pub(super) fn lru() {
        static mut CACHE: Numbers = LruCache::new();
        let cache = &raw mut CACHE;
        // The only reference.
        store(unsafe { &mut *cache });
    }
    pub(super) fn ttl() {
        static mut CACHE: TtlCache<u32, u32, 16, Timer> =
            TtlCache::new(Duration::from_secs(60), Timer);
        let cache = &raw mut CACHE;
        // As above.
        store(unsafe { &mut *cache });
    }
    pub(super) fn ttl_own() {
        static mut CACHE: TtlCache<u32, u32, 16, Timer> =
            TtlCache::new(Duration::from_secs(60), Timer);
        let cache = &raw mut CACHE;
        // As above.
        let cache = unsafe { &mut *cache };
        store(cache);
        let own = Duration::from_secs(u64::from(key(1u32)));
        black_box(cache.insert_with_ttl(key(1), key(2), own).is_ok());
    }
    pub(super) fn s3_fifo() {
        static mut CACHE: S3FifoCache<u32, u32, 16> = S3FifoCache::new();
        let cache = &raw mut CACHE;
        // As above.
        store(unsafe { &mut *cache });
    }
    pub(super) fn locked_spin() {
        static CACHE: SpinCache<Numbers> = SpinCache::new(LruCache::new());
        numbers(&CACHE);
    }
    pub(super) fn locked_critical() {
        static CACHE: LockedCache<CriticalSectionMutex, Numbers> =
            LockedCache::new(LruCache::new());
        numbers(&CACHE);
    }
    pub(super) fn stats() {
        static CACHE: StatsCache<SpinCache<Numbers>> =
            StatsCache::new(SpinCache::new(LruCache::new()));
        numbers(&CACHE);
        black_box(CACHE.hit_rate());
    }
    pub(super) static BASE: Base = Base::new(LruCache::new());
    pub(super) fn base() {
        bytes(&BASE);
    }
    pub(super) fn prefixed() {
        bytes(&PrefixedCache::new(&BASE, b"cfg."));
    }
    const SECRET: &[u8; 32] = b"thirty-two bytes that none knows";
    pub(super) fn encrypted() {
        bytes(&EncryptedCache::new(&BASE, SECRET));
    }
    /// Room for a value of 64 bytes and its seal.
    pub(super) static WIDE: SpinCache<LruCache<Bytes<20>, Bytes<112>, 8>> =
        SpinCache::new(LruCache::new());
    pub(super) fn wide() {
        wide_bytes(&WIDE);
    }
    fn wide_bytes<C: Cache<Key = [u8], Value = Bytes<112>>>(cache: &C) {
        black_box(cache.get(key(&b"key"[..])).is_ok());
        black_box(cache.insert(key(&b"key"[..]), key(&b"value"[..])).is_ok());
        black_box(cache.remove(key(&b"key"[..])).is_ok());
    }
    pub(super) fn sealed<X: KeyedAead>() {
        if let Ok(ring) = KeyRing::<X, 1>::derived(key(SECRET), 0, key(SECRET)) {
            wide_bytes(&SealedCache::with_keys(&WIDE, ring));
        }
    }
    use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

    /// A driver that does nothing.
    struct Chip;
    impl ErrorType for Chip {
        type Error = NorFlashErrorKind;
    }
    impl ReadNorFlash for Chip {
        const READ_SIZE: usize = 4;
        fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
            black_box((at, bytes));
            black_box(Ok(()))
        }
        fn capacity(&self) -> usize {
            black_box(4096)
        }
    }
    impl NorFlash for Chip {
        const WRITE_SIZE: usize = 4;
        const ERASE_SIZE: usize = 1024;
        fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
            black_box((from, to));
            black_box(Ok(()))
        }
        fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
            black_box((at, bytes));
            black_box(Ok(()))
        }
    }
    /// The functions of the compiler that copy, fill and compare memory.
    pub(super) fn copies() {
        let (mut one, other) = (key([0u8; 300]), key([1u8; 300]));
        if let Some(part) = one.get_mut(..key(200)) {
            part.fill(key(7));
        }
        black_box(one == other);
        black_box((one, other));
    }
    pub(super) fn flash_cache() {
        let opened = FlashCache::<_, Bytes<64>, 64>::open(Chip, FlashOptions::new());
        if let Ok(mut cache) = opened {
            black_box(cache.get(key(&b"key"[..])).is_ok());
            black_box(cache.insert(key(&b"key"[..]), key(&b"value"[..])).is_ok());
            black_box(cache.remove(key(&b"key"[..])).is_ok());
        }
    }
    pub(super) fn debug() {
        static CACHE: SpinCache<Numbers> = SpinCache::new(LruCache::new());
        numbers(&DebugCache::new(&CACHE, "name", |event: &Event<'_>| {
            black_box(event.operation);
        }));
    }
    static TEXTS: SpinCache<LruCache<Text<20>, Text<64>, 8>> = SpinCache::new(LruCache::new());
    fn texts<C: Cache<Key = str, Value = Text<64>>>(cache: &C) {
        black_box(cache.get(key("key")).is_ok());
        black_box(cache.insert(key("key"), key("value")).is_ok());
        black_box(cache.remove(key("key")).is_ok());
    }
    pub(super) fn text_base() {
        texts(&TEXTS);
    }
    pub(super) fn auto_prefixed() {
        texts(&AutoPrefixedCache::new(&TEXTS));
    }
    pub(super) fn base85() {
        bytes(&BytesCache::new(&TEXTS));
    }
    pub(super) fn postcard() {
        let cache = ToBytesCache::<_, u16, (i32, bool), Postcard<4>>::new(&BASE);
        black_box(cache.get(&key(1)).is_ok());
        black_box(cache.insert(&key(1), (key(2), true)).is_ok());
        black_box(cache.remove(&key(1)).is_ok());
    }
    pub(super) fn primitives() {
        use salsa20::cipher::{KeyIvInit, StreamCipher};
        use sha3::Digest;
        bytes(&BASE);
        let mut hash: [u8; 64] = sha3::Sha3_512::new()
            .chain_update(key(b"key"))
            .chain_update(key(SECRET))
            .finalize()
            .into();
        let mut cipher = salsa20::Salsa20::new(&key([0; 32]).into(), &key([0; 8]).into());
        black_box(cipher.try_apply_keystream(&mut hash).is_ok());
        black_box(&hash);
    }
}

#[entry]
fn main() -> ! {
    #[cfg(probe = "nothing")]
    parts::nothing();
    #[cfg(probe = "lru")]
    parts::lru();
    #[cfg(probe = "s3_fifo")]
    parts::s3_fifo();
    #[cfg(probe = "ttl")]
    parts::ttl();
    #[cfg(probe = "ttl_own")]
    parts::ttl_own();
    #[cfg(probe = "locked_spin")]
    parts::locked_spin();
    #[cfg(probe = "locked_critical")]
    parts::locked_critical();
    #[cfg(probe = "stats")]
    parts::stats();
    #[cfg(probe = "base")]
    parts::base();
    #[cfg(probe = "prefixed")]
    parts::prefixed();
    #[cfg(probe = "encrypted")]
    parts::encrypted();
    #[cfg(probe = "wide")]
    parts::wide();
    #[cfg(probe = "sealed")]
    parts::sealed::<ctu_core::XChaCha20Poly1305>();
    #[cfg(probe = "sealed_ascon")]
    parts::sealed::<ctu_core::AsconAead128>();
    #[cfg(probe = "sealed_gcm_siv")]
    parts::sealed::<ctu_core::Aes256GcmSiv>();
    #[cfg(probe = "copies")]
    parts::copies();
    #[cfg(probe = "flash_cache")]
    parts::flash_cache();
    #[cfg(probe = "debug")]
    parts::debug();
    #[cfg(probe = "text_base")]
    parts::text_base();
    #[cfg(probe = "auto_prefixed")]
    parts::auto_prefixed();
    #[cfg(probe = "base85")]
    parts::base85();
    #[cfg(probe = "postcard")]
    parts::postcard();
    #[cfg(probe = "primitives")]
    parts::primitives();
    sheet::run();
    exit()
}
