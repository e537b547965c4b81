//! `FlashCache`: entries outlive a reset and a power cut, and a full flash evicts or refuses.

use crate::support::block_on;
use core::cell::{Cell, RefCell};
use ctu_core::{
    AsyncFlashCache, Bytes, Cache, CacheExt, Error, FlashCache, FlashError, FlashOptions, FrontCache, LocalAsyncCache as _,
    LocalAsyncCacheExt as _, SealedCache,
};
use embassy_sync::{blocking_mutex::raw::NoopRawMutex, mutex::Mutex};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

const PAGE: usize = 256;

/// Two pages of a flash in RAM: a write clears bits, and power may fail after some words.
struct Chip {
    bytes: [u8; 2 * PAGE],
    words: Cell<Option<u32>>,
}

impl Chip {
    const fn new() -> Self {
        Self {
            bytes: [0; 2 * PAGE],
            words: Cell::new(None),
        }
    }

    fn burn(&self) -> Result<(), NorFlashErrorKind> {
        match self.words.get() {
            Some(0) => Err(NorFlashErrorKind::Other),
            Some(words) => {
                self.words.set(Some(words - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl ErrorType for Chip {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.burn()?;
        self.bytes[from as usize..to as usize].fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        for (word, at) in bytes.chunks(4).zip((offset as usize..).step_by(4)) {
            self.burn()?;
            for (byte, new) in self.bytes[at..].iter_mut().zip(word) {
                *byte &= new;
            }
        }
        Ok(())
    }
}

impl embedded_storage_async::nor_flash::ReadNorFlash for Chip {
    const READ_SIZE: usize = <Self as ReadNorFlash>::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        ReadNorFlash::read(self, offset, bytes)
    }

    fn capacity(&self) -> usize {
        ReadNorFlash::capacity(self)
    }
}

impl embedded_storage_async::nor_flash::NorFlash for Chip {
    const WRITE_SIZE: usize = <Self as NorFlash>::WRITE_SIZE;
    const ERASE_SIZE: usize = <Self as NorFlash>::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        NorFlash::erase(self, from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        NorFlash::write(self, offset, bytes)
    }
}

type Flash<'c> = FlashCache<&'c mut Chip, Bytes<64>, 8>;

fn open(chip: &mut Chip, options: FlashOptions) -> RefCell<Flash<'_>> {
    let Ok(cache) = Flash::open(chip, options) else {
        panic!("the chip is of use")
    };
    RefCell::new(cache)
}

fn is<C: Cache<Key = [u8], Value = Bytes<64>>>(cache: &C, key: &[u8], value: &[u8]) -> bool {
    cache.get(key).ok().flatten().as_deref() == Some(value)
}

pub(crate) fn entries_outlive_a_reset() {
    let mut chip = Chip::new();
    let cache = open(&mut chip, FlashOptions::new());
    assert_eq!(cache.insert(b"name", b"greenhouse"), Ok(()));
    assert_eq!(cache.insert(b"gone", b"soon"), Ok(()));
    assert_eq!(cache.remove(b"gone"), Ok(true));
    let cache = open(&mut chip, FlashOptions::new());
    assert!(is(&cache, b"name", b"greenhouse"));
    assert_eq!(cache.get(b"gone"), Ok(None));
    assert_eq!(cache.len(), Ok(1));
    assert_eq!(cache.clear(), Ok(()));
    let cache = open(&mut chip, FlashOptions::new());
    assert_eq!(cache.is_empty(), Ok(true));
}

pub(crate) fn full_flash_evicts_the_oldest_page() {
    let mut chip = Chip::new();
    let cache = open(&mut chip, FlashOptions::new());
    assert_eq!(cache.insert(b"in use", b"value"), Ok(()));
    for number in 0..100u8 {
        assert_eq!(cache.insert(&[number], &[number; 20]), Ok(()));
        assert!(is(&cache, &[number], &[number; 20]));
        assert!(is(&cache, b"in use", b"value"));
    }
    assert_eq!(cache.get(&[0]), Ok(None));
}

pub(crate) fn full_settings_refuse_a_write() {
    let mut chip = Chip::new();
    let options = FlashOptions::new().keep_all();
    let cache = open(&mut chip, options.clone());
    let full = Err(FlashError::Core(Error::Full));
    let stored = (0..100u8).take_while(|number| cache.insert(&[*number], &[7; 20]).is_ok());
    let stored = stored.count() as u8;
    assert!((3..10).contains(&stored));
    assert_eq!(cache.insert(b"more", &[7; 20]), full);
    assert_eq!(cache.remove(&[0]), Ok(true));
    assert_eq!(cache.insert(b"more", &[7; 20]), Ok(()));
    let cache = open(&mut chip, options);
    assert!(is(&cache, &[1], &[7; 20]));
}

pub(crate) fn power_may_fail_after_each_word() {
    for words in 0..60 {
        let mut chip = Chip::new();
        let options = FlashOptions::new().keep_all();
        let cache = open(&mut chip, options.clone());
        for number in 0..5u8 {
            assert_eq!(cache.insert(b"key", &[number; 16]), Ok(()));
        }
        chip.words.set(Some(words));
        let cache = open(&mut chip, options.clone());
        let mut last = 4u8;
        while last < 10 && cache.insert(b"key", &[last + 1; 16]).is_ok() {
            last += 1;
        }
        chip.words.set(None);
        let cache = open(&mut chip, options);
        assert!(is(&cache, b"key", &[last; 16]) || is(&cache, b"key", &[last + 1; 16]));
        assert_eq!(cache.insert(b"key", b"next"), Ok(()));
        assert!(is(&cache, b"key", b"next"));
    }
}

pub(crate) fn front_and_seal_stack_over_it() {
    let mut chip = Chip::new();
    let secret = b"sixteen bytes or more";
    let flash = open(&mut chip, FlashOptions::new());
    let Ok(sealed) = SealedCache::new(&flash, secret) else {
        panic!("the secret is long enough")
    };
    let front = FrontCache::<_, Bytes<16>, _, 2>::write_behind(&sealed, 0);
    assert_eq!(front.insert(b"count", b"1"), Ok(()));
    assert_eq!(front.insert(b"count", b"2"), Ok(()));
    assert_eq!((flash.len(), front.pending()), (Ok(0), 1));
    assert_eq!(front.flush(), Ok(1));
    let flash = open(&mut chip, FlashOptions::new());
    let Ok(sealed) = SealedCache::new(&flash, secret) else {
        panic!("the secret is long enough")
    };
    assert!(is(&sealed, b"count", b"2"));
}

pub(crate) fn async_form_reads_the_entries_of_the_blocking_one() {
    let mut chip = Chip::new();
    let cache = open(&mut chip, FlashOptions::new());
    assert_eq!(cache.insert(b"name", b"greenhouse"), Ok(()));
    block_on(async {
        let opened = AsyncFlashCache::open(&mut chip, FlashOptions::new()).await;
        let Ok(opened) = opened else {
            panic!("the chip is of use")
        };
        let cache: Mutex<NoopRawMutex, AsyncFlashCache<_, Bytes<64>, 8>> = Mutex::new(opened);
        let name = cache.get(b"name").await;
        assert_eq!(name.ok().flatten().as_deref(), Some(&b"greenhouse"[..]));
        for number in 0..100u8 {
            assert_eq!(cache.insert(&[number], &[number; 20]).await, Ok(()));
            assert_eq!(cache.contains(b"name").await, Ok(true));
        }
        assert_eq!(cache.remove(&[99]).await, Ok(true));
    });
    let cache = open(&mut chip, FlashOptions::new());
    assert!(is(&cache, b"name", b"greenhouse"));
    assert!(is(&cache, &[98], &[98; 20]));
    assert_eq!(cache.get(&[99]), Ok(None));
}
