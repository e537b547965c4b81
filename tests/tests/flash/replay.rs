//! Old images of the chip, put back.

use crate::nor::Nor;
use ctu_core::{
    Bytes, Error, FlashCache, FlashError, FlashOptions, MonotonicCounter, SealedCache, SoftCounter,
    prelude::*,
};
use std::cell::RefCell;

type Chip = Nor<4, 512>;
type Sealed<'f> = SealedCache<RefCell<FlashCache<&'f mut Chip, Bytes<112>, 8>>>;

fn open(chip: &mut Chip) -> Sealed<'_> {
    let flash = FlashCache::open(chip, FlashOptions::new().keep_all()).unwrap();
    SealedCache::new(RefCell::new(flash), b"sixteen bytes or more").unwrap()
}

/// A counter that can fail to step, as after a power cut.
struct Counter(SoftCounter, bool);

impl MonotonicCounter for Counter {
    type Error = FlashError;

    fn value(&mut self) -> Result<u32, FlashError> {
        Ok(self.0.value()?)
    }

    fn step(&mut self) -> Result<u32, FlashError> {
        match self.1 {
            true => Ok(self.0.step()?),
            false => Err(Error::Busy.into()),
        }
    }
}

#[test]
fn old_image_put_back_is_an_empty_cache() {
    let mut chip = Chip::new(2, 0);
    let mut counter = SoftCounter::default();
    assert!(!open(&mut chip).begin_boot(&mut counter).unwrap());
    open(&mut chip).insert(b"pin", b"1234").unwrap();
    let image = chip.clone();
    // The next boot keeps the entries.
    let cache = open(&mut chip);
    assert!(cache.begin_boot(&mut counter).unwrap());
    assert_eq!(cache.get(b"pin").unwrap().as_deref(), Some(&b"1234"[..]));
    cache.insert(b"pin", b"9876").unwrap();
    // The image is one boot old.
    chip.restore(&image);
    let cache = open(&mut chip);
    assert!(!cache.begin_boot(&mut counter).unwrap());
    assert_eq!(cache.get(b"pin").unwrap(), None);
    cache.insert(b"pin", b"5555").unwrap();
    let cache = open(&mut chip);
    assert!(cache.begin_boot(&mut counter).unwrap());
    assert_eq!(cache.get(b"pin").unwrap().as_deref(), Some(&b"5555"[..]));
}

#[test]
fn boot_that_was_cut_before_the_step_goes_on() {
    let mut chip = Chip::new(2, 0);
    let mut counter = Counter(SoftCounter::default(), true);
    open(&mut chip).begin_boot(&mut counter).unwrap();
    open(&mut chip).insert(b"pin", b"1234").unwrap();
    counter.1 = false;
    for _ in 0..3 {
        let refused = open(&mut chip).begin_boot(&mut counter);
        assert_eq!(refused, Err(FlashError::Core(Error::Busy)));
    }
    counter.1 = true;
    let cache = open(&mut chip);
    assert!(cache.begin_boot(&mut counter).unwrap());
    assert_eq!(cache.get(b"pin").unwrap().as_deref(), Some(&b"1234"[..]));
}

#[test]
fn boot_survives_a_cut_at_each_word() {
    let mut fresh = Chip::new(2, 0);
    let mut start = SoftCounter::default();
    open(&mut fresh).begin_boot(&mut start).unwrap();
    open(&mut fresh).insert(b"pin", b"1234").unwrap();
    for word in 1..100 {
        let mut chip = fresh.clone();
        let mut counter = start.clone();
        chip.cut_after(word);
        let done = open(&mut chip).begin_boot(&mut counter).is_ok();
        chip.power_on();
        let cache = open(&mut chip);
        assert!(cache.begin_boot(&mut counter).unwrap());
        assert_eq!(cache.get(b"pin").unwrap().as_deref(), Some(&b"1234"[..]));
        if done {
            assert!(word > 10);
            return;
        }
    }
    panic!("a boot writes one record");
}

#[test]
fn counter_at_its_end_is_an_error() {
    let mut chip = Chip::new(2, 0);
    let end = Error::Seal(ctu_core::SealError::CounterAtEnd);
    let refused = open(&mut chip).begin_boot(&mut SoftCounter::at(u32::MAX));
    assert_eq!(refused, Err(FlashError::Core(end)));
}
