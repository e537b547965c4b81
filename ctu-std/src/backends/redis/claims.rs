//! Claims of computations: a key beside the entry, with the number of its holder as the value.

use super::{Form, RedisCache, RedisError, command::Command, reply::Reply, request::Request};
use crate::caches::Claims;
use redis::Value;
use std::time::Duration;

/// The end of the key of a claim. The key begins like that of the entry, as an ACL may demand.
const SUFFIX: &[u8] = b".ctu-claim";

/// Removes a claim of this holder, in one step. The claim of a holder that was too slow may be another's.
const RELEASE: &[u8] =
    b"if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0";

impl<K, V, F> RedisCache<K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    fn claim_key(&self, key: &K) -> Result<Vec<u8>, RedisError> {
        Ok([&*self.entries.key(key)?, SUFFIX].concat())
    }
}

impl<K, V, F> Claims for RedisCache<K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    type Key = K;
    type Value = V;
    type Error = RedisError;

    /// As [`Claims::claim`] (`SET NX PX`), at the key of the entry and `.ctu-claim`.
    fn claim(&self, key: &K, holder: u64, lease: Duration) -> Result<bool, RedisError> {
        let key = self.claim_key(key)?;
        let (holder, lease) = (holder.to_string(), lease.as_millis().max(1).to_string());
        let set: [&[u8]; 6] = [
            b"SET",
            &key,
            holder.as_bytes(),
            b"NX",
            b"PX",
            lease.as_bytes(),
        ];
        let claim = Command {
            // A second claim would find the first.
            request: Request::of(&set).once(),
            read: |reply: &mut Reply| match reply.value()? {
                Value::Okay => Ok(true),
                Value::Nil => Ok(false),
                _ => Err(reply.unexpected()),
            },
        };
        self.client.execute(&key, &claim)
    }

    fn release(&self, key: &K, holder: u64) -> Result<(), RedisError> {
        let key = self.claim_key(key)?;
        let holder = holder.to_string();
        let release = Command {
            request: Request::of(&[b"EVAL", RELEASE, b"1", &key, holder.as_bytes()]),
            read: |reply: &mut Reply| reply.number().map(drop),
        };
        self.client.execute(&key, &release)
    }
}
