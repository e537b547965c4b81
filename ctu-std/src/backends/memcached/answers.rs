//! What a server answers to each command.

use super::{MemCachedError, link::Answers};
use crate::backends::net::read_number;
use std::time::Duration;

/// Data and flags.
pub(super) type Stored = (Vec<u8>, u32);
/// The same, and how much longer it lives: `None` for as long as the server likes.
pub(super) type Timed = (Stored, Option<Duration>);

/// What `mg` answers.
pub(super) enum Meta {
    Found(Timed),
    /// Something, of which no more was asked.
    There,
    Miss,
    /// The server is older than the command.
    Unknown,
}

impl Answers<'_, '_> {
    /// Reads one line, of which `read` knows what it says.
    pub(super) fn one<T>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<T, MemCachedError> {
        let read = read(self.line()?);
        read.ok_or_else(|| self.surprise())
    }

    /// Reads the answer to `get`: values of some of `keys`, in any order, as a proxy before several
    /// servers puts them together. `found` gets each with the index of its key.
    pub(super) fn values(
        &mut self,
        keys: &[&[u8]],
        mut found: impl FnMut(usize, Stored),
    ) -> Result<(), MemCachedError> {
        let mut next = 0;
        let mut answered = vec![false; keys.len()];
        loop {
            let line = self.line()?;
            if line == b"END" {
                return Ok(());
            }
            // The key is in the answer: no key is ever given another's value.
            let head = value_head(line).and_then(|(key, flags, len)| {
                // One server answers in the order of the keys: the next one is found at once.
                let mut indices = (next..keys.len()).chain(0..next);
                let index = indices.find(|index| keys[*index] == key && !answered[*index])?;
                Some((index, flags, len))
            });
            let Some((index, flags, len)) = head else {
                return Err(self.surprise());
            };
            found(index, (self.bytes(len)?, flags));
            answered[index] = true;
            next = index + 1;
        }
    }

    /// Reads the answer to `mg` of `key`.
    pub(super) fn meta(&mut self, key: &[u8]) -> Result<Meta, MemCachedError> {
        let head = match self.line_or(b"ERROR")? {
            None => return Ok(Meta::Unknown),
            // Some versions add the key.
            Some(line) if matches!(line.strip_prefix(b"EN"), Some(b"" | [b' ', ..])) => {
                return Ok(Meta::Miss);
            }
            Some(b"HD") => return Ok(Meta::There),
            Some(line) => line
                .strip_prefix(b"VA ")
                .and_then(|line| meta_head(line, key)),
        };
        match head {
            Some((len, flags, left)) => {
                let data = self.bytes(len)?;
                Ok(Meta::Found(((data, flags), left)))
            }
            None => Err(self.surprise()),
        }
    }
}

/// That an entry was stored.
pub(super) fn is_stored(line: &[u8]) -> Option<()> {
    (line == b"STORED").then_some(())
}

/// Whether an entry was removed.
pub(super) fn is_deleted(line: &[u8]) -> Option<bool> {
    match line {
        b"DELETED" => Some(true),
        b"NOT_FOUND" => Some(false),
        _ => None,
    }
}

/// Key, flags and length of `VALUE key flags length`.
fn value_head(line: &[u8]) -> Option<(&[u8], u32, usize)> {
    let mut words = line.strip_prefix(b"VALUE ")?.split(|byte| *byte == b' ');
    Some((
        words.next()?,
        number(words.next()?)?,
        number(words.next()?)?,
    ))
}

/// Length, flags and time left of `VA length kKEY fFLAGS tTIME`.
fn meta_head(line: &[u8], key: &[u8]) -> Option<(usize, u32, Option<Duration>)> {
    let mut words = line.split(|byte| *byte == b' ');
    let len = number(words.next()?)?;
    let (mut own, mut flags, mut left) = (false, None, None);
    for word in words {
        match word.split_first()? {
            (b'k', word) => own = word == key,
            (b'f', word) => flags = Some(number(word)?),
            // -1 is for ever.
            (b't', b"-1") => left = Some(None),
            (b't', word) => left = Some(Some(Duration::from_secs(number(word)?))),
            _ => {}
        }
    }
    own.then_some((len, flags?, left?))
}

fn number<T: TryFrom<u64>>(word: &[u8]) -> Option<T> {
    read_number(word)?.try_into().ok()
}
