//! Replies as a Redis server writes them (RESP2), read one at a time.
//!
//! The `redis` crate's reader keeps what follows a reply and takes it for the next one. This one
//! tells when there is more than was asked for, so that no key is ever given another key's value.

use super::bounds::Bounds;
use crate::backends::net::{Reader, garbage, read_number};
use redis::Value;
use std::io::{self, Read};

/// Limit of nested arrays: the map of a cluster has four levels.
const MAX_DEPTH: usize = 8;

/// The reason why a reply cannot be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// Reading failed; `InvalidData` is a reply that no Redis server sends.
    Io(io::Error),
    /// A string is longer than the request allows. Lengths in bytes.
    TooLong { len: usize, max: usize },
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The replies of a connection.
#[derive(Default)]
pub(super) struct Replies(Reader);

impl Replies {
    /// Whether every byte that arrived belonged to a reply.
    pub(super) fn is_drained(&self) -> bool {
        self.0.is_drained()
    }

    /// Reads one reply, within `bounds`.
    pub(super) fn read(
        &mut self,
        source: &mut impl Read,
        mut bounds: Bounds,
    ) -> Result<Value, Unreadable> {
        self.nested(source, 0, &mut bounds)
    }

    /// Reads a reply or a part of one. `left` are the bounds of what is left of it.
    fn nested(
        &mut self,
        source: &mut impl Read,
        depth: usize,
        left: &mut Bounds,
    ) -> Result<Value, Unreadable> {
        if depth > MAX_DEPTH {
            return Err(garbage("replies nested too deep").into());
        }
        let line = self.0.line(source)?;
        let Some((kind, line)) = self.0.at(line).split_first() else {
            return Err(garbage("an empty line").into());
        };
        Ok(match kind {
            b'+' if line == b"OK" => Value::Okay,
            b'+' => Value::SimpleString(text(line)?),
            b'-' => error(line)?,
            b':' => Value::Int(number(line)?),
            b'$' => match length(line)? {
                None => Value::Nil,
                Some(len) => {
                    if len > left.string {
                        let max = left.string;
                        return Err(Unreadable::TooLong { len, max });
                    }
                    left.strings = take(left.strings, len)?;
                    Value::BulkString(self.0.bytes(source, len)?)
                }
            },
            b'*' => match length(line)? {
                None => Value::Nil,
                Some(len) => {
                    left.elements = take(left.elements, len)?;
                    let mut values = Vec::with_capacity(len.min(1024));
                    for _ in 0..len {
                        values.push(self.nested(source, depth + 1, left)?);
                    }
                    Value::Array(values)
                }
            },
            _ => return Err(garbage("no reply begins like this").into()),
        })
    }
}

fn take(left: usize, taken: usize) -> io::Result<usize> {
    left.checked_sub(taken)
        .ok_or_else(|| garbage("a reply longer than its request allows"))
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
    let (negative, digits) = match line.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, line),
    };
    let sign = if negative { -1 } else { 1 };
    read_number(digits)
        .and_then(|number| i128::from(number).checked_mul(sign)?.try_into().ok())
        .ok_or_else(|| garbage("a number that is none"))
}

/// `None` is how "nothing" is written.
fn length(line: &[u8]) -> io::Result<Option<usize>> {
    let len = match number(line)? {
        -1 => return Ok(None),
        len => usize::try_from(len).ok(),
    };
    len.map(Some)
        .ok_or_else(|| garbage("a length that cannot be"))
}

#[cfg(test)]
mod tests;
