//! `FlashCache` in a flash that outlives QEMU, which is killed at random moments.
//!
//! Each run opens the cache, logs its entries, and then logs each write before it and after it
//! returned, without end. `run kills` compares the entries of a run with the writes of the runs
//! before.
#![no_std]
#![no_main]

mod cfi;

use cfi::Cfi;
use ctu_core::{Bytes, FlashCache, FlashError, FlashOptions};
use ctu_qemu::exit;

const KEYS: u32 = 7;

/// Two blocks take 80 large values, so that blocks are erased often.
const BLOCKS: u32 = 2;
const LARGE: usize = 6 * 1024;

type Values = FlashCache<Cfi, Bytes<LARGE>, 8>;

#[ctu_qemu::entry]
fn main() -> ! {
    if let Err(error) = run() {
        defmt::error!("FAILED: {}", error);
    }
    exit(1)
}

fn run() -> Result<(), FlashError> {
    let options = FlashOptions::new().keep_all();
    let mut cache = Values::open(Cfi::new(BLOCKS), options)?;
    let mut last = 0;
    cache.for_each(|key, value, _| {
        let number = number_of(&value);
        defmt::info!("holds {=u8} {=u32}", key[0], number);
        last = last.max(number);
    })?;
    defmt::info!(
        "opened, {=usize} damaged, {=u32} erases",
        cache.damaged(),
        cache.erases()
    );
    loop {
        // Values have numbers of their own, also where the last writes were lost.
        last += KEYS + 1;
        for number in last..last + 3 {
            let key = number % KEYS;
            let value = value_of(number);
            defmt::info!("begin {=u32} {=u32}", key, number);
            cache.insert(&[key as u8], &value)?;
            defmt::info!("end {=u32} {=u32}", key, number);
        }
        let key = (last / 3) % KEYS;
        defmt::info!("begin {=u32} 0", key);
        cache.remove(&[key as u8])?;
        defmt::info!("end {=u32} 0", key);
    }
}

/// The value number `number`, each third of which is large.
fn value_of(number: u32) -> Bytes<LARGE> {
    let bytes = number.to_le_bytes();
    let len = if number.is_multiple_of(3) { LARGE } else { 8 };
    let mut value = Bytes::new();
    while value.len() < len && value.extend_from_slice(&bytes).is_ok() {}
    value
}

/// The number of a value; 1, the number of no value, where a byte is another one.
fn number_of(value: &Bytes<LARGE>) -> u32 {
    let number = value
        .first_chunk()
        .map_or(1, |first| u32::from_le_bytes(*first));
    if *value == value_of(number) {
        number
    } else {
        1
    }
}
