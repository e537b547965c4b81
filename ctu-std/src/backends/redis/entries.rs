//! The entries of a cache as the server has them: the encoding of keys and values, and the commands about
//! them. No I/O.

use super::{
    Form, RedisError,
    bounds::Bounds,
    command::{Batch, Command, Layout, Parts, Read},
    reply::Reply,
    request::Request,
    tracking::Marks,
    ttl::Ttl,
};
use ctu_core::{CacheError as _, Error, Found};
use std::{borrow::Cow, marker::PhantomData, sync::Arc, time::Duration};

/// The encoded bytes of a batch of entries in memory at a time, one entry more at most.
const MAX_WRITE: usize = 4 << 20;

/// The error of a batch that is sent in several requests: the first refusal. An outage ends the batch.
pub(super) fn after_request(
    refused: &mut Result<(), RedisError>,
    done: Result<(), RedisError>,
) -> Result<(), RedisError> {
    match done {
        Err(error) if error.is_outage() => Err(error),
        done => {
            if refused.is_ok() {
                *refused = done;
            }
            Ok(())
        }
    }
}

/// The value of an entry on the server; `None` for no entry.
pub(super) type Stored = Option<Vec<u8>>;
/// The same and its PTTL.
pub(super) type StoredWithTtl = (Stored, i64);

/// The settings that decide about the entries of a cache.
#[derive(Clone)]
pub(super) struct EntrySettings<F> {
    pub(super) form: F,
    pub(super) ttl: Option<Duration>,
    pub(super) max_key: usize,
    pub(super) max_value: usize,
}

impl<F> EntrySettings<F> {
    pub(super) fn with_form<G>(self, form: G) -> EntrySettings<G> {
        EntrySettings {
            form,
            ttl: self.ttl,
            max_key: self.max_key,
            max_value: self.max_value,
        }
    }
}

/// The entries of a cache on `server`.
pub(super) struct Entries<K: ?Sized, V, F> {
    server: Arc<str>,
    pub(super) settings: EntrySettings<F>,
    pub(super) marks: Marks,
    types: PhantomData<fn(&K) -> V>,
}

impl<K: ?Sized, V, F> Entries<K, V, F> {
    pub(super) fn new(server: Arc<str>, settings: EntrySettings<F>) -> Self {
        Self {
            server,
            settings,
            marks: Marks::default(),
            types: PhantomData,
        }
    }
}

impl<K, V, F> Entries<K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    /// The key on the server.
    pub(super) fn key<'k>(&self, key: &'k K) -> Result<Cow<'k, [u8]>, RedisError> {
        let key = self.settings.form.key(key)?;
        let (len, max) = (key.len(), self.settings.max_key);
        match len > max {
            true => Err(Error::KeyTooLong { len, max }.into()),
            false => Ok(key),
        }
    }

    /// The mark of `key`. `None` if it has no form on the server.
    pub(super) fn mark(&self, key: &K) -> Option<u64> {
        Some(self.marks.of(&self.key(key).ok()?))
    }

    pub(super) fn keys<'k>(&self, keys: &[&'k K]) -> Result<Vec<Cow<'k, [u8]>>, RedisError> {
        keys.iter().map(|key| self.key(key)).collect()
    }

    /// The value on the server.
    pub(super) fn encode(&self, value: V) -> Result<Vec<u8>, RedisError> {
        let value = self.settings.form.encode(value)?;
        let (len, max) = (value.len(), self.settings.max_value);
        match len > max {
            true => Err(Error::ValueTooLong { len, max }.into()),
            false => Ok(value),
        }
    }

    pub(super) fn decode(&self, stored: Stored) -> Result<Option<V>, RedisError> {
        let Some(stored) = stored else {
            return Ok(None);
        };
        let value = self.settings.form.decode(stored);
        value.map_err(|error| RedisError::Decode {
            server: self.server.clone(),
            reason: error.to_string().into(),
        })
    }

    pub(super) fn decode_with_ttl(
        &self,
        (stored, left): StoredWithTtl,
    ) -> Result<Found<V>, RedisError> {
        let left = match left {
            // It expired between the two commands.
            -2 | 0 => return Ok(None),
            left => u64::try_from(left).ok().map(Duration::from_millis),
        };
        Ok(self.decode(stored)?.map(|value| (value, left)))
    }

    /// The time to live of an entry that is stored with `ttl`.
    pub(super) fn ttl(&self, ttl: Option<Duration>) -> Result<Ttl, RedisError> {
        Ok(Ttl::new(ttl.or(self.settings.ttl))?)
    }

    pub(super) fn get(&self, key: &[u8]) -> Command<Stored> {
        let bounds = Bounds::value(self.settings.max_value);
        Command {
            request: Request::of(&[b"GET", key]).expecting_values(bounds),
            read: Reply::bytes,
        }
    }

    pub(super) fn get_with_ttl(&self, key: &[u8]) -> Command<StoredWithTtl> {
        let bounds = Bounds::value(self.settings.max_value);
        let request = Request::of(&[b"GET", key]).and(&[b"PTTL", key]);
        Command {
            request: request.expecting_values(bounds),
            read: |reply| Ok((reply.bytes()?, reply.number()?)),
        }
    }

    /// GETDEL. A second one finds nothing.
    pub(super) fn pop(&self, key: &[u8]) -> Command<Stored> {
        let bounds = Bounds::value(self.settings.max_value);
        let request = Request::of(&[b"GETDEL", key]).expecting_values(bounds);
        Command {
            request: request.once(),
            read: Reply::bytes,
        }
    }

    pub(super) fn insert(
        &self,
        key: &[u8],
        value: V,
        ttl: Option<Duration>,
    ) -> Result<Command<()>, RedisError> {
        let value = self.encode(value)?;
        let ttl = self.ttl(ttl)?;
        let mut request = Request::batch();
        ttl.insert(&mut request, key, &value);
        let read = ttl.insert_reply();
        Ok(Command { request, read })
    }

    /// The commands that store the next of `entries`, of [`MAX_WRITE`] bytes or one entry more; `None`
    /// after the last.
    pub(super) fn insert_next<'k>(
        &self,
        layout: Layout,
        entries: &mut impl Iterator<Item = (&'k K, V)>,
        ttl: &Ttl,
    ) -> Result<Option<Batch<Read<()>>>, RedisError>
    where
        K: 'k,
    {
        let mut parts = Parts::new(layout);
        let mut len = 0;
        while len < MAX_WRITE {
            let Some((key, value)) = entries.next() else {
                break;
            };
            let value = self.encode(value)?;
            let key = self.key(key)?;
            len += key.len() + value.len();
            parts.write(&key, |request| ttl.insert(request, &key, &value));
        }
        let read = ttl.insert_reply();
        Ok((!parts.parts.is_empty()).then_some(Batch { parts, read }))
    }

    /// The commands that read `keys` (MGET).
    pub(super) fn get_many(
        &self,
        layout: Layout,
        keys: &[Cow<'_, [u8]>],
    ) -> Batch<impl Fn(&mut Reply) -> Result<Vec<Stored>, RedisError> + use<K, V, F>> {
        let most = layout.max_keys_per_command();
        let mut parts = Parts::new(layout);
        for keys in keys.chunks(most) {
            parts.read(&keys[0], |request| {
                request.add_keys("MGET", keys);
                request.expect_values(Bounds::values(keys.len(), self.settings.max_value));
            });
        }
        let count = keys.len();
        let read = move |reply: &mut Reply| {
            let mut all = Vec::new();
            // In a cluster each reply is about one key.
            for first in (0..count).step_by(most).take(reply.len()) {
                all.extend(reply.strings(most.min(count - first))?);
            }
            Ok(all)
        };
        Batch { parts, read }
    }

    /// The commands that read `keys` and their remaining times.
    pub(super) fn get_many_with_ttl(
        &self,
        layout: Layout,
        keys: &[Cow<'_, [u8]>],
    ) -> Batch<Read<Vec<StoredWithTtl>>> {
        let mut parts = Parts::new(layout);
        for key in keys {
            parts.read(key, |request| {
                request.add(&[b"MGET", key]);
                request.add(&[b"PTTL", key]);
                request.expect_values(Bounds::values(1, self.settings.max_value));
            });
        }
        let read: Read<Vec<StoredWithTtl>> = |reply| {
            let pairs = (0..reply.len() / 2).map(|_| {
                let stored = reply.strings(1)?.pop().flatten();
                Ok((stored, reply.number()?))
            });
            pairs.collect()
        };
        Batch { parts, read }
    }
}

impl<K: ?Sized, V, F: Clone> Clone for Entries<K, V, F> {
    fn clone(&self) -> Self {
        Self {
            server: self.server.clone(),
            settings: self.settings.clone(),
            marks: self.marks.clone(),
            types: PhantomData,
        }
    }
}

/// Whether there is an entry at `key`.
pub(super) fn contains(key: &[u8]) -> Command<bool> {
    Command {
        request: Request::of(&[b"EXISTS", key]),
        read: |reply| Ok(reply.number()? > 0),
    }
}

/// Removes the entry at `key`. Whether there was one.
pub(super) fn remove(key: &[u8]) -> Command<bool> {
    Command {
        request: Request::of(&[b"DEL", key]),
        read: |reply| Ok(reply.number()? > 0),
    }
}

/// Removes `keys` by `command`. The numbers of removed entries.
pub(super) fn remove_many(
    layout: Layout,
    command: &str,
    keys: &[impl AsRef<[u8]>],
) -> Batch<Read<usize>> {
    let mut parts = Parts::new(layout);
    for keys in layout.group(keys) {
        for keys in keys.chunks(layout.max_keys_per_command()) {
            parts.write(keys[0], |request| request.add_keys(command, keys));
        }
    }
    let read: Read<usize> = |reply| {
        let counts = (0..reply.len()).map(|_| reply.count());
        counts.sum()
    };
    Batch { parts, read }
}

/// The remaining time of the entry at `key`; `None` for no entry and for no limit.
pub(super) fn remaining_ttl(key: &[u8]) -> Command<Option<Duration>> {
    Command {
        request: Request::of(&[b"PTTL", key]),
        read: |reply| {
            Ok(u64::try_from(reply.number()?)
                .ok()
                .map(Duration::from_millis))
        },
    }
}

/// Sets the time to live of the entry at `key`. Whether there is one.
pub(super) fn touch(key: &[u8], ttl: &Ttl) -> Command<bool> {
    let request = match ttl {
        Ttl::Forever => Request::of(&[b"PERSIST", key]).and(&[b"EXISTS", key]),
        Ttl::For(unit, time) => Request::of(&[unit.expire(), key, time.as_bytes()]),
        Ttl::Expired => return remove(key),
    };
    // The last command tells.
    let read: Read<bool> = |reply| {
        while reply.len() > 1 {
            reply.number()?;
        }
        Ok(reply.number()? == 1)
    };
    Command { request, read }
}

/// Removes every key of the database.
pub(super) fn flush() -> Command<()> {
    Command {
        request: Request::of(&[b"FLUSHDB", b"ASYNC"]),
        read: Reply::done,
    }
}

/// The number of keys of the database.
pub(super) fn len() -> Command<usize> {
    Command {
        request: Request::of(&[b"DBSIZE"]),
        read: Reply::count,
    }
}
