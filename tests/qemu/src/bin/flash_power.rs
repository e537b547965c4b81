//! `FlashCache` in the flash of an nRF51 while power fails: a reset after k words, for every k.
//!
//! RAM keeps its content over the reset, so one run of QEMU goes through all of them. For each k the
//! firmware erases the pages, runs a schedule until the reset, opens the cache again and compares it
//! with the schedule.
#![no_std]
#![no_main]

use core::cell::RefCell;
use core::mem::MaybeUninit;
use ctu_core::{Bytes, FlashCache, FlashError, FlashOptions, prelude::*};
use ctu_qemu::exit;
use embedded_storage::nor_flash::NorFlash;
use nvmc::Nvmc;

#[path = "../../../../ctu-embedded-example/src/nvmc.rs"]
mod nvmc;

/// Three pages behind the image.
const START: u32 = 0x3_D000;
const LEN: u32 = 3 * 1024;

const OPERATIONS: u32 = 150;
const KEYS: u32 = 5;

/// The state that outlives a reset.
#[derive(Clone, Copy)]
#[repr(C)]
struct State {
    magic: u32,
    /// The words until the reset.
    words: u32,
    /// The number of operations that returned.
    done: u32,
}

#[unsafe(link_section = ".uninit.STATE")]
static mut STATE: MaybeUninit<State> = MaybeUninit::uninit();

const MAGIC: u32 = 0xF1A5_4CA5;

/// The state, if there is one.
fn load() -> Option<State> {
    // One core, no interrupts. Every content of the RAM is a state; the magic number tells a real one.
    let state = unsafe { (&raw const STATE).read_volatile().assume_init() };
    (state.magic == MAGIC).then_some(state)
}

fn save(state: State) {
    // As in `load`.
    unsafe { (&raw mut STATE).write_volatile(MaybeUninit::new(state)) };
}

type Settings = RefCell<FlashCache<Nvmc, Bytes<16>, 8>>;

fn open(nvmc: Nvmc) -> Result<Settings, FlashError> {
    let cache = FlashCache::open(nvmc, FlashOptions::new().keep_all())?;
    Ok(RefCell::new(cache))
}

/// The key of an operation, and its value; `None` for a removal.
fn operation(number: u32) -> (u8, Option<[u8; 8]>) {
    let key = (number * 7 % KEYS) as u8;
    let value = u64::from(number) * 0x0101_0101_0101;
    (key, (number % 6 != 5).then(|| value.to_le_bytes()))
}

/// The value of `key` after `done` operations.
fn expected(key: u8, done: u32) -> Option<[u8; 8]> {
    let last = (0..done).rev().map(operation).find(|of| of.0 == key);
    last.and_then(|of| of.1)
}

/// Compares the cache with the schedule, whose next operation may be done or not.
fn check(cache: &Settings, done: u32) -> Result<(), FlashError> {
    for key in 0..KEYS as u8 {
        let found = cache.get(&[key])?;
        let is = |value: Option<[u8; 8]>| found.as_deref() == value.as_ref().map(|v| &v[..]);
        assert!(
            is(expected(key, done)) || is(expected(key, done + 1)),
            "key {key} after {done} operations"
        );
    }
    Ok(())
}

/// Runs the schedule with a reset after some words. Returns where it comes to its end before.
fn run(mut state: State) -> Result<(), FlashError> {
    let mut nvmc = Nvmc::new(START, LEN);
    assert!(nvmc.erase(0, LEN).is_ok());
    nvmc.cut_after(state.words);
    let cache = open(nvmc)?;
    for number in 0..OPERATIONS {
        state.done = number;
        save(state);
        match operation(number) {
            (key, Some(value)) => cache.insert(&[key], &value)?,
            (key, None) => drop(cache.remove(&[key])?),
        }
    }
    state.done = OPERATIONS;
    save(state);
    check(&cache, OPERATIONS)
}

#[ctu_qemu::entry]
fn main() -> ! {
    let done = match load() {
        None => {
            ctu_qemu::running("power fails after each word");
            run(State {
                magic: MAGIC,
                words: 0,
                done: 0,
            })
        }
        Some(state) => open(Nvmc::new(START, LEN)).and_then(|cache| {
            check(&cache, state.done)?;
            // The log goes on.
            cache.insert(b"next", b"value")?;
            assert!(cache.get(b"next")?.is_some());
            run(State {
                words: state.words + 1,
                ..state
            })
        }),
    };
    assert!(done.is_ok());
    let resets = load().map_or(0, |state| state.words);
    defmt::info!(
        "power failed {=u32} times in {=u32} operations",
        resets,
        OPERATIONS
    );
    assert!(resets > 1_000);
    defmt::info!("passed 1");
    exit(0)
}
