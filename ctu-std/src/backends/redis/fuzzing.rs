use super::{
    RedisError,
    bounds::Bounds,
    cluster,
    resp::{Expected, Replies},
};
use crate::backends::net::{ConnectionError, Parser, one_line};
use redis::Value;
use std::sync::Arc;

/// See [`crate::fuzzing::redis_replies`].
pub(crate) fn read(mut bytes: &[u8]) -> usize {
    let server: Arc<str> = "server:6379".into();
    let mut replies = Replies::new(&server);
    let expected = Expected {
        replies: 1,
        bounds: Bounds::SLOTS,
    };
    let mut count = 0;
    while let Ok(reply) = replies.next(&expected) {
        let Some(reply) = reply else {
            // Pieces of a few bytes: a reply may end at any of them.
            let len = replies.room().len().min(bytes.len()).min(7);
            if len == 0 {
                break;
            }
            replies.room()[..len].copy_from_slice(&bytes[..len]);
            replies.filled(len);
            bytes = &bytes[len..];
            continue;
        };
        for reply in &reply {
            count += 1;
            if let Value::ServerError(error) = reply {
                let error = RedisError::reported(&server, error);
                let text = error.to_string();
                assert_eq!(text, one_line(&text), "an error message is one line");
                let _ = error.disposition();
                cluster::fuzzing::redirect(&error);
            }
            cluster::fuzzing::map(reply);
        }
    }
    count
}
