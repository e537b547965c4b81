//! Claims of computations: a key beside the entry, with the number of its holder as the value.

#[cfg(feature = "tokio")]
use super::AsyncRedisCache;
use super::{
    Form, RedisCache, RedisError, command::Command, entries::Entries, reply::Reply,
    request::Request, script::Script,
};
#[cfg(feature = "tokio")]
use crate::caches::AsyncClaims;
use crate::caches::Claims;
use redis::Value;
use std::time::Duration;

/// The end of the key of a claim. The key begins like that of the entry, as an ACL may demand.
const SUFFIX: &[u8] = b".ctu-claim";

/// Removes a claim of this holder, in one step. The claim of a holder that was too slow may be another's.
static RELEASE: Script = Script::new(
    "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0",
);

/// The key of a claim.
fn claim_key<K, V, F>(entries: &Entries<K, V, F>, key: &K) -> Result<Vec<u8>, RedisError>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    Ok([&*entries.key(key)?, SUFFIX].concat())
}

/// Claims (`SET NX PX`).
fn claim(key: &[u8], holder: u64, lease: Duration) -> Command<bool> {
    let (holder, lease) = (holder.to_string(), lease.as_millis().max(1).to_string());
    let set: [&[u8]; 6] = [
        b"SET",
        key,
        holder.as_bytes(),
        b"NX",
        b"PX",
        lease.as_bytes(),
    ];
    Command {
        // A second claim would find the first.
        request: Request::of(&set).once(),
        read: |reply: &mut Reply| match reply.value()? {
            Value::Okay => Ok(true),
            Value::Nil => Ok(false),
            _ => Err(reply.unexpected()),
        },
    }
}

fn release(key: &[u8], holder: u64) -> Command<()> {
    let (holder, mut request) = (holder.to_string(), Request::batch());
    request.add_script(&RELEASE, &[b"1", key, holder.as_bytes()]);
    Command {
        request,
        read: |reply: &mut Reply| reply.number().map(drop),
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
        let key = claim_key(&self.entries, key)?;
        self.client.execute(&key, &claim(&key, holder, lease))
    }

    fn release(&self, key: &K, holder: u64) -> Result<(), RedisError> {
        let key = claim_key(&self.entries, key)?;
        self.client.execute(&key, &release(&key, holder))
    }
}

#[cfg(feature = "tokio")]
impl<K, V, F> AsyncClaims for AsyncRedisCache<K, V, F>
where
    K: ToOwned + Sync + ?Sized,
    V: Clone + Send,
    F: Form<K, V> + Send + Sync,
{
    /// As [`Claims::claim`] of a [`RedisCache`].
    async fn claim(&self, key: &K, holder: u64, lease: Duration) -> Result<bool, RedisError> {
        let key = claim_key(&self.entries, key)?;
        let claim = claim(&key, holder, lease);
        self.client.execute(&key, &claim).await
    }

    async fn release(&self, key: &K, holder: u64) -> Result<(), RedisError> {
        let key = claim_key(&self.entries, key)?;
        let release = release(&key, holder);
        self.client.execute(&key, &release).await
    }
}
