//! Settings that outlive resets: sealed, in the flash of the chip, behind a store in RAM.
//!
//! `cargo settings` boots it. The log shows a write, a reset, the value again, a
//! write that lost its power, a value that an attacker changed, and a change of the key.
#![no_std]
#![no_main]

use core::cell::RefCell;
use ctu_core::{
    Bytes, FlashCache, FlashError, FlashOptions, FrontCache, KeyRing, SealedCache, prelude::*,
};
#[cfg(rtt)]
use defmt_rtt as _;
#[cfg(not(rtt))]
use defmt_semihosting as _;
use nvmc::Nvmc;
use portable_atomic as _;

#[path = "../nvmc.rs"]
mod nvmc;

/// Two pages behind the program.
const START: u32 = 0x3_F000;
const LEN: u32 = 2 * 1024;

/// Up to 16 settings of at most 64 bytes, and 45 for the seal. The store in RAM keeps 4 of them.
type Flash = RefCell<FlashCache<Nvmc, Bytes<112>, 16>>;

fn open(nvmc: Nvmc) -> Result<Flash, FlashError> {
    let flash = FlashCache::open(nvmc, FlashOptions::new().schema(1).keep_all())?;
    Ok(RefCell::new(flash))
}

/// In a product: from fuses, or a secure element. Here: the serial number of the emulated chip, which
/// anyone can read.
fn device_secret() -> [u8; 32] {
    let mut secret = [0; 32];
    for (part, at) in secret.chunks_exact_mut(4).zip((0x1000_0060..).step_by(4)) {
        // The factory information of the chip, which is mapped and read-only.
        let word = unsafe { (at as *const u32).read_volatile() };
        part.copy_from_slice(&word.to_le_bytes());
    }
    secret
}

fn main_program() -> Result<(), FlashError> {
    let secret = device_secret();
    let flash = open(Nvmc::new(START, LEN))?;
    let sealed = SealedCache::new(&flash, &secret)?;
    let settings = FrontCache::<_, Bytes<16>, _, 4>::write_through(&sealed);
    // The number of resets is a setting like others.
    let resets = settings.get(b"resets")?.map_or(0, |count| count.len());
    settings.insert(b"resets", &[0; 8][..resets + 1])?;
    match resets {
        0 => {
            settings.insert(b"wifi/psk", b"correct horse")?;
            log("wrote", settings.get(b"wifi/psk")?);
            defmt::info!("reset");
            cortex_m::peripheral::SCB::sys_reset()
        }
        1 => {
            log("after the reset, wifi/psk is", settings.get(b"wifi/psk")?);
            defmt::info!("writing another value; power fails after 5 words of it");
            let mut nvmc = Nvmc::new(START, LEN);
            nvmc.cut_after(5);
            let flash = open(nvmc)?;
            SealedCache::new(&flash, &secret)?.insert(b"wifi/psk", b"torn")
        }
        _ => {
            log(
                "after the power cut, wifi/psk is",
                settings.get(b"wifi/psk")?,
            );
            defmt::info!("torn records found: {=usize}", flash.borrow().damaged());
            tampered(&flash, &secret)?;
            rotated(&flash, &secret)
        }
    }
}

/// An attacker changes a bit of each value, and corrects the checksums.
fn tampered(flash: &Flash, secret: &[u8]) -> Result<(), FlashError> {
    let mut changed = [const { None }; 4];
    let mut free = changed.iter_mut();
    flash.borrow_mut().for_each(|name, mut value, _| {
        if let (Some(free), Some(byte)) = (free.next(), value.first_mut()) {
            *byte ^= 1;
            *free = Bytes::<16>::try_from(name).ok().zip(Some(value));
        }
    })?;
    for (name, value) in changed.iter().flatten() {
        flash.borrow_mut().insert(name, value)?;
    }
    let sealed = SealedCache::new(flash, secret)?;
    match sealed.get(b"wifi/psk")? {
        None => defmt::info!(
            "tampered value refused, {=usize} rejected",
            sealed.rejected()
        ),
        found => log("a tampered value was believed:", found),
    }
    sealed.insert(b"wifi/psk", b"correct horse")
}

/// Key 1 takes the place of key 0.
fn rotated(flash: &Flash, secret: &[u8]) -> Result<(), FlashError> {
    let mut keys = KeyRing::new(secret)?;
    keys.add(1, secret)?;
    keys.write_with(1)?;
    let sealed = SealedCache::with_keys(flash, &keys);
    if let Some(value) = sealed.get(b"wifi/psk")? {
        sealed.insert_entry(b"wifi/psk", value, None)?;
    }
    keys.retire(0)?;
    let sealed = SealedCache::with_keys(flash, &keys);
    log("with key 1 alone, wifi/psk is", sealed.get(b"wifi/psk")?);
    flash.borrow_mut().wipe()?;
    defmt::info!(
        "old bytes wiped, {=u32} erases so far; done",
        flash.borrow().erases()
    );
    Ok(())
}

fn log(text: &str, value: Option<Bytes<112>>) {
    defmt::info!("{=str} {=[u8]:a}", text, &value.unwrap_or_default());
}

#[cortex_m_rt::entry]
fn main() -> ! {
    if let Err(error) = main_program() {
        defmt::error!("{}", error);
        semihosting::process::exit(1)
    }
    semihosting::process::exit(0)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    semihosting::process::exit(101)
}
