use super::codec::push_key;
use ctu_core::Error;

/// Keys as they are on the servers, all in one buffer: a batch needs no allocation for each.
pub(super) struct Keys {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Keys {
    /// None yet, with room for so many.
    pub(super) fn with_capacity(keys: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(keys * 32),
            ends: Vec::with_capacity(keys),
        }
    }

    /// Adds the key that `prefix` and `key` stand for.
    pub(super) fn push(&mut self, prefix: &str, key: &str) -> Result<(), Error> {
        push_key(&mut self.bytes, prefix, key)?;
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// Each of them, in the order they were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let key = &self.bytes[start..*end];
            start = *end;
            key
        })
    }
}
