//! Replies as a Redis server writes them (RESP2), read one at a time.
//!
//! The `redis` crate's reader keeps what follows a reply and takes it for the next one. This one
//! tells when there is more than was asked for, so that no key is ever given another key's value;
//! and it allocates as bytes arrive, not as much as a reply claims to be long.

use redis::Value;
use std::{
    io::{self, Read},
    ops::Range,
};

/// Replies in replies, at most: SCAN has one level.
const DEPTH: usize = 8;
/// What Redis itself allows a string to be (`proto-max-bulk-len` is 512 MiB), with room to spare.
const LONGEST: usize = 1 << 32;
/// How much is read at once.
const CHUNK: usize = 32 * 1024;
/// How long a line may be: numbers, status and error messages.
const LINE: usize = 64 * 1024;
/// Room that is made before anything has arrived.
const TRUSTED: usize = 1 << 20;

/// Bytes that were read from a connection and not yet looked at.
#[derive(Default)]
pub(super) struct Replies {
    buffer: Vec<u8>,
    /// The first byte that was read and not looked at, and the one after the last.
    start: usize,
    end: usize,
}

impl Replies {
    /// Whether every byte that arrived belonged to a reply.
    pub(super) fn is_drained(&self) -> bool {
        self.start == self.end
    }

    /// Reads one reply. `InvalidData` is one that no Redis server would send.
    pub(super) fn read(&mut self, source: &mut impl Read) -> io::Result<Value> {
        self.nested(source, 0)
    }

    fn nested(&mut self, source: &mut impl Read, depth: usize) -> io::Result<Value> {
        if depth > DEPTH {
            return Err(garbage("replies nested too deep"));
        }
        let line = self.line(source)?;
        let Some((kind, line)) = self.buffer[line].split_first() else {
            return Err(garbage("an empty line"));
        };
        match kind {
            b'+' if line == b"OK" => Ok(Value::Okay),
            b'+' => Ok(Value::SimpleString(text(line)?)),
            b'-' => error(line),
            b':' => Ok(Value::Int(number(line)?)),
            b'$' => match length(line)? {
                None => Ok(Value::Nil),
                Some(len) => Ok(Value::BulkString(self.bytes(source, len)?)),
            },
            b'*' => match length(line)? {
                None => Ok(Value::Nil),
                Some(len) => {
                    let mut values = Vec::with_capacity(len.min(1024));
                    for _ in 0..len {
                        values.push(self.nested(source, depth + 1)?);
                    }
                    Ok(Value::Array(values))
                }
            },
            _ => Err(garbage("no reply begins like this")),
        }
    }

    /// Where in the buffer the next line is, without its end.
    fn line(&mut self, source: &mut impl Read) -> io::Result<Range<usize>> {
        let mut seen = 0;
        loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(at) = unread[seen..].iter().position(|byte| *byte == b'\n') {
                let [.., b'\r'] = &unread[..seen + at] else {
                    return Err(garbage("a line ends wrongly"));
                };
                let line = self.start..self.start + seen + at - 1;
                self.start += seen + at + 1;
                return Ok(line);
            }
            seen = unread.len();
            if seen > LINE {
                return Err(garbage("a line does not end"));
            }
            self.fill(source)?;
        }
    }

    /// The next `len` bytes, which a line end follows.
    fn bytes(&mut self, source: &mut impl Read, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len.min(TRUSTED));
        if len <= CHUNK {
            self.fill_to(source, len + 2)?;
            bytes.extend_from_slice(&self.buffer[self.start..self.start + len]);
            self.start += len;
        } else {
            // What is long goes where it belongs without a stop in the buffer.
            let here = len.min(self.end - self.start);
            bytes.extend_from_slice(&self.buffer[self.start..self.start + here]);
            self.start += here;
            let missing = len - here;
            if source.take(missing as u64).read_to_end(&mut bytes)? < missing {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.fill_to(source, 2)?;
        }
        if &self.buffer[self.start..self.start + 2] != b"\r\n" {
            return Err(garbage("a string is not as long as it says"));
        }
        self.start += 2;
        Ok(bytes)
    }

    /// Reads until `len` bytes are there to be looked at.
    fn fill_to(&mut self, source: &mut impl Read, len: usize) -> io::Result<()> {
        while self.end - self.start < len {
            self.fill(source)?;
        }
        Ok(())
    }

    /// Reads what is there, at least a byte.
    fn fill(&mut self, source: &mut impl Read) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + CHUNK {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        match source.read(&mut self.buffer[self.end..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.end += read;
                Ok(())
            }
        }
    }
}

fn garbage(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn text(line: &[u8]) -> io::Result<String> {
    String::from_utf8(line.to_vec()).map_err(|_| garbage("a status that is not text"))
}

/// An error reply. The type can only be made by the crate's own reader.
fn error(line: &[u8]) -> io::Result<Value> {
    let line = String::from_utf8_lossy(line);
    redis::parse_redis_value(format!("-{line}\r\n").as_bytes())
        .map_err(|_| garbage("an error that is not text"))
}

fn number(line: &[u8]) -> io::Result<i64> {
    std::str::from_utf8(line)
        .ok()
        .and_then(|line| line.parse().ok())
        .ok_or_else(|| garbage("a number that is none"))
}

/// `None` is how "nothing" is written.
fn length(line: &[u8]) -> io::Result<Option<usize>> {
    match number(line)? {
        -1 => Ok(None),
        len => match usize::try_from(len) {
            Ok(len) if len <= LONGEST => Ok(Some(len)),
            _ => Err(garbage("a length that cannot be")),
        },
    }
}

#[cfg(test)]
mod tests;
