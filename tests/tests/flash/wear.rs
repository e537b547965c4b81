//! Erases: their spread, their count, and the writes that they cost.

use crate::nor::{Nor, Random};
use ctu_core::{Bytes, FlashCache, FlashOptions};

#[test]
fn erases_are_spread_evenly_and_counted() {
    for pages in [2, 3, 8] {
        let mut chip = Nor::<4, 512>::new(pages, 0);
        let mut random = Random::new(1);
        let mut erases = 0;
        for _ in 0..20 {
            let options = FlashOptions::new();
            let mut cache = FlashCache::<_, Bytes<64>, 16>::open(&mut chip, options).unwrap();
            assert_eq!(cache.erases(), erases);
            for _ in 0..1000 {
                let key = [random.below(20) as u8];
                match random.below(10) {
                    0 => drop(cache.remove(&key).unwrap()),
                    1..4 => drop(cache.get(&key).unwrap()),
                    _ => cache.insert(&key, &random.bytes(24)).unwrap(),
                }
            }
            erases = cache.erases();
        }
        assert_eq!(chip.erases.iter().sum::<u32>(), erases);
        let most = *chip.erases.iter().max().unwrap();
        let least = *chip.erases.iter().min().unwrap();
        assert!(least > 100 && most - least <= 1, "{:?}", chip.erases);
    }
}

#[test]
fn value_that_is_stored_already_is_not_written_again() {
    let mut chip = Nor::<4, 512>::new(2, 0);
    let mut cache = FlashCache::<_, Bytes<64>, 16>::open(&mut chip, FlashOptions::new()).unwrap();
    cache.insert(b"key", b"value").unwrap();
    let image = cache.into_flash().clone();
    let mut cache = FlashCache::<_, Bytes<64>, 16>::open(&mut chip, FlashOptions::new()).unwrap();
    for _ in 0..100 {
        cache.insert(b"key", b"value").unwrap();
        assert!(!cache.remove(b"no such key").unwrap());
    }
    assert_eq!(chip.bytes, image.bytes);
    assert_eq!(chip.written, image.written);
}

#[test]
fn removed_bytes_are_erased_at_once_where_the_options_ask_for_it() {
    const SECRET: &[u8] = b"a value that must not be left";
    fn shows(chip: &Nor<4, 512>) -> bool {
        chip.bytes
            .windows(8)
            .any(|bytes| SECRET.chunks(8).any(|part| part == bytes))
    }
    for pages in [2, 4] {
        for removal in 0..3 {
            let mut chip = Nor::<4, 512>::new(pages, 0);
            let options = || FlashOptions::new().keep_all().wipe_removed();
            let mut cache = FlashCache::<_, Bytes<64>, 16>::open(&mut chip, options()).unwrap();
            cache.insert(b"other", b"stays").unwrap();
            for number in 0..20u8 {
                // Versions of it in all pages.
                let value = [SECRET, &[number]].concat();
                cache.insert(b"secret", &value).unwrap();
            }
            let before = cache.erases();
            assert!(shows(cache.into_flash()));
            let mut cache = FlashCache::<_, Bytes<64>, 16>::open(&mut chip, options()).unwrap();
            match removal {
                0 => assert!(cache.remove(b"secret").unwrap()),
                1 => cache.retain(&mut |key| key != b"secret").unwrap(),
                _ => cache.clear().unwrap(),
            }
            // Bounded: each page once, and the page in reserve, which the reset made unknown.
            assert!(cache.erases() - before <= 1 + pages as u32);
            let stays = cache.get(b"other").unwrap();
            assert_eq!(stays.is_some(), removal != 2);
            assert!(!shows(&chip));
        }
    }
}

#[test]
fn wipe_erases_replaced_and_removed_values() {
    let mut chip = Nor::<8, 256>::new(3, 0);
    let mut cache = FlashCache::<_, Bytes<64>, 16>::open(&mut chip, FlashOptions::new()).unwrap();
    cache.insert(b"key", b"old value").unwrap();
    cache.insert(b"key", b"new value").unwrap();
    cache.wipe().unwrap();
    assert_eq!(
        cache.get(b"key").unwrap().as_deref(),
        Some(&b"new value"[..])
    );
    let shows = |part: &[u8]| chip.bytes.windows(part.len()).any(|bytes| bytes == part);
    assert!(shows(b"new value"));
    assert!(!shows(b"old value"));
}
