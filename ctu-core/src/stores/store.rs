use crate::{entries::Equivalent, error::Error};
use core::{borrow::Borrow, time::Duration};

/// A cache as plain data: one owner, in memory, no lock, no I/O.
///
/// Stores are used alone with their own map-like methods ([`LruCache`](crate::LruCache),
/// [`TtlCache`](crate::TtlCache)); this trait is what a lock needs of one to make a
/// [`Cache`](crate::Cache) of it. Every method is O(1) in the stores of this crate, but for
/// `clear` and `retain`, and what [`TtlCache`](crate::TtlCache) says of expiry.
///
/// # For who implements it
/// `put` either stores the entry or fails and leaves the store as it was. A value that leaves the store is
/// returned rather than dropped, so that a lock is not held while its `Drop` runs: look-ups leave what has expired where it
/// is, and `take` and `pop_expired` return it. `clear`, `retain` and `len` drop what they remove, `put` what it refuses.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a store",
    label = "not a store",
    note = "the keys of an `LruCache`, `TtlCache` or `DictCache` implement `StoredKey`; a `SieveCache`, a `RedisCache` and other caches need no lock"
)]
pub trait Store {
    /// What an entry is looked up by.
    type Key: ?Sized;
    /// What is kept.
    type Value;

    /// The value at `key`, which becomes the most recently used.
    fn get(&mut self, key: &Self::Key) -> Option<&Self::Value>;

    /// [`get`](Self::get) by what stands for a key. The stores of this crate make no key for it.
    ///
    /// # Errors
    /// As [`Equivalent::make`], where the key is made.
    fn get_equivalent<Q>(&mut self, key: &Q) -> Result<Option<&Self::Value>, Error>
    where
        Self: Sized,
        Q: Equivalent<Self::Key>,
    {
        Ok(self.get(key.make()?.borrow()))
    }

    /// Stores `value` at `key`, for `ttl` where it is given, else for as long as the store is set to.
    /// Returns the value that it replaced or that had to leave.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`], [`Error::TtlTooLong`], or [`Error::TtlUnsupported`] where the store
    /// keeps no time-to-live per entry; the store is then unchanged.
    fn put(
        &mut self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
    ) -> Result<Option<Self::Value>, Error>;

    /// Removes the entry at `key` and returns its value, if it was live.
    fn remove(&mut self, key: &Self::Key) -> Option<Self::Value>;

    /// [`remove`](Self::remove) that returns the value of an entry that has expired as well, and whether it was live.
    /// For a store in which entries expire to implement.
    fn take(&mut self, key: &Self::Key) -> Option<(Self::Value, bool)> {
        self.remove(key).map(|value| (value, true))
    }

    /// Removes an entry that has expired and returns its value. For a store in which entries expire to implement.
    fn pop_expired(&mut self) -> Option<Self::Value> {
        None
    }

    /// Whether there is a live entry at `key`. Its place in the recency order stays.
    fn contains(&mut self, key: &Self::Key) -> bool;

    /// How much longer the entry at `key` lives. `None` where there is no such entry or no limit.
    fn remaining(&mut self, key: &Self::Key) -> Option<Duration> {
        let _ = key;
        None
    }

    /// How long an entry lives that was given no time of its own. `None` where the store keeps no time.
    fn default_ttl(&self) -> Option<Duration> {
        None
    }

    /// Removes every entry.
    fn clear(&mut self);

    /// Removes the entries whose key `keep` refuses, in O(n).
    fn retain(&mut self, keep: &mut dyn FnMut(&Self::Key) -> bool);

    /// The number of live entries. Those that have expired may be removed, which
    /// [`pop_expired`](Self::pop_expired) does without dropping them.
    fn len(&mut self) -> usize;

    /// Whether there is no live entry.
    fn is_empty(&mut self) -> bool {
        self.len() == 0
    }
}
