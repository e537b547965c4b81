//! Links only if no panic is reachable in `SealedCache` and `FlashCache`, as `nopanic` does for the
//! other parts. A binary of its own: with fewer copies of the ciphers, the compiler inlines less.
//!
//! AES-GCM-SIV is left out: its crate keeps a bounds check in the loop over the round keys.
#![no_std]
#![no_main]

use core::cell::RefCell;
use core::hint::black_box;
use core::time::Duration;
#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
use ctu_core::{
    AsconAead128, Bytes, Clock, FlashCache, FlashOptions, FrontCache, KeyRing, KeyedAead, LruCache,
    Salt, SealedCache, SoftCounter, SpinCache, WallClock, XChaCha20Poly1305, prelude::*,
};
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
#[cfg(target_arch = "riscv32")]
use riscv as _;
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;

unsafe extern "C" {
    fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // Undefined symbol: a reachable panic fails the link.
    unsafe { a_panic_can_be_reached() }
}

/// A value that the compiler cannot know.
fn any<T>(value: T) -> T {
    black_box(value)
}

#[inline(never)]
fn cache<C: Cache<Key = [u8], Value = Bytes<110>>>(cache: &C) {
    let key: &[u8] = any(b"key");
    let value: &[u8] = any(b"value");
    let second = Duration::from_millis(any(1_000));
    black_box(cache.get(key).is_ok());
    black_box(cache.insert(key, value).is_ok());
    black_box(cache.insert_with_ttl(key, value, second).is_ok());
    black_box(cache.contains(key).is_ok());
    black_box(cache.get_with_ttl(key).is_ok());
    black_box(cache.remove(key).is_ok());
    black_box(cache.pop(key).is_ok());
    black_box(cache.retain(&mut |key| key.len() > any(1)).is_ok());
    black_box(cache.get_or_insert_with(key, || any(&b"v"[..])).is_ok());
    black_box(cache.len().is_ok());
    black_box(cache.clear().is_ok());
}

/// Hardware that the compiler cannot know.
struct Hardware;

impl WallClock for Hardware {
    fn now(&self) -> Option<u64> {
        any(Some(1_790_000_000_000))
    }
}

impl Clock for Hardware {
    const BITS: u32 = 32;

    fn now(&self) -> u64 {
        u64::from(any(7u32))
    }
}

impl Salt for Hardware {
    fn salt(&self) -> [u8; 16] {
        any([7; 16])
    }
}

impl ErrorType for Hardware {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Hardware {
    const READ_SIZE: usize = 1;

    fn read(&mut self, _: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        bytes.iter_mut().for_each(|byte| *byte = any(7));
        any(Ok(()))
    }

    fn capacity(&self) -> usize {
        any(4096)
    }
}

impl NorFlash for Hardware {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, _: u32, _: u32) -> Result<(), NorFlashErrorKind> {
        any(Ok(()))
    }

    fn write(&mut self, _: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        black_box(bytes);
        any(Ok(()))
    }
}

type Store = LruCache<Bytes<32>, Bytes<110>, 7>;

/// Sealing, with all settings, in a suite.
#[inline(never)]
fn sealed<X: KeyedAead>(base: &'static SpinCache<Store>, secret: &[u8]) {
    let Ok(mut ring) = KeyRing::<X, 1>::derived(secret, any(1), secret) else {
        return;
    };
    black_box(ring.add(any(2), secret).is_ok());
    black_box(ring.write_with(any(2)).is_ok());
    cache(&SealedCache::with_keys(base, &ring));
    black_box(ring.retire(any(1)).is_ok());
    let sealed = SealedCache::with_keys(base, ring)
        .context(any(&b"context"[..]))
        .wall_clock(Hardware)
        .salt(Hardware)
        .epoch(any(7));
    cache(&sealed);
    sealed.set_epoch(any(8));
    black_box(sealed.forget_all(&mut SoftCounter::at(any(8))).is_ok());
    black_box((sealed.rejected(), sealed.expired(), sealed.unknown_key()));
    cache(&sealed.plain_names());
}

#[inline(never)]
fn flash(keeps_all: bool) {
    let mut options = FlashOptions::new().schema(any(1)).range(any(0)..any(4096));
    if keeps_all {
        options = options.keep_all().wipe_removed();
    }
    let opened = FlashCache::<_, Bytes<110>, 16, _>::open(Hardware, options.wall_clock(Hardware));
    let Ok(mut flash) = opened else {
        return;
    };
    flash.touch(any(b"key"));
    black_box(flash.wipe().is_ok());
    let each = flash.for_each(|key, value, left| drop(black_box((key.len(), value, left))));
    black_box(each.is_ok());
    black_box((flash.erases(), flash.damaged(), flash.len()));
    let flash = RefCell::new(flash);
    cache(&flash);
    let Ok(sealed) = SealedCache::new(&flash, any(b"sixteen bytes or more")) else {
        return;
    };
    black_box(sealed.begin_boot(&mut SoftCounter::at(any(8))).is_ok());
    let front = FrontCache::<_, Bytes<16>, _, 7>::write_behind(&sealed, any(100));
    cache(&front);
    black_box(front.flush_if_due(&Hardware).is_ok());
    black_box((front.flush().is_ok(), front.pending()));
    black_box(front.fill(any(b"key"), any(Bytes::new())).is_ok());
}

#[entry]
fn main() -> ! {
    static BASE: SpinCache<Store> = SpinCache::new(LruCache::new());
    let secret: &[u8] = any(b"sixteen bytes or more");
    sealed::<XChaCha20Poly1305>(&BASE, secret);
    sealed::<AsconAead128>(&BASE, secret);
    flash(any(true));

    #[cfg(feature = "positive-control")]
    black_box([1, 2, 3][any(1usize)]);

    loop {
        core::hint::spin_loop();
    }
}
