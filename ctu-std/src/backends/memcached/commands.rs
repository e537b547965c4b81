//! The commands that a cache needs of its servers.

use super::{
    MemCachedError,
    requests::{Stored, Timed},
    ttl::Expiry,
};
use crate::backends::net::{ConnectionError, Deadline, Disposition};
use ctu_core::{Capability, Error};
use std::sync::Arc;

/// The largest request for values, in bytes. A server may stop reading until its replies are read,
/// and they are read after the whole request is sent: buffers on the way hold a request of this
/// size.
pub(super) const MAX_READ: usize = 32 * 1024;

/// Commands of a request that stores or removes, at most.
pub(super) const MAX_COMMANDS: usize = 2048;
/// Bytes of a request that stores, after which there is no other command in it.
pub(super) const MAX_WRITE: usize = 4 << 20;

/// A key and a value as the server stores them.
pub(super) struct Entry {
    pub(super) key: Vec<u8>,
    pub(super) data: Vec<u8>,
    pub(super) flags: u32,
}

/// A server, or a client that is used like one.
///
/// The provided commands serve a client that knows no better form of them.
pub(super) trait Commands: Send + Sync {
    /// The name by which keys are distributed over servers.
    fn name(&self) -> &str;

    /// The name of the server in messages: host and port, or path.
    fn label(&self) -> &Arc<str>;

    /// The entry at `key`.
    fn get(&self, key: &[u8], deadline: Deadline) -> Result<Option<Stored>, MemCachedError> {
        Ok(self.get_many(&[key], deadline)?.pop().flatten())
    }

    /// The entries at `keys`, in the order of `keys`.
    fn get_many(
        &self,
        keys: &[&[u8]],
        deadline: Deadline,
    ) -> Result<Vec<Option<Stored>>, MemCachedError>;

    /// The entries at `keys`, in the order of `keys`, and their remaining times; `None` where
    /// remaining times are unknown.
    fn get_with_ttl(
        &self,
        _keys: &[&[u8]],
        _deadline: Deadline,
    ) -> Result<Option<Vec<Option<Timed>>>, MemCachedError> {
        Ok(None)
    }

    /// Whether there is an entry at `key`.
    fn contains(&self, key: &[u8], deadline: Deadline) -> Result<bool, MemCachedError> {
        Ok(self.get(key, deadline)?.is_some())
    }

    /// Stores `entry`.
    fn set(&self, entry: &Entry, expiry: Expiry, deadline: Deadline) -> Result<(), MemCachedError>;

    /// Stores `entries`. A refused entry does not keep the others from being stored; the first
    /// refusal is the error.
    fn set_many(
        &self,
        entries: &[Entry],
        expiry: Expiry,
        deadline: Deadline,
    ) -> Result<(), MemCachedError> {
        let mut refused = Ok(());
        for entry in entries {
            match self.set(entry, expiry, deadline) {
                Ok(()) => {}
                Err(error) if error.disposition() == Disposition::Reuse => {
                    refused = refused.and(Err(error))
                }
                Err(error) => return Err(error),
            }
        }
        refused
    }

    /// Stores `entry` unless its key has an entry. Returns whether it was stored.
    fn add(
        &self,
        _entry: &Entry,
        _expiry: Expiry,
        _deadline: Deadline,
    ) -> Result<bool, MemCachedError> {
        Err(Error::Unsupported(Capability::Add).into())
    }

    /// Removes the entry at `key`. Returns whether there was one.
    fn delete(&self, key: &[u8], deadline: Deadline) -> Result<bool, MemCachedError>;

    /// Removes the entries at `keys`. Returns their number.
    fn delete_many(&self, keys: &[&[u8]], deadline: Deadline) -> Result<usize, MemCachedError> {
        let mut deleted = 0;
        for key in keys {
            deleted += usize::from(self.delete(key, deadline)?);
        }
        Ok(deleted)
    }

    /// Sets the expiry of the entry at `key`. Returns whether there is an entry.
    fn touch(&self, key: &[u8], expiry: Expiry, deadline: Deadline)
    -> Result<bool, MemCachedError>;

    /// Removes all entries.
    fn flush(&self, deadline: Deadline) -> Result<(), MemCachedError>;

    /// The statistics of the server. `section` is one word, or empty for the general ones.
    fn stats(
        &self,
        _section: &str,
        _deadline: Deadline,
    ) -> Result<Vec<(String, String)>, MemCachedError> {
        Err(Error::Unsupported(Capability::Stats).into())
    }
}

/// Splits `all` into chunks of at most `most` elements. A chunk ends with the element whose `len`
/// brings its sum to `bytes` or above.
pub(super) fn chunks<T>(
    mut all: &[T],
    len: impl Fn(&T) -> usize,
    bytes: usize,
    most: usize,
) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let mut left = bytes;
        let fit = all.iter().take(most).take_while(|one| {
            let fits = left > 0;
            left = left.saturating_sub(len(one));
            fits
        });
        let (chunk, rest) = all.split_at(fit.count());
        all = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}
