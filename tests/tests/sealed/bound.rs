//! Each field that an entry is bound to, changed alone, with everything else equal.

use crate::{Base, SECRET, base, entry, replace};
use ctu_core::{
    Aead, Cache, CacheExt, Error, KeyRing, KeyedAead, Keys, Names, PrefixedCache, SealedCache,
    SealingKey, Tag, XChaCha20Poly1305,
};

/// One key under any secret, id and suite number, as hardware may have it.
struct OneKey<const SUITE: u8>(XChaCha20Poly1305);

impl<const SUITE: u8> Aead for OneKey<SUITE> {
    const SUITE: u8 = SUITE;
    const NAME: &'static str = "one key";
    type Nonce = [u8; 24];

    fn seal(&self, nonce: &[u8; 24], data: &[u8], text: &mut [u8]) -> Result<Tag, Error> {
        self.0.seal(nonce, data, text)
    }

    fn open(
        &self,
        nonce: &[u8; 24],
        data: &[u8],
        text: &mut [u8],
        tag: &Tag,
    ) -> Result<bool, Error> {
        self.0.open(nonce, data, text, tag)
    }
}

fn key<const SUITE: u8>() -> SealingKey<OneKey<SUITE>> {
    SealingKey::held_by(OneKey(XChaCha20Poly1305::new(&[7; 32])), SECRET).unwrap()
}

fn one_key<const SUITE: u8>(base: &Base) -> SealedCache<&Base, KeyRing<OneKey<SUITE>, 1>> {
    SealedCache::with_keys(base, KeyRing::with_key(SECRET, 1, key()).unwrap())
}

/// Whether the entry at `key` is a counted miss.
fn is_rejected<C: Cache<Key = [u8], Value = Vec<u8>>, R: Keys, P: Names>(
    cache: &SealedCache<C, R, P>,
    key: &[u8],
) -> bool
where
    SealedCache<C, R, P>: Cache<Key = [u8], Value = Vec<u8>>,
{
    let found = cache.get(key).expect("a base that answers");
    assert_eq!(cache.rejected(), usize::from(found.is_none()));
    found.is_none()
}

/// A base with one entry at "key", which opens with all fields as they were.
fn stored() -> Base {
    let base = base();
    let cache = one_key::<200>(&base).plain_names();
    cache.insert(b"key", b"value".to_vec()).unwrap();
    assert!(!is_rejected(&one_key::<200>(&base).plain_names(), b"key"));
    base
}

#[test]
fn the_key_is_bound() {
    let base = stored();
    let (_, moved) = entry(&base);
    base.insert_entry(b"other", moved, None).unwrap();
    assert!(is_rejected(&one_key::<200>(&base).plain_names(), b"other"));
}

#[test]
fn a_prefix_above_is_bound() {
    let base = base();
    let cache = one_key::<200>(&base).plain_names();
    let (mine, yours) = (
        PrefixedCache::new(&cache, b"mine."),
        PrefixedCache::new(&cache, b"yours."),
    );
    mine.insert(b"key", b"value".to_vec()).unwrap();
    let (_, moved) = entry(&base);
    base.insert_entry(b"yours.key", moved, None).unwrap();
    assert_eq!((yours.get(b"key"), cache.rejected()), (Ok(None), 1));
    assert_eq!(mine.get(b"key"), Ok(Some(b"value".to_vec())));
}

#[test]
fn the_context_is_bound() {
    let base = stored();
    assert!(is_rejected(
        &one_key::<200>(&base).plain_names().context(b"other"),
        b"key"
    ));
}

#[test]
fn the_epoch_is_bound() {
    let base = stored();
    for epoch in [1, 256, 1 << 16, 1 << 24, u32::MAX] {
        assert!(is_rejected(
            &one_key::<200>(&base).plain_names().epoch(epoch),
            b"key"
        ));
    }
}

#[test]
fn the_suite_is_bound() {
    let base = stored();
    assert!(is_rejected(&one_key::<201>(&base).plain_names(), b"key"));
}

#[test]
fn the_key_id_is_bound() {
    let base = stored();
    let (_, mut other) = entry(&base);
    *other.last_mut().unwrap() = 2;
    replace(&base, &other);
    let mut ring = KeyRing::with_key(SECRET, 1, key::<200>()).unwrap();
    ring.add_key(2, key()).unwrap();
    let cache = SealedCache::<_, KeyRing<_, 1>>::with_keys(&base, ring).plain_names();
    assert!(is_rejected(&cache, b"key"));
    // The id was known, so it is the id in the bound data that rejects.
    assert_eq!(cache.unknown_key(), 0);
}

#[test]
fn the_expiry_is_bound() {
    let base = stored();
    let (_, good) = entry(&base);
    let at = good.len() - 45;
    assert_eq!(good[at..at + 4], [0xFF; 4]);
    for byte in 0..4 {
        let mut other = good.clone();
        other[at + byte] ^= 1;
        replace(&base, &other);
        assert!(is_rejected(&one_key::<200>(&base).plain_names(), b"key"));
    }
}

#[test]
fn the_secret_of_the_names_is_bound() {
    let base = stored();
    let ring = KeyRing::with_key(b"another secret, as long.", 1, key::<200>()).unwrap();
    let cache = SealedCache::<_, KeyRing<_, 1>>::with_keys(&base, ring).plain_names();
    assert!(is_rejected(&cache, b"key"));
}

#[test]
fn the_secret_of_the_key_is_bound() {
    let base = base();
    let with = |secret: &[u8]| {
        let ring = KeyRing::<XChaCha20Poly1305, 0>::derived(SECRET, 0, secret).unwrap();
        SealedCache::with_keys(&base, ring)
    };
    with(SECRET).insert(b"key", b"value".to_vec()).unwrap();
    assert!(!is_rejected(&with(SECRET), b"key"));
    assert!(is_rejected(&with(b"another secret, as long."), b"key"));
}

#[test]
fn each_id_has_a_key_of_its_own() {
    let seal = |id| {
        let base = base();
        let ring = KeyRing::<XChaCha20Poly1305, 0>::derived(SECRET, id, SECRET).unwrap();
        let cache = SealedCache::with_keys(&base, ring);
        cache.insert(b"key", b"value".to_vec()).unwrap();
        entry(&base).1
    };
    assert_ne!(seal(0)[..5], seal(1)[..5]);
    assert_eq!(seal(1), seal(1));
}
