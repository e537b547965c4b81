use crate::error::Error;
use core::{borrow::Borrow, hash::Hasher};

/// What stands for a key without being one: the parts that it would be made of.
///
/// [`Cache::get_equivalent`](crate::Cache::get_equivalent) looks up by it, and the stores of this crate make no key
/// for that. A cache of keys `(Text<8>, u32)`, or `(String, u32)`, is so asked for a `&str` and a number:
///
/// ```
/// use core::hash::{Hash, Hasher};
/// use ctu_core::{Cache, Equivalent, Error, LruCache, SpinCache, StoredKey, Text};
///
/// struct Page<'a>(&'a str, u32);
///
/// type Key = (Text<8>, u32);
///
/// impl Equivalent<Key> for Page<'_> {
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
/// # For who implements it
/// It hashes as the key that it stands for does, and [`is`](Self::is) that key and no other. What no key can be
/// made of is no key.
pub trait Equivalent<K: ?Sized> {
    /// The key, once it is made.
    type Key: Borrow<K>;

    /// Hashes as the key does.
    fn hash_as<H: Hasher>(&self, state: &mut H);

    /// Whether `key` is the key that it stands for.
    fn is(&self, key: &K) -> bool;

    /// Makes the key.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] where it does not fit.
    fn make(&self) -> Result<Self::Key, Error>;
}
