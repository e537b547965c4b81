//! Settings that outlive resets: sealed, in the flash of the chip, behind a store in RAM that refuses
//! a setting when it is full.
//!
//! `cargo settings` boots it. The log shows a write, a setting too many, a reset, the value again, a
//! write that lost its power, a value that an attacker changed, and a change of the key.
#![no_std]
#![no_main]

use core::cell::RefCell;
use ctu_core::{
    Bytes, Error, FlashCache, FlashError, FlashOptions, KeyRing, SealedCache, SmallFixedCache,
    StoredKey as _, prelude::*,
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

/// Up to 16 settings of at most 64 bytes, and 45 for the seal.
type Flash = RefCell<FlashCache<Nvmc, Bytes<112>, 16>>;

fn open(nvmc: Nvmc) -> Result<Flash, FlashError> {
    let flash = FlashCache::open(nvmc, FlashOptions::new().schema(1).keep_all())?;
    Ok(RefCell::new(flash))
}

/// The names of the settings.
const NAMES: [&[u8]; 4] = [b"resets", b"wifi/ssid", b"wifi/psk", b"timezone"];

/// Every setting in RAM, for reads without the flash, and sealed in flash.
///
/// A store that evicts would lose a setting where there is one too many. This one refuses it, and the
/// flash stays as it is.
struct Settings<'a> {
    ram: RefCell<SmallFixedCache<Bytes<16>, Bytes<112>, { NAMES.len() }>>,
    flash: SealedCache<&'a Flash>,
}

impl<'a> Settings<'a> {
    /// Reads all settings from flash.
    fn load(flash: &'a Flash, secret: &[u8]) -> Result<Self, FlashError> {
        let flash = SealedCache::new(flash, secret)?;
        let ram = RefCell::new(SmallFixedCache::new());
        for name in NAMES {
            if let Some(value) = flash.get(name)? {
                ram.insert_entry(name, value, None)?;
            }
        }
        Ok(Self { ram, flash })
    }

    fn get(&self, name: &[u8]) -> Result<Option<Bytes<112>>, Error> {
        self.ram.get(name)
    }

    /// Keeps a setting in flash and in RAM, or refuses it in both.
    fn set(&self, name: &[u8], value: &[u8]) -> Result<(), FlashError> {
        if self.ram.borrow().is_full() && !self.ram.contains(name)? {
            return Err(Error::Full.into());
        }
        // A name that is too long for RAM does not reach the flash.
        Bytes::<16>::store(name)?;
        self.flash.insert(name, value)?;
        Ok(self.ram.insert(name, value)?)
    }
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
    let settings = Settings::load(&flash, &secret)?;
    // The number of resets is a setting like others.
    let resets = settings.get(b"resets")?.map_or(0, |count| count.len());
    settings.set(b"resets", &[0; 8][..resets + 1])?;
    match resets {
        0 => {
            settings.set(b"wifi/ssid", b"greenhouse")?;
            settings.set(b"wifi/psk", b"correct horse")?;
            settings.set(b"timezone", b"UTC")?;
            log("wrote", settings.get(b"wifi/psk")?);
            match settings.set(b"wifi/ssid2", b"shed") {
                Err(FlashError::Core(Error::Full)) => log(
                    "a setting too many is refused, wifi/psk is still",
                    settings.get(b"wifi/psk")?,
                ),
                other => defmt::error!("a setting too many: {}", other),
            }
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
