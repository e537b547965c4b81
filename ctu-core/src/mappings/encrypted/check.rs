//! The check of a secret against the secret of the stored entries.

use super::{Derived, EncryptedCache};
use crate::{caches::Cache, entries::Buffer};
use core::borrow::Borrow;

/// The result of [`EncryptedCache::check_secret`].
///
/// ```
/// use ctu_core::SecretCheck;
/// fn report(check: SecretCheck) {
///     if check == SecretCheck::Other {
///         eprintln!("the entries belong to another secret");
///     }
/// }
/// # report(SecretCheck::Same);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SecretCheck {
    /// The cache has no fingerprint of a secret. That of this secret is stored now.
    First,
    /// The entries are those of this secret.
    Same,
    /// The fingerprint is that of another secret: entries of that secret are misses here.
    Other,
}

/// The key of the fingerprint. Hashed keys have 8 bytes or more, so no entry has this key.
const FINGERPRINT_KEY: &[u8] = b"secret?";

/// The name for the fingerprint, which is its hash with the secret.
const FINGERPRINT_NAME: &[u8] = b"fingerprint of the secret";

/// The length of a fingerprint in bytes.
const FINGERPRINT_LEN: u8 = 16;

impl<C, S, X> EncryptedCache<C, S, X>
where
    C: Cache<Key = [u8], Value: Buffer>,
    S: AsRef<[u8]>,
{
    /// Compares the secret with that of the stored entries. Call it once at the start of a program.
    ///
    /// With another secret every lookup is a miss, as in an empty cache. The check tells the two
    /// apart: the first call stores a fingerprint of the secret in the inner cache, and later calls
    /// compare with it. The fingerprint is 16 bytes of the one-way hash that also names the
    /// entries, under a key of 7 bytes that no entry has; it expires and is evicted like an entry.
    /// A program that finds [`SecretCheck::Other`] on purpose, after a change of the secret, clears
    /// the inner cache.
    ///
    /// ```
    /// use ctu_core::{Bytes, EncryptedCache, LruCache, SecretCheck, SpinCache};
    ///
    /// let server = SpinCache::new(LruCache::<Bytes<20>, Bytes<64>, 8>::new());
    /// let before = EncryptedCache::new(&server, b"the secret of the last release");
    /// assert_eq!(before.check_secret()?, SecretCheck::First);
    /// assert_eq!(before.check_secret()?, SecretCheck::Same);
    ///
    /// let after = EncryptedCache::new(&server, b"a secret with a spelling error");
    /// assert_eq!(after.check_secret()?, SecretCheck::Other);
    /// # Ok::<(), ctu_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the inner cache.
    pub fn check_secret(&self) -> Result<SecretCheck, C::Error> {
        let secret = self.mapping().secret.as_ref();
        let derived = Derived::new(FINGERPRINT_NAME, secret, FINGERPRINT_LEN);
        let fingerprint: &[u8] = derived.borrow();
        match self.get_ref().get(FINGERPRINT_KEY)? {
            None => {
                let value = C::Value::from_bytes(fingerprint)?;
                self.get_ref().insert_entry(FINGERPRINT_KEY, value, None)?;
                Ok(SecretCheck::First)
            }
            Some(found) if found.as_ref() == fingerprint => Ok(SecretCheck::Same),
            Some(_) => {
                #[cfg(all(feature = "tracing", target_has_atomic = "ptr"))]
                tracing::warn!(
                    "the entries were stored with another secret: each lookup of one is a miss"
                );
                Ok(SecretCheck::Other)
            }
        }
    }
}
