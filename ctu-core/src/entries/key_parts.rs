//! Lookups by the parts of a key.

use crate::error::Error;
use core::{borrow::Borrow, hash::Hasher};

/// The borrowed parts of a key of several parts.
///
/// [`Cache::get_equivalent`](crate::Cache::get_equivalent) looks up by them; the stores of this
/// crate build no key for it. A cache with keys `(Text<8>, u32)`, or `(String, u32)`, thus takes a
/// `&str` and a number:
///
/// ```
/// use core::hash::{Hash, Hasher};
/// use ctu_core::{Cache, CacheExt, KeyParts, Error, LruCache, SpinCache, StoredKey, Text};
///
/// struct Page<'a>(&'a str, u32);
///
/// type Key = (Text<8>, u32);
///
/// impl KeyParts<Key> for Page<'_> {
///     type Key = Key;
///     fn hash_as<H: Hasher>(&self, state: &mut H) {
///         (self.0, self.1).hash(state);
///     }
///     fn is(&self, key: &Key) -> bool {
///         self.0 == key.0 && self.1 == key.1
///     }
///     fn make(&self) -> Result<Key, Error> {
///         Ok((Text::store(self.0)?, self.1))
///     }
/// }
///
/// let cache = SpinCache::new(LruCache::<Key, &str, 100>::new());
/// cache.insert(&(Text::store("home")?, 1), "page")?;
/// assert_eq!(cache.get_equivalent(&Page("home", 1))?, Some("page"));
/// # Ok::<(), Error>(())
/// ```
///
/// # For implementers
/// The parts must hash exactly like the key and equal only that key. [`make`](Self::make) fails if
/// no key can be built from them.
pub trait KeyParts<K: ?Sized> {
    /// The key that [`make`](Self::make) builds.
    type Key: Borrow<K>;

    /// Hashes as the key does.
    fn hash_as<H: Hasher>(&self, state: &mut H);

    /// Whether `key` consists of these parts.
    fn is(&self, key: &K) -> bool;

    /// Builds the key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] if it does not fit.
    fn make(&self) -> Result<Self::Key, Error>;
}
