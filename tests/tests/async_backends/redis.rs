//! The operations of `AsyncRedisCache`.

use crate::{on_both, one_thread, raw, within};
use ctu_std::{
    AsyncCache, AsyncCacheExt, AsyncPrefixedRedisCache, AsyncRedisCache, Cache, CacheExt, Error,
    NetError, RedisCache, RedisError,
};
use ctu_tests::servers::{RedisServer, Sentinels};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::task::JoinSet;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    scores: BTreeMap<String, f64>,
}

fn user(name: &str) -> User {
    User {
        name: name.into(),
        scores: [("é".into(), 1.5)].into(),
    }
}

#[test]
fn values_equal_those_of_the_blocking_cache() {
    let server = RedisServer::start();
    let builder = || RedisCache::builder(server.url()).ttl(Duration::from_secs(60));
    let blocking: RedisCache<(u32, String), User> = builder().build().unwrap();
    let cache: AsyncRedisCache<(u32, String), User> = builder().build_async().unwrap();
    let [a, b] = [(1, "a\"".to_owned()), (2, "é".to_owned())];
    one_thread().block_on(async {
        cache.insert_entry(&a, user("a"), None).await.unwrap();
        let stored = server.cli(&["get", r#"[1,"a\""]"#]);
        assert_eq!(stored, r#"{"name":"a","scores":{"\u00e9":1.5}}"#);
        assert_eq!(blocking.get(&a), Ok(Some(user("a"))));
        blocking.insert_entry(&b, user("b"), None).unwrap();
        let both = cache.get_many(&[&a, &b]).await;
        assert_eq!(both, Ok(vec![Some(user("a")), Some(user("b"))]));
        for timed in cache.get_many_with_ttl(&[&a, &b]).await.unwrap() {
            let left = timed.unwrap().1.unwrap();
            assert!(left <= Duration::from_secs(60) && left > Duration::from_secs(30));
        }
    });
}

#[test]
fn every_operation_has_its_effect() {
    let server = RedisServer::start();
    on_both(|| async {
        let cache = raw(server.port(), 4);
        cache.clear().await.unwrap();
        assert_eq!(cache.get(b"a").await, Ok(None));
        assert_eq!(cache.is_empty().await, Ok(true));
        cache.insert_entry(b"a", b"1".to_vec(), None).await.unwrap();
        assert_eq!(cache.get(b"a").await, Ok(Some(b"1".to_vec())));
        assert_eq!(cache.contains(b"a").await, Ok(true));
        assert_eq!(cache.contains(b"b").await, Ok(false));
        assert_eq!(cache.len().await, Ok(1));
        let second = Duration::from_secs(1);
        assert_eq!(cache.touch(b"a", Some(1000 * second)).await, Ok(true));
        let left = cache.ttl(b"a").await.unwrap().unwrap();
        assert!(left > 600 * second && left <= 1000 * second);
        let (value, left) = cache.get_with_ttl(b"a").await.unwrap().unwrap();
        assert!(value == b"1" && left.unwrap() > 600 * second);
        assert_eq!(cache.remove(b"a").await, Ok(true));
        assert_eq!(cache.remove(b"a").await, Ok(false));
        let entries = (0..100_u8).map(|n| ([n], vec![n; 10])).collect::<Vec<_>>();
        let all = entries.iter().map(|(key, value)| (&key[..], value.clone()));
        cache.insert_many(all.collect(), None).await.unwrap();
        let keys: Vec<&[u8]> = entries.iter().map(|(key, _)| &key[..]).collect();
        let values = entries.iter().map(|(_, value)| Some(value.clone()));
        assert_eq!(cache.get_many(&keys).await, Ok(values.collect()));
        assert_eq!(cache.pop(&[7]).await, Ok(Some(vec![7; 10])));
        assert_eq!(cache.pop(&[7]).await, Ok(None));
        cache.retain(|key| key[0] % 2 == 0).await.unwrap();
        assert_eq!(cache.len().await, Ok(50));
        let mut listed = BTreeSet::new();
        let mut left = cache.keys();
        while let Some(key) = left.next().await {
            listed.insert(key.unwrap());
        }
        assert_eq!(listed, (0..100_u8).step_by(2).map(|n| vec![n]).collect());
        assert_eq!(cache.remove_many(&keys).await, Ok(50));
        let made = cache.get_or_insert_with(b"c", || async { b"3" }).await;
        assert_eq!(made, Ok(b"3".to_vec()));
        let zero = Some(Duration::ZERO);
        cache.insert_entry(b"c", vec![4], zero).await.unwrap();
        assert_eq!(cache.get(b"c").await, Ok(None));
        assert!(cache.stats().await.unwrap().hits > 0);
        let rate = cache.hit_rate().await.unwrap();
        assert!(rate > 0.0 && rate < 1.0, "{rate}");
    });
}

#[test]
fn clear_of_a_prefixed_cache_leaves_other_keys() {
    let server = RedisServer::start();
    on_both(|| async {
        let built = |prefix: &str| {
            let cache = RedisCache::builder(server.url())
                .prefix(prefix)
                .build_async();
            let cache: AsyncPrefixedRedisCache<u32, u32> = cache.unwrap();
            cache
        };
        let (one, other) = (built("one."), built("o*e."));
        for cache in [&one, &other] {
            let entries = (0..1200).map(|n| (n, n)).collect::<Vec<_>>();
            let entries = entries.iter().map(|(key, value)| (key, *value));
            cache.insert_many(entries.collect(), None).await.unwrap();
        }
        other.clear().await.unwrap();
        assert_eq!(one.len().await, Ok(1200));
        assert_eq!(one.get(&1199).await, Ok(Some(1199)));
        one.clear().await.unwrap();
    });
}

#[test]
fn batch_beyond_the_buffers_of_the_socket_ends() {
    let server = RedisServer::start();
    on_both(|| async {
        let cache = raw(server.port(), 1);
        let keys: Vec<_> = (0..64_u32).map(u32::to_le_bytes).collect();
        let large = |n: &[u8; 4]| n.repeat(1 << 18);
        let entries = keys.iter().map(|key| (&key[..], large(key))).collect();
        cache.insert_many(entries, None).await.unwrap();
        // Requests of 64 MiB that ask for as much: the server writes while it still reads.
        let mut tasks = JoinSet::new();
        for key in keys.clone() {
            let cache = cache.clone();
            tasks.spawn(async move {
                let insert = cache.insert_entry(&key, large(&key), None);
                insert.await.unwrap();
                assert!(cache.get(&key).await.unwrap().unwrap() == large(&key));
            });
        }
        tasks.join_all().await;
        let keys: Vec<_> = keys.iter().map(|key| &key[..]).collect();
        let found = cache.get_many(&keys).await.unwrap();
        assert!(
            found
                .iter()
                .zip(&keys)
                .all(|(found, key)| { found.as_deref() == Some(&key.repeat(1 << 18)[..]) })
        );
    });
}

#[test]
fn requests_beyond_the_queue_are_an_overload_while_the_server_hangs() {
    let server = RedisServer::start();
    on_both(|| async {
        let cache = within(server.port(), 1, Duration::from_millis(300));
        while cache.get(b"a").await.is_err() {}
        server.pause();
        let mut tasks = JoinSet::new();
        for n in 0..40_u8 {
            let cache = cache.clone();
            tasks.spawn(async move { cache.insert_entry(&[n], vec![n; 1 << 20], None).await });
        }
        for done in tasks.join_all().await {
            let Err(RedisError::Net(error)) = done else {
                panic!("{done:?}");
            };
            let expected = matches!(
                error,
                NetError::TimedOut { .. } | NetError::PoolTimedOut { .. } | NetError::Lost { .. }
            );
            assert!(expected, "{error:?}");
        }
        server.resume();
        while cache.get(b"a").await.is_err() {}
    });
}

#[test]
fn limits_are_those_of_the_blocking_cache() {
    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url()).max_key(3).max_value(4);
    let cache = builder.raw().build_async().unwrap();
    one_thread().block_on(async {
        let long = cache.get(b"long").await;
        let too_long = Error::KeyTooLong { len: 4, max: 3 };
        assert_eq!(long, Err(too_long.into()));
        let long = cache.insert_entry(b"a", vec![0; 5], None).await;
        let too_long = Error::ValueTooLong { len: 5, max: 4 };
        assert_eq!(long, Err(too_long.into()));
        server.cli(&["set", "b", "12345"]);
        let too_long = Error::StoredTooLong { len: 5, max: 4 };
        assert_eq!(cache.get(b"b").await, Err(too_long.into()));
        assert_eq!(cache.get(b"a").await, Ok(None));
    });
}

#[test]
fn settings_of_the_address_are_applied() {
    let server = RedisServer::with(&["--requirepass", "hush"]);
    let port = server.port();
    on_both(|| async {
        let url = format!("redis://:hush@127.0.0.1:{port}/3?client_name=async");
        let cache = RedisCache::builder(url).raw().build_async().unwrap();
        cache.insert_entry(b"a", vec![1], None).await.unwrap();
        let info = cache.info("keyspace").await.unwrap();
        assert!(info[0].get("db3").is_some(), "{info:?}");
        let wrong = RedisCache::builder(format!("redis://:x@127.0.0.1:{port}")).raw();
        let wrong = wrong.build_async().unwrap().get(b"a").await;
        assert!(matches!(wrong, Err(RedisError::Auth { .. })), "{wrong:?}");
        let socket = server.socket().display().to_string();
        let url = format!("unix://{socket}?password=hush&db=3");
        let cache = RedisCache::builder(url).raw().build_async().unwrap();
        assert_eq!(cache.get(b"a").await, Ok(Some(vec![1])));
    });
}

#[test]
fn sentinels_lead_to_the_new_master_after_a_failover() {
    let mut master = RedisServer::start();
    let (host, port) = ("127.0.0.1", master.port().to_string());
    let replica = RedisServer::with(&["--replicaof", &format!("{host} {port}")]);
    let sentinels = Sentinels::of(&master, 1, "", &[]);
    let builder = RedisCache::sentinel(sentinels.urls(), "mymaster");
    let cache = builder.raw().build_async().unwrap();
    one_thread().block_on(async {
        cache.insert_entry(b"a", vec![1], None).await.unwrap();
        while replica.cli(&["get", "a"]).is_empty() {}
        master.kill();
        while cache.insert_entry(b"b", vec![2], None).await.is_err() {}
        assert_eq!(cache.get(b"a").await, Ok(Some(vec![1])));
        assert!(replica.cli(&["role"]).starts_with("master"));
    });
}

#[test]
fn blocking_connection_and_wrong_address_are_refused() {
    let server = RedisServer::start();
    let client = redis::Client::open(server.url()).unwrap();
    let builder = RedisCache::from_connection(client.get_connection().unwrap());
    let refused = builder.raw().build_async();
    assert!(matches!(refused, Err(RedisError::Url(_))), "{refused:?}");
    let wrong = RedisCache::builder("http://localhost").raw().build_async();
    assert!(matches!(wrong, Err(RedisError::Url(_))), "{wrong:?}");
    let blocking = RedisCache::builder(server.url()).raw().build().unwrap();
    assert_eq!(CacheExt::insert(&blocking, b"a", b"1"), Ok(()));
}
