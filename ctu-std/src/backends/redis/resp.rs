//! Replies as a Redis server writes them (RESP2), read one at a time.
//!
//! The `redis` crate's reader keeps what follows a reply and takes it for the next one. This one
//! tells when there is more than was asked for, so that no key is ever given another key's value.

use crate::backends::net::{Reader, garbage, read_number};
use redis::Value;
use std::io::{self, Read};

/// Replies in replies, at most: SCAN has one level.
const DEPTH: usize = 8;
/// What Redis itself allows a string to be (`proto-max-bulk-len` is 512 MiB), with room to spare. As
/// replies count, since a `usize` need not be able to.
const LONGEST: i64 = 1 << 32;

/// The replies of a connection.
#[derive(Default)]
pub(super) struct Replies(Reader);

impl Replies {
    /// Whether every byte that arrived belonged to a reply.
    pub(super) fn is_drained(&self) -> bool {
        self.0.is_drained()
    }

    /// Reads one reply. `InvalidData` is one that no Redis server would send.
    pub(super) fn read(&mut self, source: &mut impl Read) -> io::Result<Value> {
        self.nested(source, 0)
    }

    fn nested(&mut self, source: &mut impl Read, depth: usize) -> io::Result<Value> {
        if depth > DEPTH {
            return Err(garbage("replies nested too deep"));
        }
        let line = self.0.line(source)?;
        let Some((kind, line)) = self.0.at(line).split_first() else {
            return Err(garbage("an empty line"));
        };
        match kind {
            b'+' if line == b"OK" => Ok(Value::Okay),
            b'+' => Ok(Value::SimpleString(text(line)?)),
            b'-' => error(line),
            b':' => Ok(Value::Int(number(line)?)),
            b'$' => match length(line)? {
                None => Ok(Value::Nil),
                Some(len) => Ok(Value::BulkString(self.0.bytes(source, len)?)),
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
        len if len <= LONGEST => usize::try_from(len).ok(),
        _ => None,
    };
    len.map(Some)
        .ok_or_else(|| garbage("a length that cannot be"))
}

#[cfg(test)]
mod tests;
