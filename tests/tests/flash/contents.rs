//! The contents of a flash cache: keys, values, evictions, times to live, schemas.

use crate::nor::Nor;
use ctu_core::{
    Bytes, Error, FlashCache, FlashError, FlashOptions, PrefixedCache, SpinCache, WallClock,
    prelude::*,
};
use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

type Chip = Nor<4, 512>;
type Flash<'f> = FlashCache<&'f mut Chip, Bytes<64>, 16>;

fn open(chip: &mut Chip) -> Flash<'_> {
    Flash::open(chip, FlashOptions::new()).unwrap()
}

fn value(cache: &mut Flash<'_>, key: &[u8]) -> Option<Vec<u8>> {
    cache.get(key).unwrap().map(|value| value.to_vec())
}

#[test]
fn entries_outlive_a_reset() {
    let mut chip = Chip::new(4, 0);
    let mut cache = open(&mut chip);
    assert!(cache.is_empty());
    assert_eq!(cache.get(b"key").unwrap(), None);
    cache.insert(b"key", b"value").unwrap();
    cache.insert(b"", b"").unwrap();
    cache.insert(&[7; 255], &[8; 64]).unwrap();
    cache.insert(b"key", b"another value").unwrap();
    cache.insert(b"removed", b"value").unwrap();
    assert!(cache.remove(b"removed").unwrap());
    assert!(!cache.remove(b"removed").unwrap());
    let mut cache = open(&mut chip);
    assert_eq!(cache.len(), 3);
    assert_eq!(value(&mut cache, b"key"), Some(b"another value".to_vec()));
    assert_eq!(value(&mut cache, b""), Some(vec![]));
    assert_eq!(value(&mut cache, &[7; 255]), Some(vec![8; 64]));
    assert_eq!(value(&mut cache, b"removed"), None);
    cache.clear().unwrap();
    assert!(open(&mut chip).is_empty());
}

#[test]
fn keys_and_values_that_do_not_fit_are_refused() {
    let mut chip = Chip::new(2, 0);
    let mut cache = open(&mut chip);
    let too_long = Error::KeyTooLong { len: 256, max: 255 };
    assert_eq!(
        cache.insert(&[0; 256], b""),
        Err(FlashError::Core(too_long))
    );
    assert_eq!(cache.get(&[0; 256]), Ok(None));
    assert_eq!(cache.remove(&[0; 256]), Ok(false));
    // A page of 512 bytes, 64 for its head, 16 for that of the record, 3 for the key.
    let too_long = Error::ValueTooLong { len: 430, max: 429 };
    assert_eq!(
        cache.insert(b"key", &[0; 430]),
        Err(FlashError::Core(too_long))
    );
    cache.insert(b"key", &[0; 429]).unwrap();
    let too_long = Error::StoredTooLong { len: 429, max: 64 };
    assert_eq!(cache.get(b"key"), Err(FlashError::Core(too_long)));
    assert!(cache.remove(b"key").unwrap());
}

#[test]
fn lock_turns_a_flash_cache_into_a_shared_cache() {
    let mut chip = Chip::new(2, 0);
    let cache = RefCell::new(open(&mut chip));
    let prefixed = PrefixedCache::new(&cache, b"cfg.");
    prefixed.insert(b"ssid", b"home").unwrap();
    assert_eq!(
        prefixed.get(b"ssid").unwrap().as_deref(),
        Some(&b"home"[..])
    );
    assert!(cache.contains(b"cfg.ssid").unwrap());
    let borrowed = cache.borrow_mut();
    assert_eq!(cache.get(b"key"), Err(FlashError::Core(Error::Busy)));
    drop(borrowed);
    let cache = SpinCache::new(cache.into_inner());
    assert_eq!(
        cache.pop(b"cfg.ssid").unwrap().as_deref(),
        Some(&b"home"[..])
    );
    assert!(cache.is_empty().unwrap());
}

#[test]
fn oldest_page_gives_way_and_entries_in_use_survive() {
    let mut chip = Chip::new(3, 0);
    let mut cache = open(&mut chip);
    cache.insert(b"in use", b"value").unwrap();
    for number in 0..200u32 {
        let key = number.to_le_bytes();
        cache.insert(&key, &[number as u8; 40]).unwrap();
        assert_eq!(value(&mut cache, &key), Some(vec![number as u8; 40]));
        assert_eq!(value(&mut cache, b"in use"), Some(b"value".to_vec()));
    }
    assert_eq!(value(&mut cache, &0u32.to_le_bytes()), None);
    let count = cache.len();
    assert!((9..=16).contains(&count), "{count} entries");
    assert!(cache.erases() < 60, "{} erases", cache.erases());
}

#[test]
fn hits_in_a_store_in_front_keep_an_entry_in_use() {
    let mut chip = Chip::new(2, 0);
    let mut cache = open(&mut chip);
    cache.insert(b"in use", b"value").unwrap();
    for number in 0..200u32 {
        cache.touch(b"in use");
        let key = number.to_le_bytes();
        cache.insert(&key, &[0; 40]).unwrap();
    }
    assert_eq!(value(&mut cache, b"in use"), Some(b"value".to_vec()));
}

#[test]
fn settings_refuse_in_place_of_an_eviction() {
    let mut chip = Chip::new(3, 0);
    let options = || FlashOptions::new().keep_all();
    let mut cache = Flash::open(&mut chip, options()).unwrap();
    let mut stored = 0u8;
    let full = Err(FlashError::Core(Error::Full));
    while cache.insert(&[stored], &[stored; 60]) != full {
        stored += 1;
    }
    // Two pages of 448 bytes, 80 an entry.
    assert_eq!(stored, 10);
    let erases = cache.erases();
    assert_eq!(cache.insert(b"more", &[0; 60]), full);
    assert_eq!(cache.insert(&[1], &[0; 60]), full);
    assert_eq!(cache.erases(), erases, "a refusal erases nothing");
    let mut cache = Flash::open(&mut chip, options()).unwrap();
    for number in 0..stored {
        assert_eq!(value(&mut cache, &[number]), Some(vec![number; 60]));
    }
    // A removal needs no room, and makes some.
    assert!(cache.remove(&[3]).unwrap());
    cache.insert(b"more", &[0; 60]).unwrap();
    assert_eq!(cache.insert(b"again", &[0; 60]), full);
    cache.clear().unwrap();
    for number in 0..8 {
        cache.insert(&[number], &[number; 60]).unwrap();
    }
}

#[test]
fn settings_refuse_a_key_beyond_the_index() {
    type Small<'f> = FlashCache<&'f mut Chip, Bytes<64>, 4>;
    let mut chip = Chip::new(2, 0);
    let mut cache = Small::open(&mut chip, FlashOptions::new().keep_all()).unwrap();
    for number in 0..4 {
        cache.insert(&[number], b"value").unwrap();
    }
    let full = Err(FlashError::Core(Error::Full));
    assert_eq!(cache.insert(&[4], b"value"), full);
    cache.insert(&[3], b"another").unwrap();
    let fewer = FlashCache::<_, Bytes<64>, 3>::open(&mut chip, FlashOptions::new().keep_all());
    let error = Error::OutOfRange {
        what: "number of entries in the flash",
        got: 4,
        min: 0,
        max: 3,
    };
    assert_eq!(fewer.err(), Some(FlashError::Core(error)));
}

#[test]
fn removed_key_stays_removed_after_an_eviction_from_the_index() {
    type Small<'f> = FlashCache<&'f mut Chip, Bytes<64>, 2>;
    let mut chip = Chip::new(2, 0);
    let mut cache = Small::open(&mut chip, FlashOptions::new()).unwrap();
    for number in 0..4 {
        cache.insert(&[number], b"value").unwrap();
    }
    assert_eq!(cache.len(), 2);
    assert_eq!(cache.remove(&[0]), Ok(false));
    cache.retain(&mut |key| key != [1]).unwrap();
    let mut cache = FlashCache::<_, Bytes<64>, 8>::open(&mut chip, FlashOptions::new()).unwrap();
    assert_eq!(cache.get(&[0]), Ok(None));
    assert_eq!(cache.get(&[1]), Ok(None));
    assert!(cache.get(&[3]).unwrap().is_some());
}

#[test]
fn retain_removes_rejected_keys_for_good() {
    let mut chip = Chip::new(4, 0);
    let mut cache = open(&mut chip);
    for number in 0..10 {
        cache.insert(&[number], &[number; 20]).unwrap();
    }
    cache.retain(&mut |key| key[0] % 2 == 0).unwrap();
    let mut cache = open(&mut chip);
    let mut seen = Vec::new();
    cache
        .for_each(|key, value, ttl| seen.push((key[0], value.to_vec(), ttl)))
        .unwrap();
    let even = [0, 2, 4, 6, 8];
    assert_eq!(seen, even.map(|number| (number, vec![number; 20], None)));
}

/// A clock that a test sets, in milliseconds.
#[derive(Clone, Default)]
struct Time<'c>(Option<&'c Cell<u64>>);

impl WallClock for Time<'_> {
    fn now(&self) -> Option<u64> {
        self.0.map(Cell::get)
    }
}

#[test]
fn times_to_live_go_on_over_a_reset() {
    let mut chip = Chip::new(2, 0);
    let time = Cell::new(1_000_000_000_000);
    let clock = Time(Some(&time));
    fn open<'f, 'c>(
        chip: &'f mut Chip,
        clock: Time<'c>,
    ) -> FlashCache<&'f mut Chip, Bytes<64>, 4, Time<'c>> {
        FlashCache::open(chip, FlashOptions::new().wall_clock(clock)).unwrap()
    }
    let mut cache = open(&mut chip, clock.clone());
    let seconds = Duration::from_secs;
    cache.insert_with_ttl(b"short", b"1", seconds(10)).unwrap();
    cache.insert(b"for good", b"2").unwrap();
    time.set(time.get() + 4_000);
    let mut cache = open(&mut chip, clock.clone());
    assert_eq!(
        cache.get_with_ttl(b"short").unwrap().unwrap().1,
        Some(seconds(6))
    );
    assert_eq!(cache.get_with_ttl(b"for good").unwrap().unwrap().1, None);
    time.set(time.get() + 6_000);
    assert_eq!(cache.get(b"short"), Ok(None));
    assert_eq!(cache.len(), 1);
    assert_eq!(cache.remove(b"short"), Ok(false));
    // Expired entries make room in a full index before others do.
    for number in 0..3 {
        cache.insert_with_ttl(&[number], b"3", seconds(1)).unwrap();
    }
    time.set(time.get() + 1_000);
    cache.insert(b"next", b"4").unwrap();
    assert_eq!(cache.get(b"for good").unwrap().as_deref(), Some(&b"2"[..]));
    // A clock that is not set: entries with an end are misses, and none is written.
    let mut cache = open(&mut chip, Time(None));
    let unset = Error::Seal(ctu_core::SealError::ClockUnset);
    let refused = cache.insert_with_ttl(b"short", b"1", seconds(10));
    assert_eq!(refused, Err(FlashError::Core(unset)));
    assert_eq!(cache.get(&[2]), Ok(None));
    assert_eq!(cache.get(b"next").unwrap().as_deref(), Some(&b"4"[..]));
    // No clock at all.
    let mut cache = self::open(&mut chip);
    let refused = cache.insert_with_ttl(b"short", b"1", seconds(10));
    assert_eq!(refused, Err(FlashError::Core(Error::TtlUnsupported)));
}

#[test]
fn entries_of_another_schema_are_misses() {
    let mut chip = Chip::new(2, 0);
    fn schema(chip: &mut Chip, schema: u32) -> Flash<'_> {
        Flash::open(chip, FlashOptions::new().schema(schema)).unwrap()
    }
    schema(&mut chip, 1).insert(b"key", b"value").unwrap();
    let mut cache = schema(&mut chip, 2);
    assert_eq!(cache.get(b"key"), Ok(None));
    cache.insert(b"other", b"value").unwrap();
    let mut cache = schema(&mut chip, 2);
    assert_eq!(cache.len(), 1);
    assert_eq!(value(&mut cache, b"other"), Some(b"value".to_vec()));
}

#[test]
fn range_leaves_other_pages_unchanged() {
    let mut chip = Chip::new(6, 0);
    let mut cache = Flash::open(&mut chip, FlashOptions::new().range(1024..2048)).unwrap();
    for number in 0..100u8 {
        cache.insert(&[number], &[number; 40]).unwrap();
    }
    assert_eq!(chip.erases[..2], [0, 0]);
    assert!(chip.erases[2] > 5 && chip.erases[3] > 5);
    assert_eq!(chip.erases[4..], [0, 0]);
}

#[test]
fn unusable_flash_is_refused_with_the_allowed_values() {
    fn refusal<const WORD: usize, const PAGE: usize>(
        pages: usize,
        options: FlashOptions,
    ) -> (&'static str, usize, usize, usize) {
        let mut chip = Nor::<WORD, PAGE>::new(pages, 0);
        let cache = FlashCache::<_, Bytes<64>, 4>::open(&mut chip, options);
        match cache.err() {
            Some(FlashError::Core(Error::OutOfRange {
                what,
                got,
                min,
                max,
            })) => (what, got, min, max),
            other => panic!("{other:?}"),
        }
    }
    let new = FlashOptions::new;
    assert_eq!(
        refusal::<64, 512>(2, new()),
        ("write size of the flash", 64, 1, 32)
    );
    assert_eq!(refusal::<3, 513>(2, new()).0, "32 modulo the write size");
    assert_eq!(
        refusal::<4, 64>(4, new()),
        ("erase size of the flash", 64, 128, 1 << 24)
    );
    assert_eq!(
        refusal::<4, 512>(1, new()),
        ("number of pages", 1, 2, 1 << 16)
    );
    let start = "start of the range modulo the page";
    assert_eq!(refusal::<4, 512>(4, new().range(4..1024)), (start, 4, 0, 0));
    assert_eq!(
        refusal::<4, 512>(4, new().range(0..4096)),
        ("end of the range", 4096, 0, 2048)
    );
    assert_eq!(
        refusal::<4, 512>(4, new().range(1024..1024)).0,
        "number of pages"
    );
}

#[test]
fn sixty_four_entries_take_less_than_3_kib_of_ram() {
    let size = size_of::<FlashCache<&mut Chip, Bytes<64>, 64>>();
    assert!(size <= 1152, "{size} bytes");
}
