//! The entries of a cache without tags. No I/O.

use super::{
    bounds::Bounds,
    command::{Batch, Command, Layout, Parts, Read},
    entry_commands::{EntryCommands, ReadMany, Stored, StoredWithTtl},
    error::RedisError,
    reply::Reply,
    request::Request,
    tagged_entries::{NO_TAGS, TaggedEntries},
    ttl::Ttl,
};
use ctu_core::Error;
use std::borrow::Cow;

/// Entries whose values are stored as they are.
pub(super) struct PlainEntries {
    pub(super) max_value: usize,
}

impl PlainEntries {
    fn value(&self) -> Bounds {
        Bounds::value(self.max_value)
    }
}

impl EntryCommands for PlainEntries {
    fn tagged(&self) -> Result<&TaggedEntries, Error> {
        Err(NO_TAGS)
    }

    fn is_reserved(&self, _: &[u8]) -> bool {
        false
    }

    fn get(&self, key: &[u8]) -> Command<Stored> {
        Command {
            request: Request::of(&[b"GET", key]).expecting_values(self.value()),
            read: Reply::bytes,
        }
    }

    fn get_with_ttl(&self, key: &[u8]) -> Command<StoredWithTtl> {
        let request = Request::of(&[b"GET", key]).and(&[b"PTTL", key]);
        Command {
            request: request.expecting_values(self.value()),
            read: |reply| Ok((reply.bytes()?, reply.number()?)),
        }
    }

    /// GETDEL. A second one finds nothing.
    fn pop(&self, key: &[u8]) -> Command<Stored> {
        let request = Request::of(&[b"GETDEL", key]).expecting_values(self.value());
        Command {
            request: request.once(),
            read: Reply::bytes,
        }
    }

    fn contains(&self, key: &[u8]) -> Command<bool> {
        Command {
            request: Request::of(&[b"EXISTS", key]),
            read: |reply| Ok(reply.number()? > 0),
        }
    }

    fn insert(
        &self,
        request: &mut Request,
        _: Layout,
        key: &[u8],
        value: Vec<u8>,
        ttl: &Ttl,
    ) -> Result<(), RedisError> {
        ttl.insert(request, key, &value);
        Ok(())
    }

    /// MGET.
    fn get_many(&self, layout: Layout, keys: &[Cow<'_, [u8]>]) -> Batch<ReadMany<Stored>> {
        let (most, count) = (layout.max_keys_per_command(), keys.len());
        let mut parts = Parts::new(layout);
        for keys in keys.chunks(most) {
            parts.read(&keys[0], |request| {
                request.add_keys("MGET", keys);
                request.expect_values(Bounds::values(keys.len(), self.max_value));
            });
        }
        let read = move |reply: &mut Reply| {
            let mut all = Vec::new();
            // In a cluster each reply is about one key.
            for first in (0..count).step_by(most).take(reply.len()) {
                all.extend(reply.strings(most.min(count - first))?);
            }
            Ok(all)
        };
        let read = Box::new(read);
        Batch { parts, read }
    }

    fn get_many_with_ttl(
        &self,
        layout: Layout,
        keys: &[Cow<'_, [u8]>],
    ) -> Batch<ReadMany<StoredWithTtl>> {
        let mut parts = Parts::new(layout);
        for key in keys {
            parts.read(key, |request| {
                request.add(&[b"MGET", key]);
                request.add(&[b"PTTL", key]);
                request.expect_values(Bounds::values(1, self.max_value));
            });
        }
        let read: Read<Vec<StoredWithTtl>> = |reply| {
            let pairs = (0..reply.len() / 2).map(|_| {
                let stored = reply.strings(1)?.pop().flatten();
                Ok((stored, reply.number()?))
            });
            pairs.collect()
        };
        let read = Box::new(read);
        Batch { parts, read }
    }
}
