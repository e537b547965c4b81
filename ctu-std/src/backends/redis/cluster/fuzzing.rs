use super::{super::RedisError, redirect::Redirect, topology};
use redis::Value;

/// Reads the redirect that `error` may be.
pub(crate) fn redirect(error: &RedisError) {
    let _ = Redirect::of(error);
}

/// Reads the slot map that `reply` may be.
pub(crate) fn map(reply: &Value) {
    let _ = topology::read(reply);
}
