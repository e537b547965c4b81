//! The entries of a cache with tags. No I/O.

use super::{
    bounds::Bounds,
    command::{Batch, Command, Layout, Parts},
    entry_commands::{EntryCommands, ReadMany, Stored, StoredWithTtl},
    error::RedisError,
    reply::Reply,
    request::Request,
    script::Script,
    tag_scripts::{CONTAINS, GENERATIONS, INSERT, INSERT_UNDER, POP, READ},
    tags::{
        MAGIC, MAX_TAG_BYTES, MAX_TAGS, StoredEntry, TAG_OVERHEAD, generation_key, new_generation,
        stored_tags,
    },
    ttl::Ttl,
};
use ctu_core::{Capability, Error};
use redis::Value;
use std::borrow::Cow;

/// The error of a cache without tags.
pub(super) const NO_TAGS: Error = Error::Unsupported(Capability::Tags);

/// The longest time-to-live whose double a script can calculate with, in milliseconds.
const LONGEST: u64 = 1 << 51;

/// Entries that are stored with the generations of their tags.
pub(super) struct TaggedEntries {
    /// The tags of every entry.
    pub(super) common: Vec<String>,
    /// The beginning of the keys of generations.
    pub(super) generations: Vec<u8>,
    pub(super) max_key: usize,
    pub(super) max_value: usize,
}

/// The names of some tags and the keys of their generations.
struct TagKeys<'t> {
    names: Vec<&'t str>,
    keys: Vec<Vec<u8>>,
}

/// The arguments of a script for the time-to-live of an entry: that of the generations at least, in
/// milliseconds, and those of SET.
struct Times<'t> {
    kept: String,
    unit: &'t [u8],
    time: &'t [u8],
}

impl<'t> Times<'t> {
    /// `None` for no time at all.
    fn of(ttl: &'t Ttl) -> Option<Self> {
        let (unit, time): (&[u8], &[u8]) = match ttl {
            Ttl::Forever => (b"", b""),
            Ttl::For(unit, time) => (unit.set(), time.as_bytes()),
            Ttl::Expired => return None,
        };
        let kept = ttl.millis().filter(|ms| *ms <= LONGEST).unwrap_or(0);
        let kept = kept.to_string();
        Some(Self { kept, unit, time })
    }
}

impl TaggedEntries {
    /// Adds a command that runs a script which reads the entry at `key`.
    fn script(&self, request: &mut Request, script: &'static Script, key: &[u8]) {
        request.add_script(script, &[b"1", key, MAGIC, &self.generations]);
    }

    /// Adds the command that reads the entry at `key`, for [`StoredEntry::read`].
    fn read_next(&self, request: &mut Request, key: &[u8]) {
        self.script(request, &READ, key);
        request.expect_values(Bounds {
            string: self.max_value.max(MAX_TAG_BYTES),
            strings: self.max_value.saturating_add(MAX_TAG_BYTES),
            elements: 3,
        });
    }

    fn read(&self, key: &[u8]) -> Request {
        let mut request = Request::batch();
        self.read_next(&mut request, key);
        request
    }

    /// The commands that read `keys`, and make `T` of each entry.
    fn read_many<T: 'static>(
        &self,
        layout: Layout,
        keys: &[Cow<'_, [u8]>],
        entry: fn(StoredEntry) -> T,
    ) -> Batch<ReadMany<T>> {
        let mut parts = Parts::new(layout);
        for key in keys {
            parts.read(key, |request| self.read_next(request, key));
        }
        let read = move |reply: &mut Reply| {
            let entries = (0..reply.len()).map(|_| StoredEntry::read(reply).map(entry));
            entries.collect()
        };
        let read = Box::new(read);
        Batch { parts, read }
    }

    /// Reads the entry at `key` with its tags.
    pub(super) fn get_tagged(&self, key: &[u8]) -> Command<StoredEntry> {
        Command {
            request: self.read(key),
            read: StoredEntry::read,
        }
    }

    /// The commands that read `keys` with their tags.
    pub(super) fn get_many_tagged(
        &self,
        layout: Layout,
        keys: &[Cow<'_, [u8]>],
    ) -> Batch<ReadMany<StoredEntry>> {
        self.read_many(layout, keys, |entry| entry)
    }

    /// The names and keys of `tags` and of those of the cache.
    fn tag_keys<'t>(
        &'t self,
        layout: Layout,
        key: &[u8],
        tags: &[&'t str],
    ) -> Result<TagKeys<'t>, RedisError> {
        let common = self.common.iter().map(String::as_str);
        let mut names: Vec<&str> = common.chain(tags.iter().copied()).collect();
        names.sort_unstable();
        names.dedup();
        let out_of_range = |what, got, max| Error::OutOfRange {
            what,
            got,
            min: 0,
            max,
        };
        if names.len() > MAX_TAGS {
            return Err(out_of_range("a number of tags", names.len(), MAX_TAGS).into());
        }
        let len = names.iter().map(|name| name.len() + TAG_OVERHEAD).sum();
        if len > MAX_TAG_BYTES {
            return Err(out_of_range("a number of bytes of tags", len, MAX_TAG_BYTES).into());
        }
        let keys = names.iter().map(|name| self.generation_key(name));
        let keys = keys.collect::<Result<Vec<_>, Error>>()?;
        Self::check_place(layout, key, &keys)?;
        Ok(TagKeys { names, keys })
    }

    /// A script may use keys of one slot alone.
    fn check_place(layout: Layout, key: &[u8], tags: &[Vec<u8>]) -> Result<(), RedisError> {
        let is_elsewhere = |tag: &Vec<u8>| layout.place(tag) != layout.place(key);
        match layout.has_slots() && tags.iter().any(is_elsewhere) {
            true => Err(RedisError::TagInOtherSlot),
            false => Ok(()),
        }
    }

    fn generation_key(&self, tag: &str) -> Result<Vec<u8>, Error> {
        generation_key(&self.generations, tag.as_bytes(), self.max_key)
    }

    /// Adds the command that stores an entry without any tag.
    fn insert_untagged(request: &mut Request, key: &[u8], value: Vec<u8>, ttl: &Ttl) {
        // A value that looks like an entry with tags becomes one without any.
        let value = match value.starts_with(MAGIC) {
            true => [MAGIC, &[0], &value].concat(),
            false => value,
        };
        ttl.insert(request, key, &value);
    }

    /// Adds the command that stores an entry with `tags` and those of the cache.
    pub(super) fn insert_with_tags(
        &self,
        request: &mut Request,
        layout: Layout,
        key: &[u8],
        value: Vec<u8>,
        ttl: &Ttl,
        tags: &[&str],
    ) -> Result<(), RedisError> {
        let tags = self.tag_keys(layout, key, tags)?;
        let times = match Times::of(ttl) {
            Some(times) if !tags.names.is_empty() => times,
            _ => {
                Self::insert_untagged(request, key, value, ttl);
                return Ok(());
            }
        };
        let generation = new_generation();
        let own: [&[u8]; 6] = [
            &generation,
            times.kept.as_bytes(),
            times.unit,
            times.time,
            MAGIC,
            &value,
        ];
        let names = tags.names.iter().map(|name| name.as_bytes());
        add_write(request, &INSERT, key, &tags.keys, &own, names);
        Ok(())
    }

    /// Takes the generations of `tags` and of those of the cache for an entry that is to live for `ttl`: the
    /// tags as the entry has them. `None` without any tag.
    pub(super) fn generations(
        &self,
        layout: Layout,
        key: &[u8],
        ttl: &Ttl,
        tags: &[&str],
    ) -> Result<Option<Command<Vec<u8>>>, RedisError> {
        let tags = self.tag_keys(layout, key, tags)?;
        let times = match Times::of(ttl) {
            Some(times) if !tags.names.is_empty() => times,
            _ => return Ok(None),
        };
        let (mut request, generation) = (Request::batch(), new_generation());
        let names = tags.names.iter().map(|name| name.as_bytes());
        let own: [&[u8]; 2] = [&generation, times.kept.as_bytes()];
        add_write(&mut request, &GENERATIONS, key, &tags.keys, &own, names);
        Ok(Some(Command {
            request: request.expecting(Bounds::value(MAX_TAG_BYTES)),
            read: Reply::string,
        }))
    }

    /// Stores an entry under generations that were [taken](Self::generations) before. Whether it is stored:
    /// not if a tag was invalidated since.
    pub(super) fn insert_under(
        &self,
        layout: Layout,
        key: &[u8],
        value: Vec<u8>,
        ttl: &Ttl,
        taken: &[u8],
    ) -> Result<Command<bool>, RedisError> {
        let mut request = Request::batch();
        let times = match Times::of(ttl) {
            Some(times) if !taken.is_empty() => times,
            _ => {
                Self::insert_untagged(&mut request, key, value, ttl);
                let read = |_: &mut Reply| Ok(true);
                return Ok(Command { request, read });
            }
        };
        let tags: Vec<_> = stored_tags(taken).collect();
        let len: usize = tags.iter().map(|(name, _)| name.len() + TAG_OVERHEAD).sum();
        if len != taken.len() || tags.len() > MAX_TAGS {
            return Err(Error::Decode("generations of tags").into());
        }
        let keys = tags.iter();
        let keys = keys.map(|(name, _)| generation_key(&self.generations, name, self.max_key));
        let keys = keys.collect::<Result<Vec<_>, Error>>()?;
        Self::check_place(layout, key, &keys)?;
        let whole = [MAGIC, &[keys.len() as u8], taken, &value].concat();
        let generations = tags.iter().map(|(_, generation)| *generation);
        let own: [&[u8]; 4] = [&whole, times.kept.as_bytes(), times.unit, times.time];
        add_write(&mut request, &INSERT_UNDER, key, &keys, &own, generations);
        let read = |reply: &mut Reply| match reply.value()? {
            Value::Okay => Ok(true),
            Value::Nil => Ok(false),
            _ => Err(reply.unexpected()),
        };
        Ok(Command { request, read })
    }

    /// Replaces the generation of `tag`, and so makes its entries misses. With the key for the place of the
    /// request.
    pub(super) fn invalidate(&self, tag: &str) -> Result<(Vec<u8>, Command<()>), Error> {
        let key = self.generation_key(tag)?;
        let replace: [&[u8]; 5] = [b"SET", &key, &new_generation(), b"XX", b"KEEPTTL"];
        let command = Command {
            request: Request::of(&replace),
            read: |reply: &mut Reply| match reply.value()? {
                // Without a generation the tag has no entries.
                Value::Okay | Value::Nil => Ok(()),
                _ => Err(reply.unexpected()),
            },
        };
        Ok((key, command))
    }
}

/// Adds a script that writes: the key of the entry, those of its tags, its `own` arguments, and one for each
/// tag.
fn add_write<'a>(
    request: &mut Request,
    script: &'static Script,
    key: &[u8],
    tags: &[Vec<u8>],
    own: &[&[u8]],
    of_tags: impl Iterator<Item = &'a [u8]>,
) {
    let count = (tags.len() + 1).to_string();
    let mut arguments: Vec<&[u8]> = vec![count.as_bytes(), key];
    arguments.extend(tags.iter().map(Vec::as_slice));
    arguments.extend(own);
    let of_tags: Vec<&[u8]> = of_tags.collect();
    arguments.extend(of_tags);
    request.add_script(script, &arguments);
}

impl EntryCommands for TaggedEntries {
    fn tagged(&self) -> Result<&TaggedEntries, Error> {
        Ok(self)
    }

    /// Whether `key` is that of the generation of a tag.
    fn is_reserved(&self, key: &[u8]) -> bool {
        key.starts_with(&self.generations)
    }

    fn get(&self, key: &[u8]) -> Command<Stored> {
        Command {
            request: self.read(key),
            read: |reply| Ok(StoredEntry::read(reply)?.value),
        }
    }

    fn get_with_ttl(&self, key: &[u8]) -> Command<StoredWithTtl> {
        Command {
            request: self.read(key),
            read: |reply| StoredEntry::read(reply).map(StoredEntry::with_ttl),
        }
    }

    fn pop(&self, key: &[u8]) -> Command<Stored> {
        let mut request = Request::batch().once();
        self.script(&mut request, &POP, key);
        Command {
            request: request.expecting_values(Bounds::value(self.max_value)),
            read: Reply::bytes,
        }
    }

    fn contains(&self, key: &[u8]) -> Command<bool> {
        let mut request = Request::batch();
        self.script(&mut request, &CONTAINS, key);
        Command {
            request,
            read: |reply| Ok(reply.number()? > 0),
        }
    }

    fn insert(
        &self,
        request: &mut Request,
        layout: Layout,
        key: &[u8],
        value: Vec<u8>,
        ttl: &Ttl,
    ) -> Result<(), RedisError> {
        self.insert_with_tags(request, layout, key, value, ttl, &[])
    }

    fn get_many(&self, layout: Layout, keys: &[Cow<'_, [u8]>]) -> Batch<ReadMany<Stored>> {
        self.read_many(layout, keys, |entry| entry.value)
    }

    fn get_many_with_ttl(
        &self,
        layout: Layout,
        keys: &[Cow<'_, [u8]>],
    ) -> Batch<ReadMany<StoredWithTtl>> {
        self.read_many(layout, keys, StoredEntry::with_ttl)
    }
}
