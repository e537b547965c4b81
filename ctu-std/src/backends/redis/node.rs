use super::{RedisError, link::Connector, request::Request};
#[cfg(feature = "cluster")]
use crate::backends::net::Address;
use crate::backends::net::{Deadline, Limits, Pool};
use redis::Value;
use std::sync::Arc;
#[cfg(feature = "cluster")]
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// One server: connections to it, and what its answers have to look like.
pub(super) struct Node {
    pool: Pool<Connector>,
    server: Arc<str>,
    /// Whether it failed when it was last asked.
    #[cfg(feature = "cluster")]
    failed: AtomicBool,
}

impl Node {
    pub(super) fn new(connector: Connector, limits: Limits) -> Self {
        Self {
            server: connector.server.clone(),
            pool: Pool::new(connector, limits),
            #[cfg(feature = "cluster")]
            failed: AtomicBool::new(false),
        }
    }

    /// Host and port, or path.
    pub(super) fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// Sends `request`, and makes `T` of the replies to its commands. Where that fails, what came
    /// back was not from a Redis server, and the connection is thrown away.
    pub(super) fn all<T>(
        &self,
        request: &Request,
        deadline: Deadline,
        mut read: impl FnMut(&Self, Vec<Value>) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        self.pool.run(request.repeat(), deadline, |link, deadline| {
            let values = link.exchange(request, &self.server, deadline);
            let done = values.and_then(|values| read(self, values));
            if let Err(RedisError::Net(_)) = done {
                link.close();
            }
            done
        })
    }

    /// The one reply to what was one command.
    pub(super) fn single(&self, mut values: Vec<Value>) -> Result<Value, RedisError> {
        values.pop().ok_or_else(|| self.surprise())
    }

    /// Whether everything was done.
    pub(super) fn as_done(&self, values: &[Value]) -> Result<(), RedisError> {
        values.iter().try_for_each(|value| match value {
            Value::Okay => Ok(()),
            _ => Err(self.surprise()),
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

    /// How many there are of something.
    pub(super) fn as_count(&self, value: &Value) -> Result<usize, RedisError> {
        usize::try_from(self.as_number(value)?).map_err(|_| self.surprise())
    }

    pub(super) fn as_array(&self, value: Value) -> Result<Vec<Value>, RedisError> {
        match value {
            Value::Array(values) | Value::Set(values) => Ok(values),
            _ => Err(self.surprise()),
        }
    }

    /// The reply to MGET of `count` keys.
    pub(super) fn as_strings(
        &self,
        reply: Value,
        count: usize,
    ) -> Result<Vec<Option<Vec<u8>>>, RedisError> {
        let values = self.as_array(reply)?;
        if values.len() != count {
            return Err(self.surprise());
        }
        let strings = values.into_iter().map(|value| self.as_bytes(value));
        strings.collect()
    }

    /// A reply of another type than the command has.
    pub(super) fn surprise(&self) -> RedisError {
        RedisError::protocol(&self.server, "an answer of the wrong type")
    }
}

/// What only a cluster asks of its nodes.
#[cfg(feature = "cluster")]
impl Node {
    /// The connections to it.
    pub(super) fn pool(&self) -> &Pool<Connector> {
        &self.pool
    }

    /// Its address, unless its connection was given.
    pub(super) fn address(&self) -> Option<&Address> {
        self.pool.connector().address()
    }

    /// Whether it failed when it was last asked.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    pub(super) fn set_failed(&self, failed: bool) {
        // Each reply says so, on as many processors as there are: one that writes stops the others.
        if self.has_failed() != failed {
            self.failed.store(failed, Relaxed);
        }
    }
}
