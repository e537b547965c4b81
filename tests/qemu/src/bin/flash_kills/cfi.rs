//! The flash of QEMU's machine `virt` for RISC-V: two chips of 16 bits side by side, with the commands
//! of Intel (CFI 01).

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// The second unit, which no code is in.
const BASE: u32 = 0x2200_0000;
const BLOCK: u32 = 256 * 1024;

/// A command for both chips.
const fn both(command: u32) -> u32 {
    command << 16 | command
}

const ERASE: u32 = both(0x20);
const CONFIRM: u32 = both(0xD0);
/// Words into the buffer of the chips, which then program them at once.
const BUFFER: u32 = both(0xE8);
/// The words that a buffer takes.
const BUFFER_WORDS: usize = 32;
const READ: u32 = both(0xFF);
const READY: u32 = both(0x80);

pub struct Cfi {
    len: u32,
}

impl Cfi {
    /// The first `blocks` blocks. The program has one such object.
    pub const fn new(blocks: u32) -> Self {
        Self {
            len: blocks * BLOCK,
        }
    }

    fn at(offset: u32) -> *mut u32 {
        (BASE + offset) as *mut u32
    }

    /// Writes a command or a word to the place `offset`, which is in this object.
    fn put(offset: u32, word: u32) {
        // Registers of the flash, which no other code uses. The program runs from RAM.
        unsafe { Self::at(offset).write_volatile(word) };
    }

    /// Waits for the end of a command at the place `offset`.
    fn wait(offset: u32) {
        // As in `put`.
        while unsafe { Self::at(offset).read_volatile() } & READY != READY {}
    }
}

impl ErrorType for Cfi {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Cfi {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        for (at, byte) in (BASE + offset..).zip(bytes) {
            // Inside the flash, which is mapped.
            *byte = unsafe { (at as *const u8).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.len as usize
    }
}

impl NorFlash for Cfi {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = BLOCK as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        for block in (from..to).step_by(Self::ERASE_SIZE) {
            Self::put(block, ERASE);
            Self::put(block, CONFIRM);
            Self::wait(block);
            Self::put(block, READ);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        let mut left = bytes.as_chunks().0;
        let mut start = offset;
        while !left.is_empty() {
            // Not over the end of an aligned buffer.
            let room = BUFFER_WORDS - (start as usize / Self::WRITE_SIZE) % BUFFER_WORDS;
            let (words, rest) = left.split_at(room.min(left.len()));
            Self::put(start, BUFFER);
            Self::wait(start);
            Self::put(start, both(words.len() as u32 - 1));
            let mut at = start;
            for word in words {
                Self::put(at, u32::from_le_bytes(*word));
                at += Self::WRITE_SIZE as u32;
            }
            Self::put(start, CONFIRM);
            Self::wait(start);
            Self::put(start, READ);
            (left, start) = (rest, at);
        }
        Ok(())
    }
}
