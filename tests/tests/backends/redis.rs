//! Redis as a backend.

use crate::backend::Backend;
use ctu_std::{Cache, CacheExt, RawRedisCache, RedisCache, RedisError};
use ctu_tests::servers::Redis;
use std::time::Duration;

impl Backend for Redis {
    type Cache = RawRedisCache;
    type Error = RedisError;

    const SCHEME: &'static str = "redis";
    const PORT: u16 = 6379;
    const FEW_CLIENTS: &'static [&'static str] = &["--maxclients", "1"];
    const SMALL: &'static [&'static str] =
        &["--maxmemory", "2mb", "--maxmemory-policy", "noeviction"];
    const LARGE: &'static [&'static str] = &[];
    const PUT_ANSWER: &'static [u8] = b"+OK\r\n";
    const UNASKED: &'static [u8] = b"$4\r\nevil\r\n";

    fn cache(address: &str, deadline: Duration, connections: usize) -> RawRedisCache {
        RedisCache::builder(address)
            .raw()
            .connect_deadline(deadline)
            .deadline(deadline)
            .pool_size(connections)
            .build()
            .expect("a good address")
    }

    fn limited(address: &str, max: usize) -> RawRedisCache {
        let builder = RedisCache::builder(address).raw().max_value(max);
        builder
            .deadline(Duration::from_secs(60))
            .build()
            .expect("a good address")
    }

    fn connections(cache: &RawRedisCache) -> u64 {
        cache.stats().expect("the server").connections
    }

    fn ask(cache: &RawRedisCache) -> Result<(), RedisError> {
        cache.keys().try_for_each(|key| key.map(drop))
    }

    fn before_once(cache: &RawRedisCache) -> Result<(), RedisError> {
        cache.insert(b"once", b"1")
    }

    fn once(cache: &RawRedisCache) -> Result<(), RedisError> {
        cache.pop(b"once").map(drop)
    }

    fn was_done(cache: &RawRedisCache) -> bool {
        cache.get(b"once") == Ok(None)
    }

    fn put_request(value: &[u8]) -> Vec<u8> {
        let head = format!("*5\r\n$3\r\nSET\r\n$1\r\na\r\n${}\r\n", value.len());
        [head.as_bytes(), value, b"\r\n$2\r\nEX\r\n$3\r\n600\r\n"].concat()
    }

    fn get_answer(value: &[u8]) -> Vec<u8> {
        let head = format!("${}\r\n", value.len());
        [head.as_bytes(), value, b"\r\n"].concat()
    }

    fn get_many_answer() -> Vec<u8> {
        b"*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n".to_vec()
    }

    fn endless() -> Vec<u8> {
        b"$100000000\r\n".to_vec()
    }

    fn answered() -> Vec<(Vec<u8>, fn(&RawRedisCache) -> Result<(), RedisError>)> {
        vec![(b"*2\r\n$1\r\na\r\n$1\r\nb\r\n".to_vec(), |cache| {
            let found = cache.get_many(&[b"k", b"l"])?;
            assert_eq!(found, [Some(b"a".to_vec()), Some(b"b".to_vec())]);
            Ok(())
        })]
    }

    fn garbage() -> Vec<Vec<u8>> {
        [
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            b"+OK\r\n",
            b":1\r\n",
            b"*1\r\n$1\r\na\r\n",
            b"$1\r\nab\r\n",
            b"*2\r\n$1\r\na\r\n$1\r\nb\r\n",
            b"$1\r\na\r\n$1\r\nb\r\n",
            b"\0\0\0\0",
            b"\xff\xfe\r\n",
        ]
        .map(Vec::from)
        .into()
    }

    fn parts() -> Vec<Vec<u8>> {
        [
            "$",
            "*",
            ":",
            "+",
            "-",
            "-1",
            "\r\n",
            "1",
            "$1\r\na\r\n",
            "*2\r\n",
            "OK",
            "-ERR ",
        ]
        .map(Vec::from)
        .into()
    }
}
