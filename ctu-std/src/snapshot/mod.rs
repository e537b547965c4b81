//! Snapshots: the entries of a store or cache as a stream, for a warm start.

mod error;
mod format;
mod stores;
#[cfg(test)]
mod tests;

pub use error::SnapshotError;

use ctu_core::Error;
use format::{Header, Reader, Writer};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{Read, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Saves the entries of a store or cache to a stream, and loads them again: a restarted program
/// begins with a warm cache.
///
/// The stream has the entries from the least to the most valuable one, so that the most valuable
/// ones stay where the new cache is smaller, with their remaining times, and for adaptive caches
/// with the number of their uses. Checksums detect damage: a damaged stream loads nothing.
///
/// ```
/// use ctu_std::{Cache, CacheExt, ConcurrentCache, Snapshot};
///
/// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
/// cache.insert("one", 1)?;
/// let mut file = Vec::new();
/// Snapshot::new().save(&cache, &mut file)?;
///
/// let warm = ConcurrentCache::<String, u32>::with_capacity(100);
/// let loaded = Snapshot::new().load(&mut &warm, &file[..])?;
/// assert_eq!((loaded.entries, warm.get("one")?), (1, Some(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Write to a new file, and rename it to its name at the end: a stream that ends early is damaged.
/// The stream is not encrypted and shows all keys and values.
///
/// # Time
/// Remaining times go on between `save` and `load`, by the wall clock of the system, and stand still
/// if that was set back. The time to idle starts anew.
///
/// # Types
/// Keys and values are written in the form of [`postcard`](https://docs.rs/postcard), which has no
/// names or types in it. A program that changes these types changes the [`schema`](Self::schema).
///
/// # Cost
/// A million small entries are saved, and loaded, in a time of the order of a second. `load` keeps all entries in
/// memory until the whole stream is checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Snapshot {
    schema: u32,
    now: Option<SystemTime>,
}

/// The result of [`Snapshot::load`].
///
/// ```
/// use ctu_std::{ConcurrentCache, Snapshot};
/// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
/// let mut file = Vec::new();
/// Snapshot::new().save(&cache, &mut file)?;
/// let loaded = Snapshot::new().load(&mut &cache, &file[..])?;
/// assert_eq!((loaded.entries, loaded.expired, loaded.refused), (0, 0, 0));
/// # Ok::<(), ctu_std::SnapshotError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Entries that were stored. Some may have been evicted since, if the cache is smaller.
    pub entries: u64,
    /// Entries that expired since the snapshot.
    pub expired: u64,
    /// Entries that the cache refused: too heavy, or for too long a time.
    pub refused: u64,
}

/// An entry of a snapshot.
///
/// ```
/// use ctu_std::{Cache, CacheExt, ConcurrentCache, SaveSnapshot, Saved};
/// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
/// cache.insert("one", 1)?;
/// let mut keys = Vec::new();
/// (&cache).each_entry(&mut |Saved { key, .. }| {
///     keys.push(key.clone());
///     Ok(())
/// })?;
/// assert_eq!(keys, ["one"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved<K, V> {
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// The time left. `None` for no limit.
    pub remaining: Option<Duration>,
    /// The number of recent uses, up to 15; 0 where it is not counted.
    pub uses: u8,
}

/// A closure that saves an entry.
///
/// ```
/// use ctu_std::{Cache, CacheExt, ConcurrentCache, SaveSnapshot, Saved};
/// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
/// cache.insert("one", 1)?;
/// let mut keys = Vec::new();
/// (&cache).each_entry(&mut |Saved { key, .. }| {
///     keys.push(key.clone());
///     Ok(())
/// })?;
/// assert_eq!(keys, ["one"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Save<'s, K, V> = dyn FnMut(Saved<&K, &V>) -> Result<(), SnapshotError> + 's;

/// A store or cache that a [`Snapshot`] saves.
///
/// ```
/// use ctu_std::{Cache, CacheExt, ConcurrentCache, SaveSnapshot, Saved};
/// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
/// cache.insert("one", 1)?;
/// let mut keys = Vec::new();
/// (&cache).each_entry(&mut |Saved { key, .. }| {
///     keys.push(key.clone());
///     Ok(())
/// })?;
/// assert_eq!(keys, ["one"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SaveSnapshot {
    /// The type of the keys.
    type Key: Serialize;
    /// The type of the values.
    type Value: Serialize;

    /// Calls `save` with each live entry, from the least to the most valuable one.
    ///
    /// # Errors
    /// The first of `save`.
    fn each_entry(&self, save: &mut Save<'_, Self::Key, Self::Value>) -> Result<(), SnapshotError>;
}

/// A store or cache that a [`Snapshot`] loads.
///
/// ```
/// use ctu_std::{Cache, ConcurrentCache, LoadSnapshot, Saved};
/// let cache = ConcurrentCache::<String, u32>::with_capacity(100);
/// let (key, value) = ("one".to_owned(), 1);
/// (&cache).restore(Saved { key, value, remaining: None, uses: 3 })?;
/// assert_eq!(cache.get("one")?, Some(1));
/// # Ok::<(), ctu_std::Error>(())
/// ```
pub trait LoadSnapshot {
    /// The type of the keys.
    type Key: DeserializeOwned;
    /// The type of the values.
    type Value: DeserializeOwned;

    /// Whether entries may have a remaining time.
    fn has_expiry(&self) -> bool;

    /// Stores an entry.
    ///
    /// # Errors
    /// Those of an insertion.
    fn restore(&mut self, entry: Saved<Self::Key, Self::Value>) -> Result<(), Error>;
}

impl Snapshot {
    /// Snapshots with schema 0 and the wall clock of the system.
    pub const fn new() -> Self {
        Self {
            schema: 0,
            now: None,
        }
    }

    /// Sets the number of the program's form of keys and values. A stream with another is refused.
    #[must_use]
    pub const fn schema(mut self, schema: u32) -> Self {
        self.schema = schema;
        self
    }

    /// Sets the present time, in place of that of the system.
    #[must_use]
    pub const fn at(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// Milliseconds since 1970.
    fn now(&self) -> u64 {
        let now = self.now.unwrap_or_else(SystemTime::now);
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Writes the live entries of `store`, and returns their number. Writes to a
    /// [`ConcurrentCache`](crate::ConcurrentCache) go on meanwhile; each entry is whole. Makes few
    /// large writes, without a buffer of `to`.
    ///
    /// # Errors
    /// [`SnapshotError::Io`], and [`SnapshotError::Encode`] for a key or value that has no form.
    pub fn save<S: SaveSnapshot>(&self, store: &S, to: impl Write) -> Result<u64, SnapshotError> {
        let header = Header {
            schema: self.schema,
            saved_at: self.now(),
        };
        let mut writer = Writer::new(to, header)?;
        store.each_entry(&mut |entry| writer.entry(&entry))?;
        writer.finish()
    }

    /// Reads entries, and stores them in `store` beside those that are there: in a `&mut` of a
    /// store, or of a reference to a [`ConcurrentCache`](crate::ConcurrentCache).
    ///
    /// # Errors
    /// [`SnapshotError`]; nothing is stored then. Entries with remaining times are refused by a
    /// store without expiry, in which they would live for ever.
    pub fn load<S: LoadSnapshot>(
        &self,
        store: &mut S,
        from: impl Read,
    ) -> Result<Loaded, SnapshotError> {
        let (header, mut reader) = Reader::new(from)?;
        if header.schema != self.schema {
            return Err(SnapshotError::Schema {
                found: header.schema,
                expected: self.schema,
            });
        }
        let mut entries = Vec::new();
        reader.entries(&mut entries)?;
        if !store.has_expiry() && entries.iter().any(|entry| entry.remaining.is_some()) {
            return Err(SnapshotError::Cache(Error::TtlUnsupported));
        }
        let elapsed = Duration::from_millis(self.now().saturating_sub(header.saved_at));
        let mut loaded = Loaded::default();
        for mut entry in entries {
            if let Some(remaining) = &mut entry.remaining {
                *remaining = remaining.saturating_sub(elapsed);
                if remaining.is_zero() {
                    loaded.expired += 1;
                    continue;
                }
            }
            match store.restore(entry) {
                Ok(()) => loaded.entries += 1,
                Err(_) => loaded.refused += 1,
            }
        }
        Ok(loaded)
    }
}
