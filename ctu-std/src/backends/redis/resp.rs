//! Replies as a Redis server writes them (RESP2), parsed as their bytes arrive. On a tracking connection
//! (RESP3) there are pushes as well, which no request asked for.
//!
//! The `redis` crate's reader keeps the bytes after a reply and takes them for the next one. This one
//! tells whether there are more bytes than the request asked for, so that no key is ever given another
//! key's value.

use super::{RedisError, bounds::Bounds, error::peer};
use crate::backends::net::{Input, Malformed, NetError, Parser, read_number};
use ctu_core::Error;
use redis::{PushKind, Value};
use std::{mem, sync::Arc};

/// Limit of nested arrays: the map of a cluster has four levels.
const MAX_DEPTH: usize = 8;
/// Elements for which memory is set aside before any of them has arrived, at most.
const MAX_PREALLOC: usize = 1024;

/// The number of replies to a request, and the limits of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) replies: usize,
    pub(super) bounds: Bounds,
}

/// The replies on one connection.
pub(super) struct Replies {
    input: Input,
    server: Arc<str>,
    /// Those to the request under way.
    replies: Vec<Value>,
    /// The arrays that the next value is in, the innermost last.
    arrays: Vec<Array>,
    /// The length of the string that the next bytes are.
    string: Option<usize>,
    /// The limits of the rest of the reply under way; `None` between two replies.
    left: Option<Bounds>,
    protocol: Protocol,
}

/// The version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Resp2,
    Resp3,
}

/// An array that is not complete.
struct Array {
    values: Vec<Value>,
    len: usize,
    kind: ArrayKind,
}

/// The kinds of values with elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ArrayKind {
    Array,
    /// Keys and values, one after another.
    Map,
    /// A message that no request asked for.
    Push,
}

impl ArrayKind {
    fn complete(self, values: Vec<Value>) -> Value {
        match self {
            Self::Array => Value::Array(values),
            Self::Map => {
                let mut pairs = Vec::with_capacity(values.len() / 2);
                let mut values = values.into_iter();
                while let (Some(key), Some(value)) = (values.next(), values.next()) {
                    pairs.push((key, value));
                }
                Value::Map(pairs)
            }
            Self::Push => {
                let mut data = values.into_iter();
                let kind = match data.next() {
                    Some(Value::BulkString(name)) if name == b"invalidate" => PushKind::Invalidate,
                    Some(Value::BulkString(name)) if name == b"subscribe" => PushKind::Subscribe,
                    // No other push is used, so its name is not kept.
                    _ => PushKind::Other(String::new()),
                };
                Value::Push {
                    kind,
                    data: data.collect(),
                }
            }
        }
    }
}

/// The meaning of a line.
enum Head {
    Value(Value),
    /// A string of this length follows.
    String(usize),
    /// As many elements follow, at least one.
    Array(ArrayKind, usize),
}

/// The reason why a reply cannot be read.
#[derive(Debug)]
enum Unreadable {
    /// No Redis server sends such bytes.
    Malformed(Malformed),
    /// A string is longer than the request allows. Lengths in bytes.
    TooLong { len: usize, max: usize },
}

impl From<Malformed> for Unreadable {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

impl Replies {
    /// The parser of a new connection to `server`.
    pub(super) fn new(server: &Arc<str>) -> Self {
        Self {
            input: Input::default(),
            server: server.clone(),
            replies: Vec::new(),
            arrays: Vec::new(),
            string: None,
            left: None,
            protocol: Protocol::Resp2,
        }
    }

    /// The parser of a connection to `server` whose protocol is RESP3 from now on.
    pub(super) fn resp3(server: &Arc<str>) -> Self {
        Self {
            protocol: Protocol::Resp3,
            ..Self::new(server)
        }
    }

    /// The next reply or push of a connection in RESP3; `None` as long as it has not arrived.
    pub(super) fn message(&mut self, bounds: Bounds) -> Result<Option<Value>, RedisError> {
        self.reply(bounds).map_err(|error| self.unreadable(error))
    }

    /// The next reply; `None` as long as it has not arrived.
    fn reply(&mut self, bounds: Bounds) -> Result<Option<Value>, Unreadable> {
        let mut left = self.left.take().unwrap_or(bounds);
        while let Some(value) = self.value(&mut left)? {
            if let Some(reply) = self.place(value) {
                return Ok(Some(reply));
            }
        }
        self.left = Some(left);
        Ok(None)
    }

    /// The next value that is no array with elements; `None` as long as it has not arrived.
    fn value(&mut self, left: &mut Bounds) -> Result<Option<Value>, Unreadable> {
        loop {
            if let Some(len) = self.string {
                let Some(string) = self.input.string(len)? else {
                    return Ok(None);
                };
                self.string = None;
                return Ok(Some(Value::BulkString(string)));
            }
            if self.arrays.len() > MAX_DEPTH {
                return Err(Malformed("replies nested too deep").into());
            }
            let Some(line) = self.input.line()? else {
                return Ok(None);
            };
            match head(self.input.at(line), self.protocol, left)? {
                Head::Value(value) => return Ok(Some(value)),
                Head::String(len) => self.string = Some(len),
                Head::Array(ArrayKind::Push, _) if !self.arrays.is_empty() => {
                    return Err(Malformed("a push inside of a reply").into());
                }
                Head::Array(kind, len) => self.arrays.push(Array {
                    values: Vec::with_capacity(len.min(MAX_PREALLOC)),
                    len,
                    kind,
                }),
            }
        }
    }

    /// Puts a value in the array that it is an element of. The reply, if that is complete.
    fn place(&mut self, mut value: Value) -> Option<Value> {
        while let Some(mut array) = self.arrays.pop() {
            array.values.push(value);
            if array.values.len() < array.len {
                self.arrays.push(array);
                return None;
            }
            value = array.kind.complete(array.values);
        }
        Some(value)
    }

    fn unreadable(&self, error: Unreadable) -> RedisError {
        match error {
            Unreadable::Malformed(fault) => NetError::malformed(peer(&self.server), fault).into(),
            Unreadable::TooLong { len, max } => Error::StoredTooLong { len, max }.into(),
        }
    }
}

impl Parser for Replies {
    type Expected = Expected;
    type Reply = Vec<Value>;
    type Error = RedisError;

    fn room(&mut self) -> &mut [u8] {
        self.input.room()
    }

    fn filled(&mut self, len: usize) {
        self.input.filled(len);
    }

    /// Some of the replies may be errors; one that precedes the end of the connection is an error here.
    fn next(&mut self, expected: &Expected) -> Result<Option<Vec<Value>>, RedisError> {
        if self.replies.is_empty() {
            self.replies.reserve(expected.replies.min(MAX_PREALLOC));
        }
        while self.replies.len() < expected.replies {
            let reply = self.reply(expected.bounds);
            let Some(reply) = reply.map_err(|error| self.unreadable(error))? else {
                return Ok(None);
            };
            if let Value::ServerError(error) = &reply {
                let error = RedisError::reported(&self.server, error);
                if error.is_last() {
                    return Err(error);
                }
            }
            self.replies.push(reply);
        }
        Ok(Some(mem::take(&mut self.replies)))
    }

    fn is_drained(&self) -> bool {
        self.input.is_drained() && self.left.is_none() && self.replies.is_empty()
    }

    #[cfg(feature = "tokio")]
    fn size(reply: &Vec<Value>) -> usize {
        let size = |value: &Value| match value {
            Value::BulkString(bytes) => bytes.len(),
            Value::Array(values) => Self::size(values),
            _ => 0,
        };
        reply.iter().map(size).sum()
    }

    #[cfg(feature = "tokio")]
    fn farewell(&mut self) -> Option<RedisError> {
        let Ok(Some(Value::ServerError(error))) = self.reply(Bounds::default()) else {
            return None;
        };
        let error = RedisError::reported(&self.server, &error);
        error.is_last().then_some(error)
    }
}

/// The meaning of a line, the first of a value. `left` are the limits of the rest of the reply.
fn head(line: &[u8], protocol: Protocol, left: &mut Bounds) -> Result<Head, Unreadable> {
    let Some((kind, line)) = line.split_first() else {
        return Err(Malformed("an empty line").into());
    };
    let value = match kind {
        b'+' if line == b"OK" => Value::Okay,
        b'+' => Value::SimpleString(text(line)?),
        b'-' => error(line)?,
        b':' => Value::Int(number(line)?),
        b'$' => match length(line)? {
            None => Value::Nil,
            Some(len) if len > left.string => {
                let max = left.string;
                return Err(Unreadable::TooLong { len, max });
            }
            Some(len) => {
                left.strings = take(left.strings, len)?;
                return Ok(Head::String(len));
            }
        },
        b'*' => match length(line)? {
            None => Value::Nil,
            Some(len) => return elements(ArrayKind::Array, len, left),
        },
        b'_' if protocol == Protocol::Resp3 => Value::Nil,
        b'%' | b'>' if protocol == Protocol::Resp3 => {
            let len = length(line)?.ok_or(Malformed("a length that cannot be"))?;
            let (kind, len) = match kind {
                b'>' => (ArrayKind::Push, Some(len)),
                _ => (ArrayKind::Map, len.checked_mul(2)),
            };
            let len = len.ok_or(Malformed("a length that cannot be"))?;
            return elements(kind, len, left);
        }
        _ => return Err(Malformed("no reply begins like this").into()),
    };
    Ok(Head::Value(value))
}

/// The head of a value with `len` elements.
fn elements(kind: ArrayKind, len: usize, left: &mut Bounds) -> Result<Head, Unreadable> {
    if len == 0 {
        return Ok(Head::Value(kind.complete(Vec::new())));
    }
    left.elements = take(left.elements, len)?;
    Ok(Head::Array(kind, len))
}

fn take(left: usize, taken: usize) -> Result<usize, Malformed> {
    left.checked_sub(taken)
        .ok_or(Malformed("a reply longer than its request allows"))
}

fn text(line: &[u8]) -> Result<String, Malformed> {
    String::from_utf8(line.to_vec()).map_err(|_| Malformed("a status that is not text"))
}

/// An error reply. Only the crate's own reader can make this type.
fn error(line: &[u8]) -> Result<Value, Malformed> {
    let line = String::from_utf8_lossy(line);
    redis::parse_redis_value(format!("-{line}\r\n").as_bytes())
        .map_err(|_| Malformed("an error that is not text"))
}

fn number(line: &[u8]) -> Result<i64, Malformed> {
    let (negative, digits) = match line.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, line),
    };
    let sign = if negative { -1 } else { 1 };
    read_number(digits)
        .and_then(|number| i128::from(number).checked_mul(sign)?.try_into().ok())
        .ok_or(Malformed("a number that is none"))
}

/// The length of a string or an array; `None` for the form of no value.
fn length(line: &[u8]) -> Result<Option<usize>, Malformed> {
    let len = match number(line)? {
        -1 => return Ok(None),
        len => usize::try_from(len).ok(),
    };
    len.map(Some).ok_or(Malformed("a length that cannot be"))
}

#[cfg(test)]
mod tests;
