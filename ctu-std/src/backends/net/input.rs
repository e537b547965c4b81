//! The buffer between a connection and a parser.

use std::ops::Range;

/// The size of a read at most, unless a long string arrives.
pub(crate) const CHUNK: usize = 32 * 1024;
/// The same for a read of a long string.
const LONG_CHUNK: usize = 128 * 1024;
/// The longest line: numbers, status and error messages.
const MAX_LINE: usize = 64 * 1024;
/// Memory that is set aside for a string before any of it has arrived, at most.
const MAX_PREALLOC: usize = 1 << 20;

/// Bytes that arrived on a connection, as lines and as strings of known length.
///
/// It is fed: the driver reads into [`room`](Self::room) and reports by [`filled`](Self::filled). No
/// byte is looked at twice, and memory grows as bytes arrive, not as much as a reply claims to be long.
#[derive(Default)]
pub(crate) struct Input {
    buffer: Vec<u8>,
    /// The first byte that arrived and was not taken, and the one after the last.
    start: usize,
    end: usize,
    /// The number of bytes from `start` on that hold no line end.
    scanned: usize,
    /// A string that is longer than the buffer. It is read to its place without a stop in the buffer.
    long: Option<LongString>,
}

struct LongString {
    /// As much as has arrived, and room for more.
    bytes: Vec<u8>,
    filled: usize,
    len: usize,
}

/// The fault of bytes that no server of this kind sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Malformed(pub(crate) &'static str);

impl Input {
    /// Whether every byte that arrived was taken.
    pub(crate) fn is_drained(&self) -> bool {
        self.start == self.end && self.long.is_none()
    }

    /// The place of the bytes that arrive next. It is not empty.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if let Some(long) = &mut self.long
            && long.filled < long.len
        {
            let end = long.len.min(long.filled.saturating_add(LONG_CHUNK));
            if long.bytes.len() < end {
                long.bytes.resize(end, 0);
            }
            return &mut long.bytes[long.filled..end];
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + CHUNK {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        &mut self.buffer[self.end..]
    }

    /// Takes in that the first `len` bytes of [`room`](Self::room) have arrived.
    pub(crate) fn filled(&mut self, len: usize) {
        match &mut self.long {
            Some(long) if long.filled < long.len => {
                long.filled = long.bytes.len().min(long.filled + len);
            }
            _ => self.end = self.buffer.len().min(self.end + len),
        }
    }

    /// The bytes of a [`line`](Self::line).
    pub(crate) fn at(&self, line: Range<usize>) -> &[u8] {
        &self.buffer[line]
    }

    /// Takes the next line: its place in the buffer, without the line end. Valid until more arrives.
    /// `None` as long as its end has not arrived.
    pub(crate) fn line(&mut self) -> Result<Option<Range<usize>>, Malformed> {
        let rest = &self.buffer[self.start..self.end];
        let Some(at) = rest[self.scanned..].iter().position(|byte| *byte == b'\n') else {
            self.scanned = rest.len();
            return match self.scanned > MAX_LINE {
                true => Err(Malformed("a line does not end")),
                false => Ok(None),
            };
        };
        let end = self.scanned + at;
        let [.., b'\r'] = &rest[..end] else {
            return Err(Malformed("a line ends wrongly"));
        };
        let line = self.start..self.start + end - 1;
        self.take(end + 1);
        Ok(Some(line))
    }

    /// Takes the next `len` bytes and the line end after them. `None` as long as these have not arrived;
    /// the next call is then for the same string.
    pub(crate) fn string(&mut self, len: usize) -> Result<Option<Vec<u8>>, Malformed> {
        if self.long.is_none() && len <= CHUNK {
            let Some(string) = self.available().get(..len + 2) else {
                return Ok(None);
            };
            let string = without_line_end(string)?.to_vec();
            self.take(len + 2);
            return Ok(Some(string));
        }
        if self.long.is_none() {
            let here = self.available();
            let here = &here[..here.len().min(len)];
            let mut bytes = Vec::with_capacity(len.min(MAX_PREALLOC));
            bytes.extend_from_slice(here);
            let filled = bytes.len();
            self.take(filled);
            self.long = Some(LongString { bytes, filled, len });
        }
        let arrived = self
            .long
            .as_ref()
            .is_some_and(|long| long.filled == long.len);
        let Some(end) = self.available().get(..2).filter(|_| arrived) else {
            return Ok(None);
        };
        without_line_end(end)?;
        self.take(2);
        Ok(self.long.take().map(|long| long.bytes))
    }

    fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn take(&mut self, len: usize) {
        self.start += len;
        self.scanned = 0;
    }
}

fn without_line_end(string: &[u8]) -> Result<&[u8], Malformed> {
    string
        .strip_suffix(b"\r\n")
        .ok_or(Malformed("a string is not as long as it says"))
}
