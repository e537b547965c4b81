//! A NOR flash with the rules of real ones: erase sets all bits, a write clears bits, a word is
//! written once, and a power cut leaves words undefined.

use ctu_core::FlashError;
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// Pseudo-random numbers: the same for the same seed.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Word {
    Erased,
    Written,
    /// Power was cut while it was erased or written.
    Undefined,
}

/// A chip with words of `WORD` bytes and pages of `PAGE` bytes. Fresh from the factory: zeros.
#[derive(Clone)]
pub(crate) struct Nor<const WORD: usize, const PAGE: usize> {
    pub(crate) bytes: Vec<u8>,
    words: Vec<Word>,
    /// The number of erases of each page.
    pub(crate) erases: Vec<u32>,
    /// The number of words written.
    pub(crate) written: u64,
    /// The words until power is cut: a write takes one a word, an erase one a word of the page.
    fuse: Option<u64>,
    /// Reads of undefined words fail, as with an error correcting code.
    pub(crate) corrects: bool,
    /// Worn pages: their words do not accept a write.
    pub(crate) worn: Vec<bool>,
    random: Random,
}

impl<const WORD: usize, const PAGE: usize> Nor<WORD, PAGE> {
    pub(crate) fn new(pages: usize, seed: u64) -> Self {
        Self {
            bytes: vec![0; pages * PAGE],
            words: vec![Word::Written; pages * PAGE / WORD],
            erases: vec![0; pages],
            written: 0,
            fuse: None,
            corrects: false,
            worn: vec![false; pages],
            random: Random::new(seed),
        }
    }

    /// Cuts the power after `words` words.
    pub(crate) fn cut_after(&mut self, words: u64) {
        self.fuse = Some(words);
    }

    /// Whether power was cut.
    pub(crate) fn is_off(&self) -> bool {
        self.fuse == Some(0)
    }

    /// Restores power.
    pub(crate) fn power_on(&mut self) {
        self.fuse = None;
    }

    fn check_power(&self) -> Result<(), NorFlashErrorKind> {
        match self.is_off() {
            true => Err(NorFlashErrorKind::Other),
            false => Ok(()),
        }
    }

    /// Whether power lasts for one more word.
    fn lasts(&mut self) -> bool {
        match &mut self.fuse {
            None => true,
            Some(words) => {
                *words = words.saturating_sub(1);
                *words > 0
            }
        }
    }

    /// Leaves a word as a cut leaves it, on the way to `target`.
    fn tear(&mut self, word: usize, target: &[u8]) {
        let style = self.random.below(5);
        for (i, target) in target.iter().enumerate() {
            let byte = &mut self.bytes[word * WORD + i];
            let random = self.random.next() as u8;
            *byte = match style {
                0 => *byte,           // reads as before
                1 => *byte & *target, // reads as written
                2 => random,
                _ => *byte & (*target | random),
            };
        }
        self.words[word] = Word::Undefined;
    }

    /// Restores an image of the chip.
    pub(crate) fn restore(&mut self, image: &Self) {
        self.bytes.clone_from(&image.bytes);
        self.words.clone_from(&image.words);
    }
}

impl<const WORD: usize, const PAGE: usize> ErrorType for Nor<WORD, PAGE> {
    type Error = NorFlashErrorKind;
}

impl<const WORD: usize, const PAGE: usize> ReadNorFlash for Nor<WORD, PAGE> {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        self.check_power()?;
        let offset = offset as usize;
        let words = offset / WORD..(offset + bytes.len()) / WORD;
        if self.corrects && self.words[words].contains(&Word::Undefined) {
            return Err(NorFlashErrorKind::Other);
        }
        bytes.copy_from_slice(&self.bytes[offset..offset + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const WORD: usize, const PAGE: usize> NorFlash for Nor<WORD, PAGE> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.check_power()?;
        for _ in from as usize / WORD..to as usize / WORD {
            if !self.lasts() {
                // Any part of the page is erased, the other as it was or undefined.
                for word in from as usize / WORD..to as usize / WORD {
                    match self.random.below(3) {
                        0 => {}
                        1 => self.bytes[word * WORD..][..WORD].fill(0xFF),
                        _ => self.bytes[word * WORD..][..WORD].fill(self.random.next() as u8),
                    }
                    self.words[word] = Word::Undefined;
                }
                return Err(NorFlashErrorKind::Other);
            }
        }
        self.bytes[from as usize..to as usize].fill(0xFF);
        self.words[from as usize / WORD..to as usize / WORD].fill(Word::Erased);
        for page in from as usize / PAGE..to as usize / PAGE {
            self.erases[page] += 1;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        self.check_power()?;
        let first = offset as usize / WORD;
        for i in 0..bytes.len() / WORD {
            let word = &self.bytes[(first + i) * WORD..][..WORD];
            match self.words[first + i] {
                Word::Erased => {}
                // Nothing shows that a write to this word was cut.
                Word::Undefined if word.iter().all(|byte| *byte == 0xFF) => {
                    if self.corrects {
                        return Err(NorFlashErrorKind::Other);
                    }
                }
                state => panic!("a word is {state:?} and not erased before a write"),
            }
        }
        for (i, word) in bytes.chunks(WORD).enumerate() {
            if !self.lasts() {
                // The driver writes word by word, or hands all words to the chip at once.
                let at_once = self.random.below(2) == 0;
                self.tear(first + i, word);
                for (j, word) in bytes.chunks(WORD).enumerate() {
                    if at_once && i != j && self.random.below(2) == 0 {
                        if j < i {
                            self.bytes[(first + j) * WORD..][..WORD].fill(0xFF);
                        }
                        self.tear(first + j, word);
                    }
                }
                return Err(NorFlashErrorKind::Other);
            }
            self.written += 1;
            let undefined = self.words[first + i] == Word::Undefined;
            self.words[first + i] = Word::Written;
            if !self.worn[(first + i) * WORD / PAGE] {
                self.bytes[(first + i) * WORD..][..WORD].copy_from_slice(word);
            }
            if undefined && self.random.below(2) == 0 {
                self.bytes[(first + i) * WORD] &= self.random.next() as u8;
            }
        }
        Ok(())
    }
}

/// The error of a chip without power.
pub(crate) const OFF: FlashError = FlashError::Flash(NorFlashErrorKind::Other);
