//! `AsyncFlashCache`: the bytes and the results of `FlashCache`, over a chip that keeps its caller
//! waiting.

use crate::{
    model::{KEYS, Operation, key},
    nor::{Nor, Random},
};
use ctu_core::{
    AsyncFlashCache, Bytes, Cache as _, Error, FlashCache, FlashError, FlashOptions,
    LocalAsyncCache, LocalAsyncCacheExt,
};
use embassy_sync::{blocking_mutex::raw::NoopRawMutex, mutex::Mutex};
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use std::{
    cell::RefCell,
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Waits for one poll.
async fn wait() {
    let mut waited = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        match std::mem::replace(&mut waited, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

/// Polls `future` for as long as `polls` lasts.
pub(crate) fn poll<F: Future>(polls: &mut u64, mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    while *polls > 0 {
        *polls -= 1;
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
    }
    None
}

pub(crate) fn run<F: Future>(future: F) -> F::Output {
    poll(&mut u64::MAX.clone(), pin!(future)).expect("the chip answers")
}

/// A chip whose operations wait before and amid each word.
pub(crate) struct Slow<'f, const WORD: usize, const PAGE: usize>(
    pub(crate) &'f mut Nor<WORD, PAGE>,
);

/// A word that is being written, or a page that is being erased. Dropped, it is torn.
struct Busy<'f, const WORD: usize, const PAGE: usize> {
    chip: &'f mut Nor<WORD, PAGE>,
    at: u32,
    /// `None` for a page.
    word: Option<&'f [u8]>,
    done: bool,
}

impl<const WORD: usize, const PAGE: usize> Busy<'_, WORD, PAGE> {
    fn apply(&mut self) -> Result<(), NorFlashErrorKind> {
        use embedded_storage::nor_flash::NorFlash as _;
        self.done = true;
        match self.word {
            Some(word) => self.chip.write(self.at, word),
            None => self.chip.erase(self.at, self.at + PAGE as u32),
        }
    }
}

impl<const WORD: usize, const PAGE: usize> Drop for Busy<'_, WORD, PAGE> {
    fn drop(&mut self) {
        if !self.done {
            self.chip.cut_after(1);
            assert!(self.apply().is_err());
            self.chip.power_on();
        }
    }
}

impl<const WORD: usize, const PAGE: usize> ErrorType for Slow<'_, WORD, PAGE> {
    type Error = NorFlashErrorKind;
}

impl<const WORD: usize, const PAGE: usize> ReadNorFlash for Slow<'_, WORD, PAGE> {
    const READ_SIZE: usize = WORD;

    async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        wait().await;
        embedded_storage::nor_flash::ReadNorFlash::read(self.0, at, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.bytes.len()
    }
}

impl<const WORD: usize, const PAGE: usize> NorFlash for Slow<'_, WORD, PAGE> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        assert_eq!(to - from, PAGE as u32);
        wait().await;
        let mut busy = Busy {
            chip: self.0,
            at: from,
            word: None,
            done: false,
        };
        wait().await;
        busy.apply()?;
        wait().await;
        Ok(())
    }

    async fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        for (word, at) in bytes.chunks(WORD).zip((at..).step_by(WORD)) {
            wait().await;
            let mut busy = Busy {
                chip: self.0,
                at,
                word: Some(word),
                done: false,
            };
            wait().await;
            busy.apply()?;
        }
        wait().await;
        Ok(())
    }
}

type Shared<'f, const WORD: usize, const PAGE: usize> =
    Mutex<NoopRawMutex, AsyncFlashCache<Slow<'f, WORD, PAGE>, Bytes<64>, 8>>;

fn open<const WORD: usize, const PAGE: usize>(
    chip: &mut Nor<WORD, PAGE>,
    options: FlashOptions,
) -> Shared<'_, WORD, PAGE> {
    Mutex::new(run(AsyncFlashCache::open(Slow(chip), options)).unwrap())
}

#[test]
fn async_cache_writes_the_bytes_of_the_blocking_one() {
    fn agree<const WORD: usize, const PAGE: usize>(pages: usize, options: &FlashOptions) {
        let mut chip = Nor::<WORD, PAGE>::new(pages, 0);
        let mut slow = chip.clone();
        let blocking = FlashCache::<_, Bytes<64>, 8>::open(&mut chip, options.clone()).unwrap();
        let blocking = RefCell::new(blocking);
        let cache = open(&mut slow, options.clone());
        let mut random = Random::new(5);
        for _ in 0..400 {
            match Operation::random(&mut random) {
                Operation::Insert(key, value) => assert_eq!(
                    run(cache.insert(&key, &value[..])),
                    ctu_core::CacheExt::insert(&blocking, &key, &value[..])
                ),
                Operation::Remove(key) => {
                    assert_eq!(run(cache.remove(&key)), blocking.remove(&key));
                }
                Operation::Get(key) => assert_eq!(run(cache.get(&key)), blocking.get(&key)),
                Operation::Clear => assert_eq!(run(cache.clear()), blocking.clear()),
                Operation::Retain(number) => assert_eq!(
                    run(cache.retain(|key: &[u8]| key[4] != number)),
                    blocking.retain(&mut |key| key[4] != number)
                ),
                Operation::Wipe => assert_eq!(
                    run(async { cache.lock().await.wipe().await }),
                    blocking.borrow_mut().wipe()
                ),
            }
            assert_eq!(run(cache.len()), blocking.len());
        }
        for number in 0..KEYS {
            let key = key(number);
            assert_eq!(run(cache.pop(&key)), blocking.pop(&key));
        }
        drop((blocking, cache));
        assert_eq!(chip.bytes, slow.bytes);
        assert_eq!((chip.written, chip.erases), (slow.written, slow.erases));
    }
    agree::<1, 512>(2, &FlashOptions::new());
    agree::<4, 512>(3, &FlashOptions::new().keep_all());
    agree::<8, 256>(4, &FlashOptions::new().wipe_removed());
}

#[test]
fn tasks_share_an_async_flash_cache() {
    let mut chip = Nor::<4, 512>::new(3, 0);
    let cache = open(&mut chip, FlashOptions::new());
    let task = async |name: u8| {
        for number in 0..20 {
            cache.insert(&[name], &[name, number]).await?;
            let found = cache.get(&[name]).await?;
            assert_eq!(found.as_deref(), Some(&[name, number][..]));
        }
        Ok::<(), FlashError>(())
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (one, two) = runtime.block_on(async { tokio::join!(task(1), task(2)) });
    assert_eq!((one, two), (Ok(()), Ok(())));
    let made = run(cache.get_or_insert_with(b"made", async || &b"once"[..]));
    assert_eq!(made.unwrap().as_slice(), b"once");
    assert_eq!(run(cache.contains(b"made")), Ok(true));
    assert_eq!(run(cache.get_with_ttl(b"made")).unwrap().unwrap().1, None);
    let second = Duration::from_secs(1);
    let refused = run(cache.insert_with_ttl(b"made", b"once", second));
    assert_eq!(refused, Err(FlashError::Core(Error::TtlUnsupported)));
    drop(cache);
    // The blocking form reads it.
    let mut cache = FlashCache::<_, Bytes<64>, 8>::open(&mut chip, FlashOptions::new()).unwrap();
    assert_eq!(cache.get(&[2]).unwrap().as_deref(), Some(&[2, 19][..]));
    assert_eq!(cache.len(), 3);
}
