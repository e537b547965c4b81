//! The requests to a Memcached server, each with the decoding of its answer. No I/O.

use super::{
    answers::{Expected, Item, number, value_head},
    commands::Entry,
};
use crate::backends::net::{Repeat, Work, push_number};
use std::time::Duration;

/// Data and flags.
pub(super) type Stored = (Vec<u8>, u32);
/// The same and the remaining time; `None` for no limit.
pub(super) type Timed = (Stored, Option<Duration>);

/// Names and values.
pub(super) type Statistics = Vec<(String, String)>;

/// A request and the decoding of its answer, which is `None` for an answer that no Memcached server
/// gives to it.
pub(super) struct Request<D> {
    pub(super) bytes: Vec<u8>,
    pub(super) expected: Expected,
    pub(super) work: Work,
    decode: D,
}

/// The answer to a meta command.
pub(super) enum Meta {
    Found(Timed),
    /// There is an entry, of which nothing was asked.
    Present,
    Miss,
    /// The server is older than the command.
    Unknown,
}

impl<T, D: Fn(Vec<Item>) -> Option<T>> Request<D> {
    fn new(bytes: Vec<u8>, expected: Expected, decode: D) -> Self {
        let reads_values = matches!(expected, Expected::Values(_));
        let work = Work::new(Repeat::Safe, bytes.len(), reads_values);
        Self {
            bytes,
            expected,
            work,
            decode,
        }
    }

    /// The meaning of an answer.
    pub(super) fn decode(&self, answer: Vec<Item>) -> Option<T> {
        (self.decode)(answer)
    }
}

/// A request whose answer is one line.
fn line<T>(
    bytes: Vec<u8>,
    decode: impl Fn(&[u8]) -> Option<T>,
) -> Request<impl Fn(Vec<Item>) -> Option<T>> {
    Request::new(bytes, Expected::Lines(1), move |answer| match &*answer {
        [item] => decode(&item.line),
        _ => None,
    })
}

/// The entry at `key`.
pub(super) fn get(key: &[u8]) -> Request<impl Fn(Vec<Item>) -> Option<Option<Stored>> + '_> {
    let bytes = [b"get ", key, b"\r\n"].concat();
    Request::new(bytes, Expected::Values(1), move |answer| {
        values(&[key], answer)?.pop()
    })
}

/// The entries at `keys`, in their order.
pub(super) fn get_many<'k>(
    keys: &'k [&[u8]],
) -> Request<impl Fn(Vec<Item>) -> Option<Vec<Option<Stored>>> + 'k> {
    let len = keys.iter().map(|key| key.len() + 1).sum::<usize>();
    let mut bytes = Vec::with_capacity(len + b"get\r\n".len());
    bytes.extend_from_slice(b"get");
    for key in keys {
        bytes.push(b' ');
        bytes.extend_from_slice(key);
    }
    bytes.extend_from_slice(b"\r\n");
    let expected = Expected::Values(keys.len());
    Request::new(bytes, expected, move |answer| values(keys, answer))
}

const MG: &[u8] = b"mg ";
const MG_FLAGS: &[u8] = b" k f t v\r\n";

/// The length of the command that [`get_with_ttl`] writes for `key`.
pub(super) fn get_with_ttl_len(key: &[u8]) -> usize {
    MG.len() + key.len() + MG_FLAGS.len()
}

/// The entries at `keys` and their remaining times.
pub(super) fn get_with_ttl<'k>(
    keys: &'k [&[u8]],
) -> Request<impl Fn(Vec<Item>) -> Option<Vec<Meta>> + 'k> {
    let len = keys.iter().map(|key| get_with_ttl_len(key)).sum();
    let mut bytes = Vec::with_capacity(len);
    for key in keys {
        for part in [MG, key, MG_FLAGS] {
            bytes.extend_from_slice(part);
        }
    }
    let mut request = Request::new(bytes, Expected::Metas(keys.len()), move |answer| {
        let items = answer.into_iter().zip(keys);
        items.map(|(item, key)| meta(item, key)).collect()
    });
    request.work = Work::new(Repeat::Safe, request.bytes.len(), true);
    request
}

/// Whether there is an entry at `key`.
pub(super) fn contains(key: &[u8]) -> Request<impl Fn(Vec<Item>) -> Option<Meta> + '_> {
    let bytes = [MG, key, b"\r\n"].concat();
    Request::new(bytes, Expected::Metas(1), move |mut answer| {
        meta(answer.pop()?, key)
    })
}

/// Stores `entry`.
pub(super) fn set(entry: &Entry, expires: u64) -> Request<impl Fn(Vec<Item>) -> Option<()>> {
    let mut bytes = Vec::with_capacity(entry.request_len());
    entry.write(&mut bytes, b"set ", expires);
    line(bytes, is_stored)
}

/// Stores `entries`.
pub(super) fn set_many(
    entries: &[Entry],
    expires: u64,
) -> Request<impl Fn(Vec<Item>) -> Option<()>> {
    let len = entries.iter().map(Entry::request_len).sum();
    let mut bytes = Vec::with_capacity(len);
    for entry in entries {
        entry.write(&mut bytes, b"set ", expires);
    }
    Request::new(bytes, Expected::Lines(entries.len()), |answer| {
        answer.iter().try_for_each(|item| is_stored(&item.line))
    })
}

/// Stores `entry` unless its key has an entry. Whether it was stored.
pub(super) fn add(entry: &Entry, expires: u64) -> Request<impl Fn(Vec<Item>) -> Option<bool>> {
    let mut bytes = Vec::with_capacity(entry.request_len());
    entry.write(&mut bytes, b"add ", expires);
    let mut request = line(bytes, |line| match line {
        b"STORED" => Some(true),
        b"NOT_STORED" => Some(false),
        _ => None,
    });
    // A second `add` finds the entry of the first.
    request.work = Work::new(Repeat::Never, request.bytes.len(), false);
    request
}

/// Removes the entry at `key`. Whether there was one.
pub(super) fn delete(key: &[u8]) -> Request<impl Fn(Vec<Item>) -> Option<bool>> {
    line([b"delete ", key, b"\r\n"].concat(), is_deleted)
}

/// Removes the entries at `keys`. Their number.
pub(super) fn delete_many(keys: &[&[u8]]) -> Request<impl Fn(Vec<Item>) -> Option<usize>> {
    let mut bytes = Vec::new();
    for key in keys {
        for part in [b"delete ", *key, b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    Request::new(bytes, Expected::Lines(keys.len()), |answer| {
        let deleted = answer.iter().map(|item| is_deleted(&item.line));
        deleted.map(|deleted| deleted.map(usize::from)).sum()
    })
}

/// Sets the expiry of the entry at `key`. Whether there is one.
pub(super) fn touch(key: &[u8], expires: u64) -> Request<impl Fn(Vec<Item>) -> Option<bool>> {
    let mut bytes = [b"touch ", key, b" "].concat();
    push_number(&mut bytes, expires);
    bytes.extend_from_slice(b"\r\n");
    line(bytes, |line| match line {
        b"TOUCHED" => Some(true),
        b"NOT_FOUND" => Some(false),
        _ => None,
    })
}

/// Removes all entries.
pub(super) fn flush() -> Request<impl Fn(Vec<Item>) -> Option<()>> {
    line(b"flush_all\r\n".to_vec(), |line| {
        (line == b"OK").then_some(())
    })
}

/// The statistics of a section, one word; of the general one, if it is empty.
pub(super) fn stats(section: &str) -> Request<impl Fn(Vec<Item>) -> Option<Statistics> + use<>> {
    let bytes = match section {
        "" => b"stats\r\n".to_vec(),
        section => format!("stats {section}\r\n").into_bytes(),
    };
    Request::new(bytes, Expected::Stats, |answer| {
        let pair = |item: Item| {
            let line = String::from_utf8_lossy(item.line.strip_prefix(b"STAT ")?);
            let (name, value) = line.split_once(' ').unwrap_or((&line, ""));
            Some((name.to_owned(), value.to_owned()))
        };
        answer.into_iter().map(pair).collect()
    })
}

/// The version of the server: a small request that every server answers.
pub(super) fn version() -> Request<impl Fn(Vec<Item>) -> Option<()>> {
    line(b"version\r\n".to_vec(), |line| {
        line.starts_with(b"VERSION ").then_some(())
    })
}

/// The values of some of `keys`, in any order: a proxy before several servers joins their answers.
fn values(keys: &[&[u8]], answer: Vec<Item>) -> Option<Vec<Option<Stored>>> {
    let mut found = vec![None; keys.len()];
    let mut next = 0;
    for item in answer {
        // The key is in the answer: no key is ever given another key's value.
        let (key, flags, _) = value_head(&item.line)?;
        // One server answers in the order of the keys: the next one is found at once.
        let mut indices = (next..keys.len()).chain(0..next);
        let index = indices.find(|index| keys[*index] == key && found[*index].is_none())?;
        found[index] = Some((item.data?, flags));
        next = index + 1;
    }
    Some(found)
}

/// The answer to the meta command about `key`.
fn meta(item: Item, key: &[u8]) -> Option<Meta> {
    let head = match &*item.line {
        b"ERROR" => return Some(Meta::Unknown),
        b"HD" => return Some(Meta::Present),
        // Some versions add the key.
        line if matches!(line.strip_prefix(b"EN"), Some(b"" | [b' ', ..])) => {
            return Some(Meta::Miss);
        }
        line => line.strip_prefix(b"VA ")?,
    };
    let (flags, left) = meta_head(head, key)?;
    Some(Meta::Found(((item.data?, flags), left)))
}

/// Flags and remaining time of `length kKEY fFLAGS tTIME`.
fn meta_head(head: &[u8], key: &[u8]) -> Option<(u32, Option<Duration>)> {
    let (mut own, mut flags, mut left) = (false, None, None);
    for word in head.split(|byte| *byte == b' ').skip(1) {
        match word.split_first()? {
            (b'k', word) => own = word == key,
            (b'f', word) => flags = Some(number(word)?),
            // -1 is for ever.
            (b't', b"-1") => left = Some(None),
            (b't', word) => left = Some(Some(Duration::from_secs(number(word)?))),
            _ => {}
        }
    }
    own.then_some((flags?, left?))
}

fn is_stored(line: &[u8]) -> Option<()> {
    (line == b"STORED").then_some(())
}

fn is_deleted(line: &[u8]) -> Option<bool> {
    match line {
        b"DELETED" => Some(true),
        b"NOT_FOUND" => Some(false),
        _ => None,
    }
}

impl Entry {
    /// The length of the command that stores it, at most.
    pub(super) fn request_len(&self) -> usize {
        // A word, three numbers, blanks and line ends.
        self.key.len() + self.data.len() + 64
    }

    fn write(&self, bytes: &mut Vec<u8>, command: &[u8], expires: u64) {
        bytes.extend_from_slice(command);
        bytes.extend_from_slice(&self.key);
        for number in [self.flags.into(), expires, self.data.len() as u64] {
            bytes.push(b' ');
            push_number(bytes, number);
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.data);
        bytes.extend_from_slice(b"\r\n");
    }
}
