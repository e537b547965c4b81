//! Groups of entries by tags. No I/O.
//!
//! A tag has a generation: a random value at a key of its own. An entry with tags is stored with the
//! generations of its tags at its insertion. A read compares them with the present ones in the same
//! request, by a script, and is a miss if one differs. An invalidation deletes the generation: the next
//! insertion makes another one. A generation that the server evicts therefore is an invalidation, too.
//!
//! ```text
//! entry       = magic count *tag value     of an entry with tags; otherwise the value alone
//! magic       = 00 "ctu-tags" 01
//! count       = 1 byte
//! tag         = length name generation     length: 2 bytes, big-endian
//! generation  = 16 bytes
//! generation of a tag, at the key   prefix "ctu-tag." name
//! ```

use super::{
    RedisError, bounds::Bounds, command::Command, command::Layout, reply::Reply, request::Request,
    ttl::Ttl,
};
use ctu_core::{Capability, Error};
use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    process,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

const MAGIC: &[u8] = b"\0ctu-tags\x01";

/// The beginning of the key of a generation, after the prefix of the cache.
pub(super) const GENERATIONS: &[u8] = b"ctu-tag.";

/// The bytes of a generation.
const GENERATION: usize = 16;

/// The largest number of tags of an entry.
const MAX_TAGS: usize = 255;

/// The largest description of the tags of an entry, in bytes.
const MAX_TAG_BYTES: usize = 64 << 10;

/// The longest time-to-live whose double a script can calculate with, in milliseconds.
const LONGEST: u64 = 1 << 51;

/// Reads an entry: `v` is the value, and `h` its tags as they are stored.
macro_rules! read_entry {
    ($then:literal) => {
        concat!(
            "local v,m,h=redis.call('GET',KEYS[1]),#ARGV[1],'' ",
            "if v and string.sub(v,1,m)==ARGV[1] then ",
            "local p,n=m+2,string.byte(v,m+1) or 0 ",
            "for _=1,n do ",
            "local a,b=string.byte(v,p,p+1) ",
            "if not b then v=false break end ",
            "local e=p+1+a*256+b ",
            "local g=redis.call('GET',ARGV[2]..string.sub(v,p+2,e)) ",
            "if not g or g~=string.sub(v,e+1,e+16) then v=false break end ",
            "p=e+17 end ",
            "if v then h=string.sub(v,m+2,p-1) v=string.sub(v,p) end end ",
            $then
        )
        .as_bytes()
    };
}

const READ: &[u8] = read_entry!("return {v,redis.call('PTTL',KEYS[1]),h}");
const POP: &[u8] = read_entry!("redis.call('DEL',KEYS[1]) return v");
const CONTAINS: &[u8] = read_entry!("return v and 1 or 0");

/// Stores an entry with the generations of its tags. A tag without a generation gets one. A generation
/// outlives the entries with it; half of its time is spare, so few insertions change it.
const INSERT: &[u8] = b"local h,ms={ARGV[1],string.char(#KEYS-1)},tonumber(ARGV[4]) \
for i=2,#KEYS do \
local k,t=KEYS[i],ARGV[i+5] \
local g=redis.call('GET',k) \
if not g or #g~=16 then g=ARGV[3] \
if ms>0 then redis.call('SET',k,g,'PX',string.format('%.0f',2*ms)) else redis.call('SET',k,g) end \
else local left=redis.call('PTTL',k) \
if left>=0 and ms==0 then redis.call('PERSIST',k) \
elseif left>=0 and left<ms then redis.call('PEXPIRE',k,string.format('%.0f',2*ms)) end end \
h[#h+1]=string.char(math.floor(#t/256),#t%256)..t..g end \
h[#h+1]=ARGV[2] \
if ARGV[5]=='' then return redis.call('SET',KEYS[1],table.concat(h)) end \
return redis.call('SET',KEYS[1],table.concat(h),ARGV[5],ARGV[6])";

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

    /// The names of the tags.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.tags;
        std::iter::from_fn(move || {
            let (len, tag) = rest.split_first_chunk::<2>()?;
            let len = usize::from(u16::from_be_bytes(*len));
            let (name, next) = tag.split_at_checked(len)?;
            rest = next.get(GENERATION..)?;
            Some(name)
        })
    }
}

/// The keys of the generations of a cache with this prefix.
pub(super) fn generation_keys(prefix: &[u8]) -> Vec<u8> {
    [prefix, GENERATIONS].concat()
}

/// The key of the generation of `tag`.
fn generation_key(prefix: &[u8], tag: &str, max: usize) -> Result<Vec<u8>, Error> {
    let key = [prefix, GENERATIONS, tag.as_bytes()].concat();
    let (len, max) = (key.len(), max.min(usize::from(u16::MAX)));
    match len > max {
        true => Err(Error::KeyTooLong { len, max }),
        false => Ok(key),
    }
}

/// A value that no other generation has, of any program: 16 bytes from the random numbers of the
/// operating system. A forked process begins with the random state of its parent.
fn new_generation() -> [u8; GENERATION] {
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

/// The tags of a cache, with the settings that their requests need.
#[derive(Clone, Copy)]
pub(super) struct TagCommands<'s> {
    pub(super) settings: &'s TagSettings,
    pub(super) prefix: &'s [u8],
    pub(super) max_key: usize,
    pub(super) max_value: usize,
}

impl TagCommands<'_> {
    /// A command that runs a script which reads the entry at `key`.
    fn script(self, script: &[u8], key: &[u8]) -> Request {
        let generations = generation_keys(self.prefix);
        let script: [&[u8]; 6] = [b"EVAL", script, b"1", key, MAGIC, &generations];
        Request::of(&script)
    }

    /// Adds the command that reads the entry at `key`, for [`StoredEntry::read`].
    pub(super) fn read_next(self, request: &mut Request, key: &[u8]) {
        let generations = generation_keys(self.prefix);
        request.add(&[b"EVAL", READ, b"1", key, MAGIC, &generations]);
        let string = self.max_value.max(MAX_TAG_BYTES);
        request.expect_values(Bounds {
            string,
            strings: self.max_value.saturating_add(MAX_TAG_BYTES),
            elements: 3,
        });
    }

    /// Reads the entry at `key`.
    pub(super) fn read(self, key: &[u8]) -> Request {
        let mut request = Request::batch();
        self.read_next(&mut request, key);
        request
    }

    pub(super) fn pop(self, key: &[u8]) -> Request {
        let pop = self.script(POP, key).once();
        pop.expecting_values(Bounds::value(self.max_value))
    }

    pub(super) fn contains(self, key: &[u8]) -> Request {
        self.script(CONTAINS, key)
    }

    /// Adds the command that stores an entry with `tags` and those of the cache.
    pub(super) fn insert(
        self,
        request: &mut Request,
        layout: Layout,
        key: &[u8],
        value: Vec<u8>,
        ttl: &Ttl,
        tags: &[&str],
    ) -> Result<(), RedisError> {
        let common = self.settings.common.iter().map(String::as_str);
        let mut names: Vec<&str> = common.chain(tags.iter().copied()).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            // A value that looks like an entry with tags becomes one without any.
            let value = match value.starts_with(MAGIC) {
                true => [MAGIC, &[0], &value].concat(),
                false => value,
            };
            ttl.insert(request, key, &value);
            return Ok(());
        }
        let out_of_range = |what, got, max| Error::OutOfRange {
            what,
            got,
            min: 0,
            max,
        };
        if names.len() > MAX_TAGS {
            return Err(out_of_range("a number of tags", names.len(), MAX_TAGS).into());
        }
        let len = names.iter().map(|name| name.len() + 2 + GENERATION).sum();
        if len > MAX_TAG_BYTES {
            return Err(out_of_range("a number of bytes of tags", len, MAX_TAG_BYTES).into());
        }
        let keys = names
            .iter()
            .map(|name| generation_key(self.prefix, name, self.max_key));
        let keys = keys.collect::<Result<Vec<_>, Error>>()?;
        if keys
            .iter()
            .any(|tag| layout.place(tag) != layout.place(key))
            && layout.has_slots()
        {
            return Err(RedisError::TagInOtherSlot);
        }
        let (unit, time): (&[u8], &[u8]) = match ttl {
            Ttl::Forever => (b"", b""),
            Ttl::For(unit, time) => (unit.set(), time.as_bytes()),
            Ttl::Expired => {
                ttl.insert(request, key, &value);
                return Ok(());
            }
        };
        let kept = ttl.millis().filter(|ms| *ms <= LONGEST).unwrap_or(0);
        let (kept, count) = (kept.to_string(), (keys.len() + 1).to_string());
        let generation = new_generation();
        let mut arguments: Vec<&[u8]> = vec![b"EVAL", INSERT, count.as_bytes(), key];
        arguments.extend(keys.iter().map(Vec::as_slice));
        arguments.extend([MAGIC, &value, &generation, kept.as_bytes(), unit, time]);
        arguments.extend(names.iter().map(|name| name.as_bytes()));
        request.add(&arguments);
        Ok(())
    }

    /// Removes the generation of `tag`, and so makes its entries misses. With the key for the place of the
    /// request.
    pub(super) fn invalidate(self, tag: &str) -> Result<(Vec<u8>, Command<()>), Error> {
        let key = generation_key(self.prefix, tag, self.max_key)?;
        let command = Command {
            request: Request::of(&[b"DEL", &key]),
            read: |reply: &mut Reply| reply.number().map(drop),
        };
        Ok((key, command))
    }
}

/// The error of a cache without tags.
pub(super) const NO_TAGS: Error = Error::Unsupported(Capability::Tags);

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
        for len in 0..one.len() {
            assert_eq!(names(&one[..len]), Vec::<Vec<u8>>::new());
        }
        assert_eq!(names(b"\xff\xff"), Vec::<Vec<u8>>::new());
    }
}
