use core::{borrow::Borrow, fmt};
use sha3::{Digest, Sha3_512};
use zeroize::Zeroize;

/// The derivation of a key: `SHA3-512(key + secret)`. The first bytes are the key in the inner
/// cache, and the others are the cipher key and the nonce. Wiped on drop, and never printed.
///
/// ```
/// use ctu_core::{Encryption, Mapping};
/// use core::borrow::Borrow;
/// let encryption = Encryption::try_new("from a file, 16 bytes or more")?;
/// let derived = Mapping::<[u8], Vec<u8>>::at(&encryption, b"key")?;
/// let stored_key: &[u8] = derived.borrow();
/// assert_eq!((stored_key.len(), format!("{derived:?}")), (16, "Derived(..)".into()));
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub struct Derived {
    hash: [u8; 64],
    hsize: u8,
}

impl Derived {
    #[inline]
    pub(super) fn new(key: &[u8], secret: &[u8], hsize: u8) -> Self {
        let mut derived = Self {
            hash: [0; 64],
            hsize,
        };
        // Written where it stays, so that there is one copy to wipe.
        Sha3_512::new()
            .chain_update(key)
            .chain_update(secret)
            .finalize_into((&mut derived.hash).into());
        derived
    }

    #[inline]
    pub(super) const fn bytes(&self) -> &[u8; 64] {
        &self.hash
    }
}

impl Borrow<[u8]> for Derived {
    #[inline]
    fn borrow(&self) -> &[u8] {
        self.hash
            .get(..usize::from(self.hsize))
            .unwrap_or(&self.hash)
    }
}

impl Drop for Derived {
    fn drop(&mut self) {
        self.hash.zeroize();
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Derived(..)")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Derived {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Derived(..)");
    }
}
