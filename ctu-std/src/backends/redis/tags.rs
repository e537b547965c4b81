//! Groups of entries by tags. No I/O.
//!
//! A tag has a generation: a random value at a key of its own. An entry with tags is stored with the
//! generations of its tags at its insertion. A read compares them with the present ones in the same
//! request, by a script, and is a miss if one differs. An invalidation replaces the generation. The
//! removal of a generation is an invalidation, too, such as its eviction: the next insertion makes another
//! one.
//!
//! ```text
//! entry       = magic count *tag value     of an entry with tags; otherwise the value alone
//! magic       = 00 "ctu-tags" 01
//! count       = 1 byte
//! tag         = length name generation     length: 2 bytes, big-endian
//! generation  = 16 bytes
//! generation of a tag, at the key   prefix "ctu-tag." name
//! ```

use super::{RedisError, reply::Reply};
use ctu_core::Error;
use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    process,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// The beginning of an entry with tags.
pub(super) const MAGIC: &[u8] = b"\0ctu-tags\x01";

/// The beginning of the key of a generation, after the prefix of the cache.
const GENERATIONS: &[u8] = b"ctu-tag.";

/// The bytes of a generation.
const GENERATION: usize = 16;

/// The bytes of a tag in an entry beside its name.
pub(super) const TAG_OVERHEAD: usize = 2 + GENERATION;

/// The largest number of tags of an entry.
pub(super) const MAX_TAGS: usize = 255;

/// The largest description of the tags of an entry, in bytes.
pub(super) const MAX_TAG_BYTES: usize = 64 << 10;

/// The tags of a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TagSettings {
    /// The tags of every entry of the cache.
    pub(super) common: Vec<String>,
}

/// An entry as a script reads it.
pub(super) struct StoredEntry {
    pub(super) value: Option<Vec<u8>>,
    /// PTTL.
    pub(super) left: i64,
    /// The tags as they are stored.
    tags: Vec<u8>,
}

impl StoredEntry {
    pub(super) fn read(reply: &mut Reply) -> Result<Self, RedisError> {
        let mut fields = reply.array()?;
        Ok(Self {
            value: fields.bytes()?,
            left: fields.number()?,
            tags: fields.string()?,
        })
    }

    /// The entry as a read without tags has it.
    pub(super) fn with_ttl(self) -> (Option<Vec<u8>>, i64) {
        (self.value, self.left)
    }

    /// The names of the tags.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        stored_tags(&self.tags).map(|(name, _)| name)
    }
}

/// The names and generations of tags as they are stored.
pub(super) fn stored_tags(mut rest: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (len, tag) = rest.split_first_chunk::<2>()?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (name, next) = tag.split_at_checked(len)?;
        let (generation, next) = next.split_at_checked(GENERATION)?;
        rest = next;
        Some((name, generation))
    })
}

/// The keys of the generations of a cache with this prefix.
pub(super) fn generation_keys(prefix: &[u8]) -> Vec<u8> {
    [prefix, GENERATIONS].concat()
}

/// The key of the generation of `tag`.
pub(super) fn generation_key(generations: &[u8], tag: &[u8], max: usize) -> Result<Vec<u8>, Error> {
    let key = [generations, tag].concat();
    let (len, max) = (key.len(), max.min(usize::from(u16::MAX)));
    match len > max {
        true => Err(Error::KeyTooLong { len, max }),
        false => Ok(key),
    }
}

/// A value that no other generation has, of any program: 16 bytes from the random numbers of the
/// operating system. A forked process begins with the random state of its parent.
pub(super) fn new_generation() -> [u8; GENERATION] {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Relaxed);
    let part = |half: u8| {
        let part = RandomState::new().hash_one((process::id(), count, half));
        part.to_be_bytes()
    };
    let mut generation = [0; GENERATION];
    generation[..8].copy_from_slice(&part(0));
    generation[8..].copy_from_slice(&part(1));
    generation
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn generations_differ() {
        let all: HashSet<_> = (0..1_000).map(|_| new_generation()).collect();
        assert_eq!(all.len(), 1_000);
    }

    #[test]
    fn names_of_any_bytes_end() {
        let names = |tags: &[u8]| {
            let entry = StoredEntry {
                value: None,
                left: 0,
                tags: tags.to_vec(),
            };
            entry.names().map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        let one = [&b"\0\x01a"[..], &[7; 16]].concat();
        assert_eq!(names(&one), [b"a"]);
        assert_eq!(names(&one.repeat(3)).len(), 3);
        // Without its end a tag has no generation.
        for len in 0..one.len() {
            assert_eq!(names(&one[..len]), Vec::<Vec<u8>>::new());
        }
        assert_eq!(names(b"\xff\xff"), Vec::<Vec<u8>>::new());
    }
}
