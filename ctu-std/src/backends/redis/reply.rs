//! The replies of a server to the commands of a request.

use super::RedisError;
use redis::Value;
use std::{sync::Arc, vec};

/// Replies, read one after another. A reply of another type than the one asked for is an error of the
/// server, which no Redis gives.
pub(super) struct Reply {
    values: vec::IntoIter<Value>,
    server: Arc<str>,
}

impl Reply {
    /// The replies of `server`.
    ///
    /// # Errors
    /// That of the replies that are errors.
    pub(super) fn new(values: Vec<Value>, server: &Arc<str>) -> Result<Self, RedisError> {
        let errors = values.iter().filter_map(|value| match value {
            Value::ServerError(error) => Some(error),
            _ => None,
        });
        match RedisError::of_replies(server, errors) {
            Some(error) => Err(error),
            None => Ok(Self::of(values, server)),
        }
    }

    fn of(values: Vec<Value>, server: &Arc<str>) -> Self {
        Self {
            values: values.into_iter(),
            server: server.clone(),
        }
    }

    /// Host and port, or path, of the server that replies.
    pub(super) fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// How many replies are left.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The next reply, of any type.
    pub(super) fn value(&mut self) -> Result<Value, RedisError> {
        self.values.next().ok_or_else(|| self.unexpected())
    }

    /// The next reply, a string or nothing.
    pub(super) fn bytes(&mut self) -> Result<Option<Vec<u8>>, RedisError> {
        match self.value()? {
            Value::BulkString(bytes) => Ok(Some(bytes)),
            Value::VerbatimString { text, .. } => Ok(Some(text.into_bytes())),
            Value::Nil => Ok(None),
            _ => Err(self.unexpected()),
        }
    }

    /// The next reply, a string.
    pub(super) fn string(&mut self) -> Result<Vec<u8>, RedisError> {
        self.bytes()?.ok_or_else(|| self.unexpected())
    }

    /// The next reply, a number.
    pub(super) fn number(&mut self) -> Result<i64, RedisError> {
        match self.value()? {
            Value::Int(number) => Ok(number),
            _ => Err(self.unexpected()),
        }
    }

    /// The next reply, a number that counts something.
    pub(super) fn count(&mut self) -> Result<usize, RedisError> {
        usize::try_from(self.number()?).map_err(|_| self.unexpected())
    }

    /// The next reply, an array, as replies of its own.
    pub(super) fn array(&mut self) -> Result<Self, RedisError> {
        match self.value()? {
            Value::Array(values) | Value::Set(values) => Ok(Self::of(values, &self.server)),
            _ => Err(self.unexpected()),
        }
    }

    /// The next reply, an array of `count` strings or nothing.
    pub(super) fn strings(&mut self, count: usize) -> Result<Vec<Option<Vec<u8>>>, RedisError> {
        let mut array = self.array()?;
        match array.len() == count {
            true => (0..count).map(|_| array.bytes()).collect(),
            false => Err(self.unexpected()),
        }
    }

    /// All replies that are left, each of which says that its command was done.
    pub(super) fn done(&mut self) -> Result<(), RedisError> {
        while let Some(value) = self.values.next() {
            if value != Value::Okay {
                return Err(self.unexpected());
            }
        }
        Ok(())
    }

    /// The error of a reply of the wrong type.
    pub(super) fn unexpected(&self) -> RedisError {
        RedisError::protocol(&self.server, "an answer of the wrong type")
    }
}
