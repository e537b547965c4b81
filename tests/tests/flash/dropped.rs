//! Futures of an `AsyncFlashCache` that are dropped at each `await`: an entry has its value from
//! before or the new one, now and after a reset, and the cache goes on.

use crate::{
    asynchronous::{Slow, poll, run},
    model::{KEYS, Model, Operation, key},
    nor::{Nor, Random},
};
use ctu_core::{AsyncFlashCache, Bytes, Error, FlashCache, FlashError, FlashOptions};
use std::pin::pin;

type Cache<'f, const WORD: usize, const PAGE: usize> =
    AsyncFlashCache<Slow<'f, WORD, PAGE>, Bytes<64>, 8>;

async fn apply<const WORD: usize, const PAGE: usize>(
    cache: &mut Cache<'_, WORD, PAGE>,
    operation: &Operation,
) -> Result<Option<Bytes<64>>, FlashError> {
    match operation {
        Operation::Insert(key, value) => cache.insert(key, value).await?,
        Operation::Remove(key) => drop(cache.remove(key).await?),
        Operation::Clear => cache.clear().await?,
        Operation::Retain(number) => cache.retain(&mut |key| key[4] != *number).await?,
        Operation::Wipe => cache.wipe().await?,
        Operation::Get(key) => return cache.get(key).await,
    }
    Ok(None)
}

/// Runs `operation` for as long as `polls` lasts. Returns whether it came to its end.
fn step<const WORD: usize, const PAGE: usize>(
    model: &mut Model,
    cache: &mut Cache<'_, WORD, PAGE>,
    operation: Operation,
    polls: &mut u64,
) -> bool {
    let result = poll(polls, pin!(apply(cache, &operation)));
    match result {
        Some(Err(FlashError::Core(Error::Full))) if !model.evicts => true,
        Some(Err(error)) => panic!("{error}"),
        Some(Ok(seen)) => {
            if let Operation::Get(key) = &operation {
                model.see(key, seen.as_deref());
            }
            model.note(operation, true);
            true
        }
        None => {
            model.note(operation, false);
            false
        }
    }
}

fn check<const WORD: usize, const PAGE: usize>(
    model: &mut Model,
    cache: &mut Cache<'_, WORD, PAGE>,
) {
    for number in 0..KEYS {
        let key = key(number);
        let seen = run(cache.get(&key)).unwrap();
        model.see(&key, seen.as_deref());
    }
}

fn check_after_a_reset<const WORD: usize, const PAGE: usize>(
    model: &mut Model,
    chip: &mut Nor<WORD, PAGE>,
    options: FlashOptions,
) {
    let mut cache = FlashCache::<_, Bytes<64>, 8>::open(chip, options).unwrap();
    for number in 0..KEYS {
        let key = key(number);
        model.see(&key, cache.get(&key).unwrap().as_deref());
    }
}

fn new_model(evicts: bool) -> Model {
    Model {
        evicts,
        ..Model::default()
    }
}

/// Drops the last operation of a schedule after each number of polls. Returns the number of drops.
fn drop_at_each_await<const WORD: usize, const PAGE: usize>(
    pages: usize,
    seed: u64,
    options: &FlashOptions,
    evicts: bool,
) -> u64 {
    for polls in 0.. {
        let mut random = Random::new(seed);
        let mut chip = Nor::<WORD, PAGE>::new(pages, seed + polls);
        chip.corrects = polls % 2 == 0;
        let mut model = new_model(evicts);
        let mut cache = run(Cache::open(Slow(&mut chip), options.clone())).unwrap();
        let forever = &mut u64::MAX.clone();
        for _ in 0..random.below(30) {
            let operation = Operation::random(&mut random);
            step(&mut model, &mut cache, operation, forever);
        }
        let dropped = Operation::random(&mut random);
        let done = step(&mut model, &mut cache, dropped, &mut polls.clone());
        // Half of the worlds look at all entries before they go on.
        if polls % 4 < 2 {
            check(&mut model, &mut cache);
        }
        for _ in 0..6 {
            let operation = Operation::random(&mut random);
            step(&mut model, &mut cache, operation, forever);
        }
        check(&mut model, &mut cache);
        check_after_a_reset(&mut model, &mut chip, options.clone());
        if done {
            return polls;
        }
    }
    unreachable!("no operation has that many polls")
}

#[test]
fn operation_may_be_dropped_at_each_await() {
    let mut drops = 0;
    for seed in 0..5 {
        drops += drop_at_each_await::<1, 256>(2, seed, &FlashOptions::new(), true);
        let keep_all = FlashOptions::new().keep_all();
        drops += drop_at_each_await::<4, 512>(3, seed, &keep_all, false);
        let wiping = FlashOptions::new().wipe_removed();
        drops += drop_at_each_await::<8, 256>(3, seed, &wiping, true);
    }
    println!("{drops} drops");
    assert!(drops > 500, "{drops} drops");
}

#[test]
fn cache_goes_on_after_many_dropped_operations() {
    fn go<const WORD: usize, const PAGE: usize>(
        pages: usize,
        options: &FlashOptions,
        evicts: bool,
    ) {
        let mut random = Random::new(11);
        let mut chip = Nor::<WORD, PAGE>::new(pages, 12);
        let mut model = new_model(evicts);
        for _ in 0..8 {
            let mut cache = run(Cache::open(Slow(&mut chip), options.clone())).unwrap();
            for _ in 0..40 {
                let operation = Operation::random(&mut random);
                let polls = [20, 100, 1000, u64::MAX][random.below(4) as usize];
                step(&mut model, &mut cache, operation, &mut polls.clone());
                let key = key(random.below(KEYS));
                let get = Operation::Get(key);
                step(&mut model, &mut cache, get, &mut u64::MAX.clone());
            }
            check_after_a_reset(&mut model, &mut chip, options.clone());
        }
    }
    go::<4, 256>(3, &FlashOptions::new(), true);
    go::<4, 512>(2, &FlashOptions::new().keep_all(), false);
    go::<32, 512>(4, &FlashOptions::new().keep_all().wipe_removed(), false);
}
