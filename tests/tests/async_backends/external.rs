//! A cache on an async connection of the `redis` crate.

use crate::{on_both, threads};
use ctu_std::{AsyncCache, AsyncRawRedisCache, AsyncRedisCache, NetError, RedisError};
use ctu_tests::{cancel::cancel_everywhere, servers::RedisServer};
use std::time::Duration;

async fn over(server: &RedisServer, deadline: Duration) -> AsyncRawRedisCache {
    let client = redis::Client::open(server.url()).unwrap();
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .unwrap();
    let builder = AsyncRedisCache::from_connection(connection).raw();
    builder.deadline(deadline).build_async().unwrap()
}

#[test]
fn external_connection_serves_every_operation() {
    let server = RedisServer::start();
    on_both(|| async {
        let cache = over(&server, Duration::from_secs(60)).await;
        cache.clear().await.unwrap();
        let binary = b"\r\n$1\r\n\0\xff";
        cache
            .insert_entry(binary, binary.to_vec(), None)
            .await
            .unwrap();
        assert_eq!(cache.get(binary).await, Ok(Some(binary.to_vec())));
        let keys: Vec<_> = (0..50_u8).map(|n| [n]).collect();
        let entries = keys.iter().map(|key| (&key[..], key.to_vec())).collect();
        cache.insert_many(entries, None).await.unwrap();
        let all: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let expected = keys.iter().map(|key| Some(key.to_vec())).collect();
        assert_eq!(cache.get_many(&all).await, Ok(expected));
        let timed = cache.get_with_ttl(&[7]).await.unwrap().unwrap();
        assert!(timed.0 == [7] && timed.1.is_some());
        assert_eq!(cache.pop(&[7]).await, Ok(Some(vec![7])));
        assert_eq!(cache.remove_many(&all).await, Ok(49));
        cancel_everywhere(
            async || (),
            async |_| cache.get(b"none").await,
            async |_, _| {
                assert_eq!(cache.get(binary).await, Ok(Some(binary.to_vec())));
            },
        )
        .await;
    });
}

#[test]
fn errors_of_an_external_connection_are_typed() {
    let mut server = RedisServer::start();
    threads().block_on(async {
        let cache = over(&server, Duration::from_millis(200)).await;
        server.cli(&["lpush", "list", "1"]);
        assert_eq!(cache.get(b"list").await, Err(RedisError::WrongType));
        server.pause();
        let late = cache.get(b"a").await;
        let is_late = matches!(late, Err(RedisError::Net(NetError::TimedOut { .. })));
        assert!(is_late, "{late:?}");
        server.resume();
        server.kill();
        let lost = cache.get(b"a").await;
        assert!(matches!(lost, Err(RedisError::Net(_))), "{lost:?}");
    });
}

#[test]
fn network_settings_are_rejected() {
    let server = RedisServer::start();
    threads().block_on(async {
        let client = redis::Client::open(server.url()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let builder = AsyncRedisCache::from_connection(connection.clone()).password("x");
        let refused = builder.raw().build_async();
        assert!(matches!(refused, Err(RedisError::Url(_))), "{refused:?}");
        let blocking = AsyncRedisCache::from_connection(connection).raw().build();
        assert!(matches!(blocking, Err(RedisError::Url(_))), "{blocking:?}");
    });
}
