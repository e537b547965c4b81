//! The flash inside an nRF51: a driver with the traits of `embedded-storage`.
//!
//! A product takes the driver of its HAL. This one can also cut the power, by a reset after some words.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

const READY: *const u32 = 0x4001_E400 as *const u32;
const CONFIG: *mut u32 = 0x4001_E504 as *mut u32;
const ERASE_PAGE: *mut u32 = 0x4001_E508 as *mut u32;

const READ_ONLY: u32 = 0;
const WRITE: u32 = 1;
const ERASE: u32 = 2;

/// A part of the flash that no code is in.
pub struct Nvmc {
    start: u32,
    len: u32,
    /// The words and pages until power is cut.
    fuse: Option<u32>,
}

impl Nvmc {
    /// The pages from the address `start` on. The program has one such object for a page at most.
    pub const fn new(start: u32, len: u32) -> Self {
        Self {
            start,
            len,
            fuse: None,
        }
    }

    /// Cuts the power after `words` words and pages.
    #[allow(dead_code)] // Not every program does.
    pub fn cut_after(&mut self, words: u32) {
        self.fuse = Some(words);
    }

    fn burn(&mut self) {
        match &mut self.fuse {
            Some(0) => cortex_m::peripheral::SCB::sys_reset(),
            Some(words) => *words -= 1,
            None => {}
        }
    }

    fn configure(mode: u32) {
        // The register of the controller, which no other code uses.
        unsafe {
            while READY.read_volatile() & 1 == 0 {}
            CONFIG.write_volatile(mode);
        }
    }
}

impl ErrorType for Nvmc {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Nvmc {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        for (at, byte) in (self.start + offset..).zip(bytes) {
            // Inside the flash, which is mapped.
            *byte = unsafe { (at as *const u8).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.len as usize
    }
}

impl NorFlash for Nvmc {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        for page in (from..to).step_by(Self::ERASE_SIZE) {
            self.burn();
            Self::configure(ERASE);
            // A page of this object.
            unsafe { ERASE_PAGE.write_volatile(self.start + page) };
            Self::configure(READ_ONLY);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        for (at, word) in (self.start + offset..).step_by(4).zip(bytes.as_chunks().0) {
            self.burn();
            Self::configure(WRITE);
            // A word of a page of this object, aligned as checked.
            unsafe { (at as *mut u32).write_volatile(u32::from_le_bytes(*word)) };
            Self::configure(READ_ONLY);
        }
        Ok(())
    }
}
