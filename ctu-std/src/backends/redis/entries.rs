//! The entries of a cache as the server has them: the encoding of keys and values, and the commands about
//! them. No I/O.

use super::{
    Form, RedisError,
    bounds::Bounds,
    command::{Batch, Command, Layout, Parts, Read},
    reply::Reply,
    request::Request,
    tags::{GENERATIONS, NO_TAGS, StoredEntry, TagCommands, TagSettings, generation_keys},
    tracking::Marks,
    ttl::Ttl,
};
use crate::caches::TaggedEntry;
use ctu_core::{CacheError as _, Error, Found};
use std::{borrow::Cow, marker::PhantomData, sync::Arc, time::Duration};

/// The encoded bytes of a batch of entries in memory at a time, one entry more at most.
const MAX_WRITE: usize = 4 << 20;

/// The reason why a key is refused.
const RESERVED: &str = "a key that begins with ctu-tag. is reserved in a cache with tags";

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
    /// `None` for a cache without tags.
    pub(super) tags: Option<TagSettings>,
    pub(super) max_key: usize,
    pub(super) max_value: usize,
}

impl<F> EntrySettings<F> {
    pub(super) fn with_form<G>(self, form: G) -> EntrySettings<G> {
        EntrySettings {
            form,
            ttl: self.ttl,
            tags: self.tags,
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
        if len > max {
            return Err(Error::KeyTooLong { len, max }.into());
        }
        match self.is_generation(&key) {
            true => Err(Error::Encode(RESERVED).into()),
            false => Ok(key),
        }
    }

    /// Whether `key` is that of the generation of a tag.
    pub(super) fn is_generation(&self, key: &[u8]) -> bool {
        let own = key.strip_prefix(self.settings.form.prefix());
        self.settings.tags.is_some() && own.is_some_and(|own| own.starts_with(GENERATIONS))
    }

    /// The commands about tags. `None` for a cache without tags.
    fn tags(&self) -> Option<TagCommands<'_>> {
        let settings = self.settings.tags.as_ref()?;
        Some(TagCommands {
            settings,
            prefix: self.settings.form.prefix(),
            max_key: self.settings.max_key,
            max_value: self.settings.max_value,
        })
    }

    /// The commands about tags.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a cache without tags.
    pub(super) fn tags_or_error(&self) -> Result<TagCommands<'_>, Error> {
        self.tags().ok_or(NO_TAGS)
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
        let (len, max) = (stored.len(), self.settings.max_value);
        if len > max {
            return Err(Error::StoredTooLong { len, max }.into());
        }
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

    /// The entry with the marks of its tags.
    pub(super) fn decode_tagged(
        &self,
        stored: StoredEntry,
    ) -> Result<Option<TaggedEntry<V>>, RedisError> {
        let prefix = generation_keys(self.settings.form.prefix());
        let mark = |name: &[u8]| self.marks.of(&[&*prefix, name].concat());
        let tags = stored.names().map(mark).collect();
        let found = self.decode_with_ttl((stored.value, stored.left))?;
        Ok(found.map(|(value, ttl)| TaggedEntry { value, ttl, tags }))
    }

    /// The mark of `tag`.
    pub(super) fn tag_mark(&self, tag: &str) -> Option<u64> {
        let (key, _) = self.tags()?.invalidate(tag).ok()?;
        Some(self.marks.of(&key))
    }

    /// The marks of the tags of each entry.
    pub(super) fn common_tags(&self) -> Vec<u64> {
        let settings = self.settings.tags.iter();
        let names = settings.flat_map(|tags| &tags.common);
        names.filter_map(|tag| self.tag_mark(tag)).collect()
    }

    /// The time to live of an entry that is stored with `ttl`.
    pub(super) fn ttl(&self, ttl: Option<Duration>) -> Result<Ttl, RedisError> {
        Ok(Ttl::new(ttl.or(self.settings.ttl))?)
    }

    /// The command that reads an entry with its tags.
    pub(super) fn get_tagged(&self, key: &[u8]) -> Result<Command<StoredEntry>, Error> {
        let request = self.tags_or_error()?.read(key);
        let read = StoredEntry::read;
        Ok(Command { request, read })
    }

    /// The commands that read entries with their tags.
    pub(super) fn get_many_tagged(
        &self,
        layout: Layout,
        keys: &[Cow<'_, [u8]>],
    ) -> Result<Batch<Read<Vec<StoredEntry>>>, Error> {
        let tags = self.tags_or_error()?;
        let mut parts = Parts::new(layout);
        for key in keys {
            parts.read(key, |request| tags.read_next(request, key));
        }
        let read: Read<Vec<StoredEntry>> =
            |reply| (0..reply.len()).map(|_| StoredEntry::read(reply)).collect();
        Ok(Batch { parts, read })
    }

    pub(super) fn get(&self, key: &[u8]) -> Command<Stored> {
        if let Some(tags) = self.tags() {
            return Command {
                request: tags.read(key),
                read: |reply| Ok(StoredEntry::read(reply)?.value),
            };
        }
        let bounds = Bounds::value(self.settings.max_value);
        Command {
            request: Request::of(&[b"GET", key]).expecting_values(bounds),
            read: Reply::bytes,
        }
    }

    pub(super) fn get_with_ttl(&self, key: &[u8]) -> Command<StoredWithTtl> {
        if let Some(tags) = self.tags() {
            return Command {
                request: tags.read(key),
                read: |reply| StoredEntry::read(reply).map(|entry| (entry.value, entry.left)),
            };
        }
        let bounds = Bounds::value(self.settings.max_value);
        let request = Request::of(&[b"GET", key]).and(&[b"PTTL", key]);
        Command {
            request: request.expecting_values(bounds),
            read: |reply| Ok((reply.bytes()?, reply.number()?)),
        }
    }

    /// GETDEL. A second one finds nothing.
    pub(super) fn pop(&self, key: &[u8]) -> Command<Stored> {
        if let Some(tags) = self.tags() {
            return Command {
                request: tags.pop(key),
                read: Reply::bytes,
            };
        }
        let bounds = Bounds::value(self.settings.max_value);
        let request = Request::of(&[b"GETDEL", key]).expecting_values(bounds);
        Command {
            request: request.once(),
            read: Reply::bytes,
        }
    }

    /// Whether there is an entry at `key`.
    pub(super) fn contains(&self, key: &[u8]) -> Command<bool> {
        let request = match self.tags() {
            Some(tags) => tags.contains(key),
            None => Request::of(&[b"EXISTS", key]),
        };
        Command {
            request,
            read: |reply| Ok(reply.number()? > 0),
        }
    }

    /// Adds the command that stores an entry.
    fn store(
        &self,
        request: &mut Request,
        layout: Layout,
        key: &[u8],
        value: Vec<u8>,
        ttl: &Ttl,
    ) -> Result<(), RedisError> {
        match self.tags() {
            Some(tags) => tags.insert(request, layout, key, value, ttl, &[]),
            None => {
                ttl.insert(request, key, &value);
                Ok(())
            }
        }
    }

    /// The command that stores an entry with tags.
    pub(super) fn insert_with_tags(
        &self,
        layout: Layout,
        key: &[u8],
        value: V,
        ttl: Option<Duration>,
        names: &[&str],
    ) -> Result<Command<()>, RedisError> {
        let (tags, value, ttl) = (self.tags_or_error()?, self.encode(value)?, self.ttl(ttl)?);
        let mut request = Request::batch();
        tags.insert(&mut request, layout, key, value, &ttl, names)?;
        let read = ttl.insert_reply();
        Ok(Command { request, read })
    }

    pub(super) fn insert(
        &self,
        layout: Layout,
        key: &[u8],
        value: V,
        ttl: Option<Duration>,
    ) -> Result<Command<()>, RedisError> {
        let value = self.encode(value)?;
        let ttl = self.ttl(ttl)?;
        let mut request = Request::batch();
        self.store(&mut request, layout, key, value, &ttl)?;
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
            parts.write(&key, |request| {
                self.store(request, layout, &key, value, ttl)
            })?;
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
        let (most, tags) = (layout.max_keys_per_command(), self.tags());
        let mut parts = Parts::new(layout);
        if let Some(tags) = tags {
            for key in keys {
                parts.read(key, |request| tags.read_next(request, key));
            }
        }
        let untagged = if tags.is_some() { &[] } else { keys };
        for keys in untagged.chunks(most) {
            parts.read(&keys[0], |request| {
                request.add_keys("MGET", keys);
                request.expect_values(Bounds::values(keys.len(), self.settings.max_value));
            });
        }
        let (count, has_tags) = (keys.len(), tags.is_some());
        let read = move |reply: &mut Reply| {
            if has_tags {
                let values = (0..reply.len()).map(|_| Ok(StoredEntry::read(reply)?.value));
                return values.collect();
            }
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
        if let Some(tags) = self.tags() {
            for key in keys {
                parts.read(key, |request| tags.read_next(request, key));
            }
            let read: Read<Vec<StoredWithTtl>> = |reply| {
                let entries = (0..reply.len()).map(|_| StoredEntry::read(reply));
                entries
                    .map(|entry| entry.map(|entry| (entry.value, entry.left)))
                    .collect()
            };
            return Batch { parts, read };
        }
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
