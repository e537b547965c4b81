//! The async form of Redis as a backend, each operation run to its end.

use crate::backend::{Backend, Operation};
use ctu_std::{AsyncRawRedisCache, Cache, CacheExt, RedisBuilder, RedisCache, RedisError};
use ctu_tests::{
    blocking::{Blocking, RUNTIME},
    servers::{AsyncRedis, Redis},
};
use std::time::Duration;

fn built(builder: RedisBuilder) -> Blocking<AsyncRawRedisCache> {
    Blocking(builder.raw().build_async().expect("a good address"))
}

impl Backend for AsyncRedis {
    type Cache = Blocking<AsyncRawRedisCache>;
    type Error = RedisError;

    const SCHEME: &'static str = Redis::SCHEME;
    const PORT: u16 = Redis::PORT;
    const FEW_CLIENTS: &'static [&'static str] = Redis::FEW_CLIENTS;
    const SMALL: &'static [&'static str] = Redis::SMALL;
    const LARGE: &'static [&'static str] = Redis::LARGE;
    const PUT_ANSWER: &'static [u8] = Redis::PUT_ANSWER;
    const UNASKED: &'static [u8] = Redis::UNASKED;
    /// None: a reply that is added while other requests wait is not found.
    const UNASKED_UNDER_LOAD: [&'static [u8]; 2] = [b"", b""];

    fn cache(address: &str, deadline: Duration, connections: usize) -> Self::Cache {
        let builder = RedisCache::builder(address).connect_deadline(deadline);
        built(builder.deadline(deadline).pool_size(connections))
    }

    fn limited(address: &str, max: usize) -> Self::Cache {
        let builder = RedisCache::builder(address).max_value(max);
        built(builder.deadline(Duration::from_secs(60)))
    }

    fn connections(cache: &Self::Cache) -> u64 {
        let stats = RUNTIME.block_on(cache.0.stats());
        stats.expect("the server").connections
    }

    fn ask(cache: &Self::Cache) -> Result<(), RedisError> {
        RUNTIME.block_on(async {
            let mut keys = cache.0.keys();
            while let Some(key) = keys.next().await {
                key?;
            }
            Ok(())
        })
    }

    fn before_once(cache: &Self::Cache) -> Result<(), RedisError> {
        cache.insert(b"once", b"1")
    }

    fn once(cache: &Self::Cache) -> Result<(), RedisError> {
        cache.pop(b"once").map(drop)
    }

    fn was_done(cache: &Self::Cache) -> bool {
        cache.get(b"once") == Ok(None)
    }

    fn put_request(value: &[u8]) -> Vec<u8> {
        Redis::put_request(value)
    }

    fn get_answer(value: &[u8]) -> Vec<u8> {
        Redis::get_answer(value)
    }

    fn get_many_answer() -> Vec<u8> {
        Redis::get_many_answer()
    }

    fn endless() -> Vec<u8> {
        Redis::endless()
    }

    fn answered() -> Vec<(Vec<u8>, Operation<Self>)> {
        vec![(b"*2\r\n$1\r\na\r\n$1\r\nb\r\n".to_vec(), |cache| {
            let found = cache.get_many(&[b"k", b"l"])?;
            assert_eq!(found, [Some(b"a".to_vec()), Some(b"b".to_vec())]);
            Ok(())
        })]
    }

    fn garbage() -> Vec<Vec<u8>> {
        Redis::garbage()
    }

    fn parts() -> Vec<Vec<u8>> {
        Redis::parts()
    }
}
