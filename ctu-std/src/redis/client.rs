use super::{RedisError, link::Connector, request::Request};
use crate::net::{Deadline, Pool};
use redis::Value;
use std::{sync::Arc, time::Duration};

/// The server as caches see it: a request goes out, replies come back, within the deadline.
pub(super) struct Client {
    pool: Pool<Connector>,
    server: Arc<str>,
    deadline: Duration,
}

impl Client {
    pub(super) fn new(connector: Connector, size: usize, deadline: Duration) -> Self {
        Self {
            server: connector.server.clone(),
            pool: Pool::new(connector, size),
            deadline,
        }
    }

    /// Host and port, or path.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Sends `request`, and makes `T` of the replies to its commands. Where that fails, what came
    /// back was not from a Redis server, and the connection is thrown away.
    pub(super) fn all<T>(
        &self,
        request: &Request,
        mut read: impl FnMut(Vec<Value>) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        self.pool.run(
            request.repeat(),
            Deadline::after(self.deadline),
            |link, deadline| read(link.exchange(request, &self.server, deadline)?),
        )
    }

    /// Sends `request`, which is one command, and makes `T` of the reply.
    pub(super) fn one<T>(
        &self,
        request: &Request,
        mut read: impl FnMut(Value) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        self.all(request, |mut values| match values.pop() {
            Some(value) => read(value),
            None => Err(self.surprise()),
        })
    }

    /// The string that `request` asks for.
    pub(super) fn bytes(&self, request: &Request) -> Result<Option<Vec<u8>>, RedisError> {
        self.one(request, |value| self.as_bytes(value))
    }

    /// The number that `request` asks for.
    pub(super) fn number(&self, request: &Request) -> Result<i64, RedisError> {
        self.one(request, |value| self.as_number(&value))
    }

    /// Whether `request` was done.
    pub(super) fn done(&self, request: &Request) -> Result<(), RedisError> {
        self.all(request, |values| {
            values.iter().try_for_each(|value| match value {
                Value::Okay => Ok(()),
                _ => Err(self.surprise()),
            })
        })
    }

    pub(super) fn as_bytes(&self, value: Value) -> Result<Option<Vec<u8>>, RedisError> {
        match value {
            Value::BulkString(bytes) => Ok(Some(bytes)),
            Value::VerbatimString { text, .. } => Ok(Some(text.into_bytes())),
            Value::Nil => Ok(None),
            _ => Err(self.surprise()),
        }
    }

    pub(super) fn as_number(&self, value: &Value) -> Result<i64, RedisError> {
        match value {
            Value::Int(number) => Ok(*number),
            _ => Err(self.surprise()),
        }
    }

    pub(super) fn as_array(&self, value: Value) -> Result<Vec<Value>, RedisError> {
        match value {
            Value::Array(values) | Value::Set(values) => Ok(values),
            _ => Err(self.surprise()),
        }
    }

    /// A reply of another type than the command has.
    pub(super) fn surprise(&self) -> RedisError {
        RedisError::protocol(&self.server, "an answer of the wrong type")
    }
}
