use crate::{raw, secs};
use ctu_std::{Cache, CacheExt, PrefixedCache, PrefixedRedisCache, RedisCache};
use ctu_tests::servers::RedisServer;
use std::collections::BTreeSet;

fn cache(server: &RedisServer, prefix: &str) -> PrefixedRedisCache<str, u32> {
    let builder = RedisCache::builder(server.url()).prefix(prefix);
    builder.deadline(secs(60)).build().unwrap()
}

#[test]
fn clear_keeps_keys_without_the_prefix() {
    let server = RedisServer::start();
    // Were the prefix taken for a pattern, it would match the other.
    let (own, other) = (cache(&server, "a*[b]?."), cache(&server, "aab!."));
    for n in 0..2000 {
        own.insert(&n.to_string(), n).unwrap();
    }
    other.insert("1", 1).unwrap();
    let keys: BTreeSet<String> = own.keys().collect::<Result<_, _>>().unwrap();
    assert_eq!(keys.len(), 2000);
    own.clear().unwrap();
    assert_eq!(own.keys().count(), 0);
    assert_eq!(other.get("1"), Ok(Some(1)));
    assert_eq!(
        (own.len(), own.is_empty(), other.len()),
        (Ok(0), Ok(true), Ok(1))
    );
}

#[test]
fn retain_removes_only_rejected_keys_with_the_prefix() {
    let server = RedisServer::start();
    let (own, other) = (cache(&server, "own."), cache(&server, "other."));
    for n in 0..100 {
        own.insert(&n.to_string(), n).unwrap();
        other.insert(&n.to_string(), n).unwrap();
    }
    own.retain(&mut |key| key.ends_with('0')).unwrap();
    let kept: BTreeSet<String> = own.keys().collect::<Result<_, _>>().unwrap();
    assert_eq!(kept.len(), 10);
    assert!(kept.iter().all(|key| key.ends_with('0')));
    assert_eq!(other.keys().count(), 100);
}

#[test]
fn builder_prefix_is_plain_and_wrapper_prefix_is_in_the_json() {
    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url()).deadline(secs(60));
    let redis: RedisCache<str, u32> = builder.build().unwrap();
    let (plain, inside) = (cache(&server, "x."), PrefixedCache::new(&redis, "x."));
    plain.insert("home", 1).unwrap();
    inside.insert("home", 2).unwrap();
    redis.insert("home", 3).unwrap();
    assert_eq!(server.cli(&["--raw", "get", "x.home"]), "1");
    assert_eq!(server.cli(&["--raw", "get", r#""x.home""#]), "2");
    assert_eq!(server.cli(&["--raw", "get", r#""home""#]), "3");
    assert_eq!((plain.len(), redis.len()), (Ok(1), Ok(3)));
    // Neither cache removes entries of the other, or entries without a prefix.
    inside.clear().unwrap();
    assert_eq!(
        (plain.get("home"), inside.get("home")),
        (Ok(Some(1)), Ok(None))
    );
    plain.clear().unwrap();
    assert_eq!(
        (plain.get("home"), redis.get("home")),
        (Ok(None), Ok(Some(3)))
    );
}

#[test]
fn clear_without_a_prefix_flushes_only_its_database() {
    let server = RedisServer::start();
    let zero = raw(&server.url());
    let builder = RedisCache::builder(server.url()).database(1).raw();
    let one = builder.deadline(secs(60)).build().unwrap();
    zero.insert(b"a", b"0").unwrap();
    one.insert(b"a", b"1").unwrap();
    one.clear().unwrap();
    assert_eq!((zero.len(), one.len()), (Ok(1), Ok(0)));
}
