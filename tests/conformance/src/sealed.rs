//! `SealedCache`: a value opens where and as it was sealed, and nowhere else.

use crate::support::{Dial, SECOND, printed};
use core::cell::Cell;
use core::time::Duration;
use ctu_core::{
    AsconAead128, Aes256GcmSiv, Buffer, Bytes, Cache, CacheExt, Clock, Error, KeyRing, KeyedAead, LruCache,
    PrefixedCache, SealError, SealedCache, Sealing, SealingKey, SoftCounter, SpinCache, TtlCache, WallClock,
    XChaCha20Poly1305,
};

const SECRET: &[u8] = b"sixteen bytes or more...";

/// Room for the widest name, and for a value of 64 bytes with its seal.
type Base = SpinCache<LruCache<Bytes<32>, Bytes<112>, 4>>;

fn base() -> Base {
    SpinCache::new(LruCache::new())
}

fn ring<X: KeyedAead>() -> KeyRing<X, 1> {
    let Ok(ring) = KeyRing::derived(SECRET, 0, SECRET) else {
        panic!("the secret is long enough")
    };
    ring
}

fn sealed(base: &Base) -> SealedCache<&Base> {
    SealedCache::with_keys(base, ring())
}

fn is<E, const N: usize>(found: Result<Option<Bytes<N>>, E>, value: &[u8]) -> bool {
    found.ok().flatten().as_deref() == Some(value)
}

/// The only entry of a base.
fn entry(base: &Base) -> (Bytes<32>, Bytes<112>) {
    let entries = base.with(|store| {
        let mut entries = store.iter().map(|(name, entry)| (name.clone(), entry.clone()));
        (entries.next(), entries.next())
    });
    let Ok((Some(entry), None)) = entries else {
        panic!("there is one entry")
    };
    entry
}

pub(crate) fn stored_values_come_back() {
    let base = base();
    let cache = sealed(&base);
    assert_eq!(cache.insert(b"wifi/psk", b"correct horse"), Ok(()));
    assert_eq!(cache.insert(b"", b""), Ok(()));
    assert!(is(cache.get(b"wifi/psk"), b"correct horse"));
    assert!(is(cache.get(b""), b""));
    assert_eq!(cache.get(b"wifi/ssid"), Ok(None));
    assert_eq!(cache.contains(b"wifi/psk"), Ok(true));
    let made = cache.get_or_insert_with(b"wifi/ssid", || b"home");
    assert_eq!(made.as_deref(), Ok(&b"home"[..]));
    assert!(is(cache.pop(b"wifi/ssid"), b"home"));
    assert_eq!((cache.remove(b"wifi/psk"), cache.len()), (Ok(true), Ok(1)));
    assert_eq!(cache.clear(), Ok(()));
    assert_eq!((base.len(), cache.rejected()), (Ok(0), 0));
}

pub(crate) fn every_length_comes_back_in_every_suite() {
    fn all<X: KeyedAead>(overhead: usize) {
        let bytes: [u8; 64] = core::array::from_fn(|i| i as u8);
        let base = base();
        let cache = SealedCache::with_keys(&base, ring::<X>());
        assert_eq!(Sealing::<KeyRing<X, 1>>::OVERHEAD, overhead);
        for len in [0, 1, 15, 16, 17, 31, 32, 33, 63, 64] {
            assert_eq!(cache.insert(b"key", &bytes[..len]), Ok(()));
            assert_eq!(entry(&base).1.len(), len + overhead);
            assert!(is(cache.get(b"key"), &bytes[..len]));
        }
        assert_eq!((cache.len(), cache.rejected()), (Ok(1), 0));
    }
    all::<XChaCha20Poly1305>(45);
    all::<Aes256GcmSiv>(26);
    all::<AsconAead128>(37);
}

pub(crate) fn neither_key_nor_value_is_stored_in_the_clear() {
    let base = base();
    let cache = sealed(&base);
    let (key, value) = (b"a key that is known", b"a value that is known");
    assert_eq!(cache.insert(key, value), Ok(()));
    let (name, entry) = entry(&base);
    assert_eq!(name.len(), 16);
    for bytes in [&name[..], &entry[..]] {
        assert!(!bytes.windows(4).any(|part| key.windows(4).any(|known| known == part)));
        assert!(!bytes.windows(4).any(|part| value.windows(4).any(|known| known == part)));
    }
}

pub(crate) fn plain_names_are_the_keys() {
    let base = base();
    let cache = sealed(&base).plain_names();
    assert_eq!(cache.insert(b"ssid", b"home"), Ok(()));
    assert_eq!(cache.insert(b"psk", b"horse"), Ok(()));
    assert_eq!(base.contains(b"ssid"), Ok(true));
    // Keys can be listed, so a prefix above clears its own.
    let ssid = PrefixedCache::new(&cache, b"ss");
    assert!(is(ssid.get(b"id"), b"home"));
    assert_eq!((ssid.clear(), cache.len()), (Ok(()), Ok(1)));
    assert!(is(cache.get(b"psk"), b"horse"));
}

pub(crate) fn every_bit_is_authenticated() {
    let base = base();
    let cache = sealed(&base);
    assert_eq!(cache.insert(b"key", b"value"), Ok(()));
    let (name, entry) = entry(&base);
    for bit in 0..entry.len() * 8 {
        let mut forged = entry.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(base.insert_entry(&name, forged, None), Ok(()));
        assert_eq!(cache.get(b"key"), Ok(None), "bit {bit}");
        assert_eq!((cache.contains(b"key"), cache.rejected()), (Ok(false), 2 * bit + 2));
    }
    assert_eq!(base.insert_entry(&name, entry, None), Ok(()));
    assert!(is(cache.get(b"key"), b"value"));
}

pub(crate) fn every_cut_is_rejected() {
    let base = base();
    let cache = sealed(&base);
    assert_eq!(cache.insert(b"key", b"value"), Ok(()));
    let (name, entry) = entry(&base);
    for len in 0..entry.len() {
        for part in [&entry[..len], &entry[entry.len() - len..]] {
            let Ok(cut) = Bytes::try_from(part) else {
                panic!("a part is shorter")
            };
            assert_eq!(base.insert_entry(&name, cut, None), Ok(()));
            assert_eq!(cache.get(b"key"), Ok(None), "{len} bytes");
        }
    }
    assert_eq!(cache.rejected(), 2 * entry.len());
    // A miss is written over.
    let made = cache.get_or_insert_with(b"key", || b"new");
    assert_eq!(made.as_deref(), Ok(&b"new"[..]));
    assert!(is(cache.get(b"key"), b"new"));
}

pub(crate) fn a_moved_entry_is_rejected() {
    let base = base();
    let cache = sealed(&base);
    assert_eq!(cache.insert(b"price/apple", b"1"), Ok(()));
    let (_, entry) = entry(&base);
    assert_eq!(cache.insert(b"price/car", b"9"), Ok(()));
    let moved = base.with(|store| {
        store.retain(|_, value| {
            value.clone_from(&entry);
            true
        });
    });
    assert_eq!(moved, Ok(()));
    assert!(is(cache.get(b"price/apple"), b"1"));
    assert_eq!((cache.get(b"price/car"), cache.rejected()), (Ok(None), 1));
}

pub(crate) fn contexts_are_kept_apart() {
    let base = base();
    let tenant = |name: &[u8]| sealed(&base).plain_names().context(name);
    assert_eq!(tenant(b"acme").insert(b"key", b"value"), Ok(()));
    assert!(is(tenant(b"acme").get(b"key"), b"value"));
    for other in [&b""[..], b"acm", b"acme ", b"ACME"] {
        let other = tenant(other);
        assert_eq!((other.get(b"key"), other.rejected()), (Ok(None), 1));
    }
    // The last context counts.
    assert!(is(tenant(b"other").context(b"acme").get(b"key"), b"value"));
    // With hashed names, another context looks elsewhere.
    let acme = sealed(&base).context(b"acme");
    assert_eq!(acme.insert(b"key", b"value"), Ok(()));
    assert_eq!((sealed(&base).get(b"key"), base.len()), (Ok(None), Ok(2)));
}

pub(crate) fn a_new_epoch_forgets_all() {
    let base = base();
    let mut counter = SoftCounter::at(6);
    let cache = sealed(&base).epoch(6);
    assert_eq!(cache.insert(b"key", b"old"), Ok(()));
    let (name, old) = entry(&base);
    assert_eq!(cache.forget_all(&mut counter), Ok(()));
    assert_eq!((cache.get(b"key"), cache.rejected()), (Ok(None), 1));
    assert_eq!(cache.insert(b"key", b"new"), Ok(()));
    assert!(is(cache.get(b"key"), b"new"));
    // The old entry, put back.
    assert_eq!(base.insert_entry(&name, old, None), Ok(()));
    assert_eq!((cache.get(b"key"), cache.rejected()), (Ok(None), 2));
    assert!(is(sealed(&base).epoch(6).get(b"key"), b"old"));
    let mut last = SoftCounter::at(u32::MAX);
    assert_eq!(cache.forget_all(&mut last), Err(Error::Seal(SealError::CounterAtEnd)));
}

pub(crate) fn keys_rotate() {
    let base = base();
    let mut keys = ring::<XChaCha20Poly1305>();
    let before = sealed(&base);
    assert_eq!(before.insert(b"key", b"value"), Ok(()));
    assert_eq!(keys.add(7, b"another secret, as long."), Ok(()));
    assert_eq!(keys.add(7, SECRET), Err(Error::Seal(SealError::DuplicateKey { id: 7 })));
    let full = Error::OutOfRange {
        what: "number of keys beside the writer",
        got: 2,
        min: 0,
        max: 1,
    };
    assert_eq!(keys.add(8, SECRET), Err(full));
    assert_eq!(keys.write_with(7), Ok(()));
    assert_eq!(keys.write_with(8), Err(Error::Seal(SealError::UnknownKey { id: 8 })));
    let during = SealedCache::with_keys(&base, &keys);
    assert!(is(during.get(b"key"), b"value"));
    assert_eq!(during.insert(b"new", b"value"), Ok(()));
    assert_eq!((before.get(b"new"), before.unknown_key()), (Ok(None), 1));
    let writes = Error::Seal(SealError::KeyInUse { id: 7 });
    assert_eq!(keys.retire(7), Err(writes));
    assert_eq!(keys.retire(0), Ok(()));
    assert_eq!(keys.retire(0), Err(Error::Seal(SealError::UnknownKey { id: 0 })));
    let after = SealedCache::with_keys(&base, &keys);
    assert!(is(after.get(b"new"), b"value"));
    assert_eq!(after.get(b"key"), Ok(None));
    assert_eq!((after.rejected(), after.unknown_key()), (1, 1));
}

pub(crate) fn short_secrets_are_refused() {
    let bytes = [7; 16];
    for len in 0..16 {
        let refused = Some(Error::SecretTooShort { len, min: 16 });
        assert_eq!(KeyRing::new(&bytes[..len]).err(), refused);
        let key = SealingKey::<XChaCha20Poly1305>::derived(0, &bytes);
        let ring = key.and_then(|key| KeyRing::<_, 0>::with_key(&bytes[..len], 0, key));
        assert_eq!(ring.err(), refused);
    }
    assert!(KeyRing::new(&bytes).is_ok());
    for size in [0, 15, 33, 256 + 16] {
        let refused = Error::OutOfRange {
            what: "name_size",
            got: size,
            min: 16,
            max: 32,
        };
        let ring = ring::<XChaCha20Poly1305>();
        assert_eq!(Sealing::new(ring).name_size(size).err(), Some(refused));
    }
}

pub(crate) fn too_long_a_value_changes_nothing() {
    let base = base();
    let cache = sealed(&base);
    assert_eq!(cache.insert(b"key", &[7; 67]), Ok(()));
    let refused = Err(Error::ValueTooLong { len: 113, max: 112 });
    assert_eq!(cache.insert(b"key", &[7; 68]), refused);
    assert!(is(cache.get(b"key"), &[7; 67]));
    let plain = sealed(&base).plain_names();
    let refused = Err(Error::KeyTooLong { len: 33, max: 32 });
    assert_eq!(plain.insert(&[b'k'; 33], b"value"), refused);
    assert_eq!((cache.len(), cache.rejected()), (Ok(1), 0));
}

/// A wall clock that tests set.
#[derive(Default)]
struct Wall(Cell<Option<u64>>);

impl WallClock for Wall {
    fn now(&self) -> Option<u64> {
        self.0.get()
    }
}

pub(crate) fn an_expired_entry_that_is_put_back_is_rejected() {
    let base = base();
    let wall = Wall(Cell::new(Some(1_790_000_000_500)));
    let time = Dial::<64>::at(0);
    let timed = SpinCache::new(TtlCache::<Bytes<32>, Bytes<112>, 4, &Dial>::new(10 * SECOND, &time));
    let cache = SealedCache::with_keys(&timed, ring::<XChaCha20Poly1305>()).wall_clock(&wall);
    // Its own time to live, and that of the cache below.
    assert_eq!(cache.insert_with_ttl(b"own", b"1", 2 * SECOND), Ok(()));
    assert_eq!(cache.insert(b"default", b"2"), Ok(()));
    let stolen = timed.with(|store| {
        let mut entries = store.iter().map(|(name, entry)| (name.clone(), entry.clone()));
        [entries.next(), entries.next()]
    });
    let Ok([Some(default), Some(own)]) = stolen else {
        panic!("there are two entries")
    };
    let pass = |time_passed: Duration| {
        time.pass(time_passed);
        wall.0.set(wall.0.get().map(|now| now + time_passed.as_millis() as u64));
    };
    // The thief's cache keeps its entries for good.
    let kept = SealedCache::with_keys(&base, ring::<XChaCha20Poly1305>()).wall_clock(&wall);
    assert_eq!(base.insert_entry(&own.0, own.1, None), Ok(()));
    assert_eq!(base.insert_entry(&default.0, default.1, None), Ok(()));
    let ttl = |key: &[u8]| kept.get_with_ttl(key).ok().flatten().and_then(|found| found.1);
    // A part of a second is made whole.
    assert_eq!(ttl(b"own"), Some(Duration::from_millis(2_500)));
    assert_eq!(ttl(b"default"), Some(Duration::from_millis(10_500)));
    assert_eq!(cache.get_with_ttl(b"own").ok().flatten().and_then(|found| found.1), Some(2 * SECOND));
    pass(Duration::from_millis(2_499));
    assert!(is(kept.get(b"own"), b"1"));
    pass(Duration::from_millis(1));
    assert_eq!((kept.get(b"own"), kept.expired(), kept.rejected()), (Ok(None), 1, 1));
    assert!(is(kept.get(b"default"), b"2"));
    pass(8 * SECOND);
    assert_eq!((kept.get(b"default"), kept.expired()), (Ok(None), 2));
    // Without a clock, the cache below decides alone.
    let blind = sealed(&base);
    assert!(is(blind.get(b"own"), b"1"));
    assert_eq!(time.now(), 10_500);
}

pub(crate) fn an_unset_wall_clock_vouches_for_no_time() {
    let base = base();
    let wall = Wall::default();
    let cache = sealed(&base).wall_clock(&wall);
    let plain = sealed(&base).wall_clock(&wall);
    assert_eq!(cache.insert(b"forever", b"1"), Ok(()));
    assert!(is(cache.get(b"forever"), b"1"));
    let base = SpinCache::new(TtlCache::<Bytes<32>, Bytes<112>, 4, Dial>::new(
        SECOND,
        Dial::at(0),
    ));
    let timed = SealedCache::with_keys(&base, ring::<XChaCha20Poly1305>()).wall_clock(&wall);
    let unset = Err(Error::Seal(SealError::ClockUnset));
    assert_eq!((timed.insert(b"key", b"2"), timed.len()), (unset, Ok(0)));
    wall.0.set(Some(1_790_000_000_000));
    assert_eq!(timed.insert(b"key", b"2"), Ok(()));
    assert!(is(timed.get(b"key"), b"2"));
    wall.0.set(None);
    assert_eq!((timed.get(b"key"), timed.expired()), (Ok(None), 1));
    // The last second that fits.
    wall.0.set(Some(u64::from(u32::MAX - 2) * 1000));
    assert_eq!(timed.insert(b"key", b"2"), Ok(()));
    wall.0.set(Some(u64::from(u32::MAX - 1) * 1000));
    let refused = Err(Error::TtlTooLong {
        max: Duration::ZERO,
    });
    assert_eq!(timed.insert(b"key", b"2"), refused);
    drop(plain);
}

pub(crate) fn equal_values_with_salt_differ() {
    let base = base();
    let twice = |cache: &dyn Cache<Key = [u8], Value = Bytes<112>, Error = Error>| {
        let mut entries = [(); 2].map(|()| {
            let value = Bytes::from_bytes(b"value").unwrap_or_default();
            assert_eq!(cache.insert_entry(b"key", value, None), Ok(()));
            assert!(is(cache.get(b"key"), b"value"));
            entry(&base).1
        });
        let [one, two] = &mut entries;
        one == two
    };
    assert!(twice(&sealed(&base)));
    assert!(twice(&sealed(&base).salt(|| [9; 16])));
    let count = Cell::new(0u128);
    let counting = || {
        count.set(count.get() + 1);
        count.get().to_le_bytes()
    };
    assert!(!twice(&sealed(&base).salt(counting)));
}

pub(crate) fn secrets_are_not_printed() {
    let base = base();
    let cache = sealed(&base);
    let ring = ring::<XChaCha20Poly1305>();
    let Ok(key) = SealingKey::<AsconAead128>::derived(0, SECRET) else {
        panic!("the secret is long enough")
    };
    assert_eq!(printed(&key), "SealingKey(..)");
    let expected = "KeyRing { suite: \"XChaCha20-Poly1305\", writer: 0, readers: 0, .. }";
    assert_eq!(printed(&ring), expected);
    let expected = "Sealing { suite: \"XChaCha20-Poly1305\", epoch: 0, rejected: 0, .. }";
    assert_eq!(printed(cache.mapping()), expected);
}
