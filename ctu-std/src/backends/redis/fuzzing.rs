use super::{RedisError, bounds::Bounds, cluster, resp::Replies};
use crate::backends::net::{Failure, one_line};
use redis::Value;
use std::sync::Arc;

/// See [`crate::fuzzing::redis_replies`].
pub(crate) fn read(mut bytes: &[u8]) -> usize {
    let server: Arc<str> = "server:6379".into();
    let mut replies = Replies::default();
    let mut count = 0;
    while let Ok(reply) = replies.read(&mut bytes, Bounds::SLOTS) {
        count += 1;
        if let Value::ServerError(error) = &reply {
            let error = RedisError::reported(&server, error);
            let text = error.to_string();
            assert_eq!(text, one_line(&text), "an error message is one line");
            let _ = error.fate();
            cluster::fuzzing::redirect(&error);
        }
        cluster::fuzzing::map(&reply);
    }
    count
}
