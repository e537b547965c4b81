//! Power cuts at every word: an entry has its last value, or the value of the write that was cut.

use crate::{
    model::{KEYS, Model, Operation, key},
    nor::{Nor, OFF, Random},
};
use ctu_core::{Bytes, FlashCache, FlashOptions};

type Cache<'f, const WORD: usize, const PAGE: usize> =
    FlashCache<&'f mut Nor<WORD, PAGE>, Bytes<64>, 8>;

impl Model {
    /// Runs `operation`. Returns whether it was done before power was cut.
    fn run<const WORD: usize, const PAGE: usize>(
        &mut self,
        cache: &mut Cache<'_, WORD, PAGE>,
        operation: Operation,
    ) -> bool {
        let result = match &operation {
            Operation::Insert(key, value) => cache.insert(key, value),
            Operation::Remove(key) => cache.remove(key).map(drop),
            Operation::Clear => cache.clear(),
            Operation::Retain(number) => cache.retain(&mut |key| key[4] != *number),
            Operation::Wipe => cache.wipe(),
            Operation::Get(key) => match cache.get(key) {
                Ok(value) => {
                    self.see(key, value.as_deref());
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        let done = match result {
            Ok(()) => true,
            Err(ctu_core::FlashError::Core(ctu_core::Error::Full)) if !self.evicts => return true,
            Err(error) => {
                assert_eq!(error, OFF);
                false
            }
        };
        self.note(operation, done);
        done
    }

    fn check<const WORD: usize, const PAGE: usize>(&mut self, cache: &mut Cache<'_, WORD, PAGE>) {
        for number in 0..KEYS {
            let key = key(number);
            let seen = cache.get(&key).expect("power is on");
            self.see(&key, seen.as_deref());
        }
    }
}

/// Cuts the power `cuts` times, at random words of random schedules.
fn cut<const WORD: usize, const PAGE: usize>(
    pages: usize,
    seed: u64,
    cuts: u32,
    options: FlashOptions,
    evicts: bool,
) {
    let mut random = Random::new(seed);
    let mut chip = Nor::<WORD, PAGE>::new(pages, seed);
    let mut model = Model {
        evicts,
        ..Model::default()
    };
    for cut in 0..cuts {
        // From time to time a chip with another history.
        if cut % 500 == 0 {
            chip = Nor::new(pages, random.next());
            chip.corrects = random.below(2) == 0;
            model.values.clear();
        }
        let most = [8, 8, 8, 30, 30, 200][random.below(6) as usize] * 32 / WORD as u64;
        chip.cut_after(1 + random.below(most));
        let mut cache = Cache::open(&mut chip, options.clone()).expect("no write");
        while model.run(&mut cache, Operation::random(&mut random)) {}
        chip.power_on();
        let mut cache = Cache::open(&mut chip, options.clone()).expect("power is on");
        model.check(&mut cache);
    }
}

/// Cuts the power at each word of one schedule.
fn cut_at_each_word<const WORD: usize, const PAGE: usize>(pages: usize, options: FlashOptions) {
    let schedule = |random: &mut Random| Operation::random(random);
    for word in 1.. {
        let mut random = Random::new(7);
        let mut chip = Nor::<WORD, PAGE>::new(pages, word);
        let mut model = Model::default();
        chip.cut_after(word);
        let mut cache = Cache::open(&mut chip, options.clone()).expect("no write");
        let done = (0..60).all(|_| model.run(&mut cache, schedule(&mut random)));
        chip.power_on();
        let mut cache = Cache::open(&mut chip, options.clone()).expect("power is on");
        model.check(&mut cache);
        // The log goes on.
        let mut more = Random::new(word);
        assert!((0..8).all(|_| model.run(&mut cache, schedule(&mut more))));
        model.check(&mut cache);
        if done {
            assert!(word > 500, "the schedule has {word} words");
            break;
        }
    }
}

#[test]
fn settings_survive_a_cut_at_each_word() {
    cut_at_each_word::<1, 256>(2, FlashOptions::new().keep_all());
    cut_at_each_word::<4, 256>(3, FlashOptions::new().keep_all());
    cut_at_each_word::<4, 256>(2, FlashOptions::new().keep_all().wipe_removed());
}

/// The number of cuts of one test: 100,000 in all. More by the variable `CTU_CUTS`, of each.
fn cuts() -> u32 {
    match std::env::var("CTU_CUTS") {
        Ok(cuts) => cuts.parse().expect("CTU_CUTS is a number"),
        Err(_) => 100_000 / 12 + 1,
    }
}

macro_rules! cuts {
    ($($name:ident: $word:literal, $page:literal, $pages:literal;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn evicting_cache_survives_power_cuts() {
                cut::<$word, $page>($pages, $word, cuts(), FlashOptions::new(), true);
            }

            #[test]
            fn settings_survive_power_cuts() {
                cut::<$word, $page>($pages, 100 + $word, cuts(), FlashOptions::new().keep_all(), false);
            }
        }
    )+};
}

cuts! {
    words_of_1_byte_in_2_pages: 1, 512, 2;
    words_of_2_bytes_in_3_pages: 2, 256, 3;
    words_of_4_bytes_in_2_pages: 4, 512, 2;
    words_of_8_bytes_in_5_pages: 8, 256, 5;
    words_of_16_bytes_in_2_pages: 16, 1024, 2;
    words_of_32_bytes_in_4_pages: 32, 512, 4;
}
