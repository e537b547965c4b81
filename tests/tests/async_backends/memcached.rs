//! The operations of `AsyncMemCached`.

use crate::{on_both, one_thread};
use ctu_std::{
    AsyncCache, AsyncCacheExt, AsyncMemCached, AsyncRawMemCached, Cache, Error, MemCached,
    MemCachedError, memcached::MemValue,
};
use ctu_tests::{
    cancel::{assert_in_step, cancel, drop_at_random, drop_everywhere, fill, keys},
    servers::MemcachedServer,
};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn raw(server: &MemcachedServer, connections: usize) -> AsyncRawMemCached {
    let builder = MemCached::builder(server.address()).deadline(PATIENCE);
    let builder = builder.pool_size(connections).raw();
    builder.build_async().unwrap()
}

#[test]
fn values_equal_those_of_the_blocking_cache() {
    let servers = [MemcachedServer::start(), MemcachedServer::start()];
    let builder = || {
        let builder = MemCached::builder(servers[0].address()).server(servers[1].address());
        builder.deadline(PATIENCE).prefix("é.")
    };
    let blocking: MemCached<u32, MemValue> = builder().build().unwrap();
    let cache: AsyncMemCached<u32, MemValue> = builder().build_async().unwrap();
    one_thread().block_on(async {
        let values = [
            MemValue::from("text"),
            MemValue::from(&b"\0\r\n"[..]),
            MemValue::Json(serde_json::json!([1, null])),
        ];
        let entries: Vec<_> = (0..60_u32).zip(values.iter().cycle()).collect();
        let all = || entries.iter().map(|(key, value)| (key, (*value).clone()));
        let keys: Vec<&u32> = entries.iter().map(|(key, _)| key).collect();
        let expected: Vec<_> = all().map(|(_, value)| Some(value)).collect();
        cache.insert_many(all().collect(), None).await.unwrap();
        assert_eq!(blocking.get_many(&keys), Ok(expected.clone()));
        blocking.insert_many(all().rev().collect(), None).unwrap();
        assert_eq!(cache.get_many(&keys).await, Ok(expected));
        let month = Some(Duration::from_secs(40 * 24 * 60 * 60));
        cache
            .insert_entry(&7, values[0].clone(), month)
            .await
            .unwrap();
        let (_, left) = blocking.get_with_ttl(&7).unwrap().unwrap();
        assert!(left.unwrap() > Duration::from_secs(35 * 24 * 60 * 60));
        assert_eq!(cache.remove_many(&keys).await, Ok(60));
        assert_eq!(blocking.get_many(&keys[..2]), Ok(vec![None, None]));
        let kept = cache.clear().await;
        assert!(matches!(
            kept,
            Err(MemCachedError::Core(Error::Unsupported(_)))
        ));
    });
}

#[test]
fn every_operation_has_its_effect() {
    let server = MemcachedServer::start();
    on_both(|| async {
        let cache = raw(&server, 4);
        cache.clear().await.unwrap();
        assert_eq!(cache.get(b"a").await, Ok(None));
        cache.insert_entry(b"a", b"1".to_vec(), None).await.unwrap();
        assert_eq!(cache.get(b"a").await, Ok(Some(b"1".to_vec())));
        assert_eq!(cache.contains(b"a").await, Ok(true));
        assert_eq!(cache.contains(b"b").await, Ok(false));
        assert_eq!(cache.add(b"a", b"2", None).await, Ok(false));
        assert_eq!(cache.add(b"b", b"2", None).await, Ok(true));
        let second = Duration::from_secs(1);
        assert_eq!(cache.touch(b"a", Some(1000 * second)).await, Ok(true));
        assert_eq!(cache.touch(b"c", Some(second)).await, Ok(false));
        let (value, left) = cache.get_with_ttl(b"a").await.unwrap().unwrap();
        assert!(value == b"1" && left.unwrap() > 600 * second);
        assert_eq!(cache.pop(b"a").await, Ok(Some(b"1".to_vec())));
        assert_eq!(cache.remove(b"a").await, Ok(false));
        let keys: Vec<_> = (0..5000_u32).map(u32::to_le_bytes).collect();
        let entries = keys.iter().map(|key| (&key[..], key.repeat(9)));
        cache.insert_many(entries.collect(), None).await.unwrap();
        let all: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let expected: Vec<_> = keys.iter().map(|key| Some(key.repeat(9))).collect();
        assert_eq!(cache.get_many(&all).await, Ok(expected));
        let timed = cache.get_many_with_ttl(&all).await.unwrap();
        assert!(timed.iter().all(Option::is_some));
        assert_eq!(cache.remove_many(&all).await, Ok(5000));
        let made = cache.get_or_insert_with(b"c", || async { b"3" }).await;
        assert_eq!(made, Ok(b"3".to_vec()));
        let stats = cache.stats().await.unwrap();
        assert!(stats[0].hits > 0 && cache.len().await.is_ok());
        assert!(cache.hit_rate().await.unwrap() > 0.0);
    });
}

#[test]
fn every_operation_may_be_dropped_at_every_poll() {
    let server = MemcachedServer::start();
    on_both(|| async {
        let cache = &raw(&server, 2);
        drop_everywhere(cache).await;
        // Those of Memcached alone.
        let keys = keys(8);
        fill(cache, &keys).await;
        let check = async || assert_in_step(cache, &keys).await;
        let long = Some(Duration::from_secs(600));
        cancel(async || drop(cache.touch(&keys[0], long).await), check).await;
        cancel(async || drop(cache.add(&keys[0], b"x", None).await), check).await;
        cancel(async || drop(cache.stats().await), check).await;
        cancel(async || drop(cache.hit_rate().await), check).await;
    });
}

#[test]
fn random_drops_among_a_thousand_tasks_mix_no_replies() {
    let server = MemcachedServer::start();
    on_both(|| async {
        let cache = raw(&server, 3);
        fill(&cache, &keys(100)).await;
        drop_at_random(&cache, 1000).await;
    });
}
