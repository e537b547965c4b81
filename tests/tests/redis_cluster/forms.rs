//! The two forms of a cache over a cluster: each scenario runs in both.

use ctu_std::{
    AsyncCache, AsyncRawRedisCache, Cache, Raw, RawRedisCache, RedisBuilder, RedisError,
    RedisStats, ServerInfo,
};
use ctu_tests::blocking::{Blocking, RUNTIME};
use std::{fmt, time::Duration, vec};

/// Makes a test in each form of each of these functions, which take it as a parameter.
macro_rules! in_both_forms {
    ($($scenario:ident)*) => {
        mod threads {
            $(#[test] fn $scenario() { super::$scenario::<ctu_std::RawRedisCache>(); })*
        }
        mod tasks {
            $(#[test] fn $scenario() {
                super::$scenario::<ctu_tests::blocking::Blocking<ctu_std::AsyncRawRedisCache>>();
            })*
        }
    };
}
pub(crate) use in_both_forms;

/// A cache of bytes in one of the forms.
pub(crate) trait Form:
    Cache<Key = [u8], Value = Vec<u8>, Error = RedisError> + Clone + fmt::Debug + Send + Sync + 'static
{
    fn build(builder: RedisBuilder<Raw>) -> Result<Self, RedisError>;

    /// The number of attempts of a read whose connection is lost each time, at most. The last one of
    /// tasks is on a connection of its own, since other requests on a shared one may be the cause.
    const READ_ATTEMPTS: usize;

    /// All keys, up to the first error.
    fn keys(&self) -> vec::IntoIter<Result<Vec<u8>, RedisError>>;

    /// Removes the other keys.
    fn keep(&self, keep: impl FnMut(&[u8]) -> bool + Send) -> Result<(), RedisError>;

    fn ttl(&self, key: &[u8]) -> Result<Option<Duration>, RedisError>;

    fn touch(&self, key: &[u8], ttl: Option<Duration>) -> Result<bool, RedisError>;

    fn info(&self, section: &str) -> Result<Vec<ServerInfo>, RedisError>;

    fn stats(&self) -> Result<RedisStats, RedisError>;
}

impl Form for RawRedisCache {
    const READ_ATTEMPTS: usize = 2;

    fn build(builder: RedisBuilder<Raw>) -> Result<Self, RedisError> {
        builder.build()
    }

    fn keys(&self) -> vec::IntoIter<Result<Vec<u8>, RedisError>> {
        self.keys().collect::<Vec<_>>().into_iter()
    }

    fn keep(&self, mut keep: impl FnMut(&[u8]) -> bool + Send) -> Result<(), RedisError> {
        self.retain(&mut keep)
    }

    fn ttl(&self, key: &[u8]) -> Result<Option<Duration>, RedisError> {
        self.ttl(key)
    }

    fn touch(&self, key: &[u8], ttl: Option<Duration>) -> Result<bool, RedisError> {
        self.touch(key, ttl)
    }

    fn info(&self, section: &str) -> Result<Vec<ServerInfo>, RedisError> {
        self.info(section)
    }

    fn stats(&self) -> Result<RedisStats, RedisError> {
        self.stats()
    }
}

impl Form for Blocking<AsyncRawRedisCache> {
    const READ_ATTEMPTS: usize = 3;

    fn build(builder: RedisBuilder<Raw>) -> Result<Self, RedisError> {
        builder.build_async().map(Blocking)
    }

    fn keys(&self) -> vec::IntoIter<Result<Vec<u8>, RedisError>> {
        RUNTIME.block_on(async {
            let (mut keys, mut all) = (self.0.keys(), Vec::new());
            while let Some(key) = keys.next().await {
                let is_over = key.is_err();
                all.push(key);
                if is_over {
                    break;
                }
            }
            all.into_iter()
        })
    }

    fn keep(&self, keep: impl FnMut(&[u8]) -> bool + Send) -> Result<(), RedisError> {
        RUNTIME.block_on(self.0.retain(keep))
    }

    fn ttl(&self, key: &[u8]) -> Result<Option<Duration>, RedisError> {
        RUNTIME.block_on(self.0.ttl(key))
    }

    fn touch(&self, key: &[u8], ttl: Option<Duration>) -> Result<bool, RedisError> {
        RUNTIME.block_on(self.0.touch(key, ttl))
    }

    fn info(&self, section: &str) -> Result<Vec<ServerInfo>, RedisError> {
        RUNTIME.block_on(self.0.info(section))
    }

    fn stats(&self) -> Result<RedisStats, RedisError> {
        RUNTIME.block_on(self.0.stats())
    }
}
