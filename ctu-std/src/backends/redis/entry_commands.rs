//! The commands about entries, in the two formats of entries on the server. No I/O.

use super::{
    RedisError,
    command::{Batch, Command, Layout},
    reply::Reply,
    request::Request,
    tagged_entries::TaggedEntries,
    ttl::Ttl,
};
use ctu_core::Error;
use std::borrow::Cow;

/// The value of an entry on the server; `None` for no entry.
pub(super) type Stored = Option<Vec<u8>>;
/// The same and its PTTL.
pub(super) type StoredWithTtl = (Stored, i64);

/// Makes the entries of a batch of the replies to it.
pub(super) type ReadMany<T> = Box<dyn Fn(&mut Reply) -> Result<Vec<T>, RedisError> + Send + Sync>;

/// The commands about the entries of a cache: [`PlainEntries`](super::plain_entries::PlainEntries) without
/// tags, [`TaggedEntries`] with tags.
pub(super) trait EntryCommands: Send + Sync {
    /// The commands about tags.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a cache without tags.
    fn tagged(&self) -> Result<&TaggedEntries, Error>;

    /// Whether no entry may be at `key`, since the cache itself uses it.
    fn is_reserved(&self, key: &[u8]) -> bool;

    fn get(&self, key: &[u8]) -> Command<Stored>;

    fn get_with_ttl(&self, key: &[u8]) -> Command<StoredWithTtl>;

    /// Reads and removes an entry, in one step.
    fn pop(&self, key: &[u8]) -> Command<Stored>;

    /// Whether there is an entry at `key`.
    fn contains(&self, key: &[u8]) -> Command<bool>;

    /// Adds the command that stores an entry without tags of its own.
    fn insert(
        &self,
        request: &mut Request,
        layout: Layout,
        key: &[u8],
        value: Vec<u8>,
        ttl: &Ttl,
    ) -> Result<(), RedisError>;

    /// The commands that read `keys`.
    fn get_many(&self, layout: Layout, keys: &[Cow<'_, [u8]>]) -> Batch<ReadMany<Stored>>;

    /// The commands that read `keys` and their remaining times.
    fn get_many_with_ttl(
        &self,
        layout: Layout,
        keys: &[Cow<'_, [u8]>],
    ) -> Batch<ReadMany<StoredWithTtl>>;
}
