//! Damaged, worn and foreign bytes are misses: no panic, no other value.

use crate::nor::{Nor, Random};
use ctu_core::{Bytes, FlashCache, FlashError, FlashOptions, KeyRing, SealedCache, prelude::*};
use std::cell::RefCell;

type Flash<'f> = FlashCache<&'f mut Nor<4, 256>, Bytes<64>, 8>;

fn open(chip: &mut Nor<4, 256>) -> Flash<'_> {
    Flash::open(chip, FlashOptions::new()).unwrap()
}

#[test]
fn each_flipped_bit_is_a_miss_or_without_effect() {
    let mut chip = Nor::<4, 256>::new(2, 0);
    let mut cache = open(&mut chip);
    let value = |key: u8| [key; 12];
    for key in 0..4 {
        cache.insert(&[key], &value(key)).unwrap();
    }
    cache.remove(&[3]).unwrap();
    let intact = chip.clone();
    let mut misses = 0;
    for bit in 0..chip.bytes.len() * 8 {
        chip.bytes[bit / 8] ^= 1 << (bit % 8);
        let mut cache = open(&mut chip);
        for key in 0..3 {
            match cache.get(&[key]).unwrap() {
                Some(found) => assert_eq!(found, value(key)),
                None => misses += 1,
            }
        }
        // Damage between the opening and a lookup.
        chip.restore(&intact);
        let flash = RefCell::new(&mut chip);
        let mut cache =
            FlashCache::<_, Bytes<64>, 8>::open(Shared(&flash), FlashOptions::new()).unwrap();
        flash.borrow_mut().bytes[bit / 8] ^= 1 << (bit % 8);
        for key in 0..3 {
            let found = cache.get(&[key]).unwrap();
            assert!(found.is_none_or(|found| found == value(key)));
        }
        chip.restore(&intact);
    }
    assert!(misses > 1000, "{misses} misses");
}

/// A chip that a test changes behind the back of the cache.
struct Shared<'c, 'f>(&'c RefCell<&'f mut Nor<4, 256>>);

mod shared {
    use super::{Nor, Shared};
    use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

    impl ErrorType for Shared<'_, '_> {
        type Error = NorFlashErrorKind;
    }

    impl ReadNorFlash for Shared<'_, '_> {
        const READ_SIZE: usize = 4;
        fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
            self.0.borrow_mut().read(offset, bytes)
        }
        fn capacity(&self) -> usize {
            self.0.borrow().capacity()
        }
    }

    impl NorFlash for Shared<'_, '_> {
        const WRITE_SIZE: usize = 4;
        const ERASE_SIZE: usize = Nor::<4, 256>::ERASE_SIZE;
        fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
            self.0.borrow_mut().erase(from, to)
        }
        fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
            self.0.borrow_mut().write(offset, bytes)
        }
    }
}

#[test]
fn write_that_failed_is_settled_before_the_next_one() {
    for seed in 0..50 {
        for word in 1.. {
            let mut chip = Nor::<4, 256>::new(2, seed);
            let flash = RefCell::new(&mut chip);
            let options = FlashOptions::new();
            let mut cache = FlashCache::<_, Bytes<64>, 8>::open(Shared(&flash), options).unwrap();
            cache.insert(b"key", b"before").unwrap();
            flash.borrow_mut().cut_after(word);
            let failed = cache.insert(b"key", b"failed").is_err();
            flash.borrow_mut().power_on();
            if !failed {
                break;
            }
            cache.insert(b"key", b"before").unwrap();
            let after = open(&mut chip).get(b"key").unwrap();
            assert_eq!(after.as_deref(), Some(&b"before"[..]), "word {word}");
        }
    }
}

#[test]
fn random_bytes_are_an_empty_cache_that_works() {
    let mut random = Random::new(3);
    for seed in 0..300 {
        let mut chip = Nor::<4, 256>::new(4, seed);
        // Intact pages with parts of noise, so that heads are valid and bodies are not.
        let mut cache = open(&mut chip);
        for number in 0..seed % 40 {
            cache
                .insert(&[number as u8 % 9], &random.bytes(20))
                .unwrap();
        }
        for _ in 0..random.below(6) {
            let from = random.below(1024) as usize;
            let len = random.below(200) as usize;
            let noise = random.bytes(len);
            let part = chip.bytes[from..].iter_mut().zip(noise);
            part.for_each(|(byte, noise)| *byte = noise);
        }
        let mut cache = open(&mut chip);
        for key in 0..9 {
            cache.get(&[key]).unwrap();
        }
        cache.retain(&mut |key| key[0] > 4).unwrap();
        let _ = cache.insert(b"key", b"value");
        cache.clear().unwrap();
        cache.insert(b"key", b"value").unwrap();
        assert_eq!(
            open(&mut chip).get(b"key").unwrap().as_deref(),
            Some(&b"value"[..])
        );
    }
}

#[test]
fn worn_page_costs_entries_of_a_cache_and_no_error() {
    let mut chip = Nor::<4, 256>::new(4, 0);
    chip.worn[2] = true;
    let mut cache = open(&mut chip);
    for number in 0..200u8 {
        cache.insert(&[number], &[number; 12]).unwrap();
        assert_eq!(cache.get(&[number]).unwrap().unwrap(), [number; 12]);
    }
    let mut cache = open(&mut chip);
    assert_eq!(cache.get(&[199]).unwrap().unwrap(), [199; 12]);
}

#[test]
fn worn_page_is_an_error_of_settings_and_reads_go_on() {
    let mut chip = Nor::<4, 256>::new(2, 0);
    let options = || FlashOptions::new().keep_all();
    let mut cache = Flash::open(&mut chip, options()).unwrap();
    cache.insert(b"key", b"value").unwrap();
    chip.worn[0] = true;
    let mut cache = Flash::open(&mut chip, options()).unwrap();
    let refused = (0..100u8).find_map(|number| cache.insert(b"other", &[number]).err());
    assert_eq!(refused, Some(FlashError::Worn));
    assert_eq!(cache.get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
    let mut cache = Flash::open(&mut chip, options()).unwrap();
    assert_eq!(cache.get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
}

#[test]
fn tampered_entry_under_a_seal_is_a_miss() {
    type Sealed<'f> =
        SealedCache<RefCell<FlashCache<&'f mut Nor<4, 512>, Bytes<112>, 8>>, &'f KeyRing>;
    fn sealed<'f>(chip: &'f mut Nor<4, 512>, keys: &'f KeyRing) -> Sealed<'f> {
        let cache = FlashCache::open(chip, FlashOptions::new()).unwrap();
        SealedCache::with_keys(RefCell::new(cache), keys)
    }
    let mut chip = Nor::new(2, 0);
    let keys = KeyRing::new(b"sixteen bytes or more...").unwrap();
    sealed(&mut chip, &keys)
        .insert(b"psk", b"correct horse")
        .unwrap();
    let found = sealed(&mut chip, &keys).get(b"psk").unwrap();
    assert_eq!(found.as_deref(), Some(&b"correct horse"[..]));
    assert!(!chip.bytes.windows(7).any(|bytes| bytes == b"correct"));
    // An attacker that writes a value under its name, with a right checksum.
    let cache = FlashCache::<_, Bytes<112>, 8>::open(&mut chip, FlashOptions::new());
    let mut cache = cache.unwrap();
    let mut entry = None;
    cache
        .for_each(|name, value, _| entry = Some((name.to_vec(), value)))
        .unwrap();
    let (name, mut value) = entry.unwrap();
    value[3] ^= 1;
    cache.insert(&name, &value).unwrap();
    let cache = sealed(&mut chip, &keys);
    assert_eq!(cache.get(b"psk").unwrap(), None);
    assert_eq!(cache.rejected(), 1);
}
