//! The entries of a cache as the server has them: the encoding of keys and values, and the commands about
//! them. No I/O.

use super::{
    Form, RedisError,
    command::{Batch, Command, Layout, Parts, Read},
    entry_commands::{EntryCommands, Stored, StoredWithTtl},
    plain_entries::PlainEntries,
    request::Request,
    tagged_entries::TaggedEntries,
    tags::{StoredEntry, TagSettings, generation_keys},
    tracking::Marks,
    ttl::Ttl,
};
use crate::caches::{TagGenerations, TaggedEntry};
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
    pub(super) commands: Arc<dyn EntryCommands>,
    pub(super) marks: Marks,
    types: PhantomData<fn(&K) -> V>,
}

impl<K, V, F> Entries<K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    pub(super) fn new(server: Arc<str>, settings: EntrySettings<F>) -> Self {
        let (max_key, max_value) = (settings.max_key, settings.max_value);
        let commands: Arc<dyn EntryCommands> = match &settings.tags {
            None => Arc::new(PlainEntries { max_value }),
            Some(tags) => Arc::new(TaggedEntries {
                common: tags.common.clone(),
                generations: generation_keys(settings.form.prefix()),
                max_key,
                max_value,
            }),
        };
        Self {
            server,
            settings,
            commands,
            marks: Marks::default(),
            types: PhantomData,
        }
    }

    /// The key on the server.
    pub(super) fn key<'k>(&self, key: &'k K) -> Result<Cow<'k, [u8]>, RedisError> {
        let key = self.settings.form.key(key)?;
        let (len, max) = (key.len(), self.settings.max_key);
        if len > max {
            return Err(Error::KeyTooLong { len, max }.into());
        }
        match self.commands.is_reserved(&key) {
            true => Err(Error::Encode(RESERVED).into()),
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
        let (key, _) = self.commands.tagged().ok()?.invalidate(tag).ok()?;
        Some(self.marks.of(&key))
    }

    /// The marks of the tags of each entry.
    pub(super) fn common_tags(&self) -> Vec<u64> {
        let tagged = self.commands.tagged();
        let names = tagged.iter().flat_map(|tagged| &tagged.common);
        names.filter_map(|tag| self.tag_mark(tag)).collect()
    }

    /// The time to live of an entry that is stored with `ttl`.
    pub(super) fn ttl(&self, ttl: Option<Duration>) -> Result<Ttl, RedisError> {
        Ok(Ttl::new(ttl.or(self.settings.ttl))?)
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
        let (tagged, ttl) = (self.commands.tagged()?, self.ttl(ttl)?);
        let (value, mut request) = (self.encode(value)?, Request::batch());
        tagged.insert_with_tags(&mut request, layout, key, value, &ttl, names)?;
        let read = ttl.insert_reply();
        Ok(Command { request, read })
    }

    /// The command that takes the generations of tags. `None` without any tag.
    pub(super) fn generations(
        &self,
        layout: Layout,
        key: &[u8],
        ttl: Option<Duration>,
        names: &[&str],
    ) -> Result<Option<Command<Vec<u8>>>, RedisError> {
        let (tagged, ttl) = (self.commands.tagged()?, self.ttl(ttl)?);
        tagged.generations(layout, key, &ttl, names)
    }

    /// The command that stores an entry under generations that were taken before.
    pub(super) fn insert_under(
        &self,
        layout: Layout,
        key: &[u8],
        value: V,
        ttl: Option<Duration>,
        taken: &TagGenerations,
    ) -> Result<Command<bool>, RedisError> {
        let (tagged, ttl) = (self.commands.tagged()?, self.ttl(ttl)?);
        let value = self.encode(value)?;
        tagged.insert_under(layout, key, value, &ttl, taken.as_bytes())
    }

    pub(super) fn insert(
        &self,
        layout: Layout,
        key: &[u8],
        value: V,
        ttl: Option<Duration>,
    ) -> Result<Command<()>, RedisError> {
        let (value, ttl) = (self.encode(value)?, self.ttl(ttl)?);
        let mut request = Request::batch();
        self.commands
            .insert(&mut request, layout, key, value, &ttl)?;
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
                self.commands.insert(request, layout, &key, value, ttl)
            })?;
        }
        let read = ttl.insert_reply();
        Ok((!parts.parts.is_empty()).then_some(Batch { parts, read }))
    }
}

impl<K: ?Sized, V, F: Clone> Clone for Entries<K, V, F> {
    fn clone(&self) -> Self {
        Self {
            server: self.server.clone(),
            settings: self.settings.clone(),
            commands: self.commands.clone(),
            marks: self.marks.clone(),
            types: PhantomData,
        }
    }
}
