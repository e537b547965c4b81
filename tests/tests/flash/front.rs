//! A front in RAM: hits without the flash, writes behind it, their budget.

use crate::nor::Nor;
use ctu_core::{
    Bytes, Cache, Error, FlashCache, FlashOptions, FrontCache, ManualClock, SealedCache, prelude::*,
};
use std::{cell::RefCell, time::Duration};

type Chip = Nor<4, 512>;
type Flash<'f> = RefCell<FlashCache<&'f mut Chip, Bytes<112>, 16>>;
type Front<C, const N: usize> = FrontCache<C, Bytes<16>, Bytes<112>, N>;

fn open(chip: &mut Chip) -> Flash<'_> {
    RefCell::new(FlashCache::open(chip, FlashOptions::new().keep_all()).unwrap())
}

fn value<C: Cache<Key = [u8], Value = Bytes<112>>>(cache: &C, key: &[u8]) -> Option<Vec<u8>> {
    cache.get(key).unwrap().map(|value| value.to_vec())
}

#[test]
fn write_through_is_in_flash_at_once() {
    let mut chip = Chip::new(2, 0);
    let flash = open(&mut chip);
    let front = Front::<_, 2>::write_through(&flash);
    front.insert(b"key", b"value").unwrap();
    assert_eq!(value(&flash, b"key"), Some(b"value".to_vec()));
    assert_eq!(front.pending(), 0);
    // A hit needs no flash.
    let borrowed = flash.borrow_mut();
    assert_eq!(value(&front, b"key"), Some(b"value".to_vec()));
    assert_eq!(
        front.get(b"other"),
        Err(ctu_core::FlashError::Core(Error::Busy))
    );
    drop(borrowed);
    assert!(front.remove(b"key").unwrap());
    assert_eq!(value(&flash, b"key"), None);
    assert_eq!(value(&front, b"key"), None);
}

#[test]
fn one_pass_fills_the_front_at_a_start() {
    let mut chip = Chip::new(2, 0);
    let flash = open(&mut chip);
    for number in 0..6u8 {
        flash.insert(&[number], &[number; 4]).unwrap();
    }
    let front = Front::<_, 4>::write_through(&flash);
    let mut filled = 0;
    flash
        .borrow_mut()
        .for_each(|key, value, ttl| {
            filled += usize::from(ttl.is_none() && front.fill(key, value).unwrap());
        })
        .unwrap();
    assert_eq!(filled, 4);
    let borrowed = flash.borrow_mut();
    for number in 0..4u8 {
        assert_eq!(value(&front, &[number]), Some(vec![number; 4]));
    }
    drop(borrowed);
    assert_eq!(value(&front, &[5]), Some(vec![5; 4]));
    assert_eq!(front.len().unwrap(), 6);
}

#[test]
fn counter_written_2000_times_costs_at_most_a_tenth_of_the_erases() {
    let mut chip = Chip::new(2, 0);
    let flash = open(&mut chip);
    for count in 0..2000u32 {
        flash.insert(b"count", &count.to_le_bytes()).unwrap();
    }
    let through = flash.borrow().erases();
    let mut chip = Chip::new(2, 0);
    let flash = open(&mut chip);
    let clock = ManualClock::new();
    // A write every two seconds, and a budget of 1,440 writes a day: one a minute.
    let front = Front::<_, 1>::write_behind(&flash, 1440);
    let mut written = 0;
    for count in 0..2000u32 {
        front.insert(b"count", &count.to_le_bytes()).unwrap();
        clock.advance(Duration::from_secs(2));
        written += front.flush_if_due(&clock).unwrap();
    }
    assert_eq!(written, 4000 / 60);
    let behind = flash.borrow().erases();
    assert!(
        through > 80 && behind * 10 <= through,
        "{through}, {behind}"
    );
    assert_eq!(front.flush().unwrap(), 1);
    assert_eq!(
        value(&open(&mut chip), b"count"),
        Some(1999u32.to_le_bytes().to_vec())
    );
}

#[test]
fn value_that_leaves_a_full_front_is_written_first() {
    let mut chip = Chip::new(2, 0);
    let flash = open(&mut chip);
    let front = Front::<_, 2>::write_behind(&flash, 0);
    front.insert(b"1", b"one").unwrap();
    front.insert(b"2", b"two").unwrap();
    assert!(flash.is_empty().unwrap());
    assert_eq!((front.len().unwrap(), front.pending()), (2, 2));
    assert!(front.contains(b"1").unwrap());
    // The least recently used one leaves.
    assert_eq!(value(&front, b"1"), Some(b"one".to_vec()));
    front.insert(b"3", b"three").unwrap();
    assert_eq!(value(&flash, b"2"), Some(b"two".to_vec()));
    assert_eq!((flash.len().unwrap(), front.pending()), (1, 2));
    // A read that takes its place, too.
    assert_eq!(value(&front, b"2"), Some(b"two".to_vec()));
    assert_eq!(value(&flash, b"1"), Some(b"one".to_vec()));
    // Nothing is lost where the write is refused: the front keeps it.
    let borrowed = flash.borrow_mut();
    assert!(front.insert(b"4", b"four").is_err());
    drop(borrowed);
    assert_eq!(value(&front, b"3"), Some(b"three".to_vec()));
    assert_eq!(value(&front, b"4"), None);
}

#[test]
fn removal_is_in_flash_at_once() {
    let mut chip = Chip::new(2, 0);
    let flash = open(&mut chip);
    let front = Front::<_, 4>::write_behind(&flash, 0);
    flash.insert(b"key", b"old").unwrap();
    front.insert(b"key", b"new").unwrap();
    front.insert(b"pending", b"value").unwrap();
    assert!(front.remove(b"key").unwrap());
    assert!(front.remove(b"pending").unwrap());
    assert!(!front.remove(b"pending").unwrap());
    assert_eq!(value(&flash, b"key"), None);
    front.insert(b"a", b"1").unwrap();
    front.insert(b"b", b"2").unwrap();
    front.retain(&mut |key| key == b"b").unwrap();
    assert_eq!(value(&flash, b"b"), Some(b"2".to_vec()));
    assert_eq!(value(&front, b"a"), None);
    front.clear().unwrap();
    assert!(front.is_empty().unwrap());
    assert_eq!(value(&front, b"b"), None);
}

#[test]
fn key_that_does_not_fit_the_front_goes_around_it() {
    let mut chip = Chip::new(2, 0);
    let flash = open(&mut chip);
    let front = Front::<_, 4>::write_behind(&flash, 0);
    front.insert(&[7; 40], b"value").unwrap();
    assert_eq!(value(&flash, &[7; 40]), Some(b"value".to_vec()));
    assert_eq!(value(&front, &[7; 40]), Some(b"value".to_vec()));
    assert_eq!(front.pending(), 0);
}

#[test]
fn front_above_a_seal_reads_without_the_cipher() {
    let mut chip = Chip::new(2, 0);
    let flash = open(&mut chip);
    let sealed = SealedCache::new(&flash, b"sixteen bytes or more").unwrap();
    let front = Front::<_, 4>::write_behind(&sealed, 0);
    front.insert(b"psk", b"correct horse").unwrap();
    assert_eq!(front.flush().unwrap(), 1);
    assert_eq!(value(&sealed, b"psk"), Some(b"correct horse".to_vec()));
    let borrowed = flash.borrow_mut();
    assert_eq!(value(&front, b"psk"), Some(b"correct horse".to_vec()));
    drop(borrowed);
}
