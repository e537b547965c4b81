use crate::{json_cache, raw};
use ctu_std::CacheError as _;
use ctu_std::{Cache, CacheExt, Error, PrefixedRedisCache, RedisCache, RedisError};
use ctu_tests::servers::RedisServer;
use std::collections::BTreeSet;

#[test]
fn keys_may_hold_every_byte() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    let all: Vec<u8> = (0..=255).collect();
    for byte in 0..=255 {
        cache.insert(&[byte, b'k', byte], b"1").unwrap();
    }
    cache.insert_entry(&all, all.clone(), None).unwrap();
    cache.insert(b"", b"no key").unwrap();
    assert_eq!(cache.get(&all), Ok(Some(all.clone())));
    let keys: BTreeSet<_> = cache.keys().collect::<Result<_, _>>().unwrap();
    assert!(keys.len() == 258 && keys.contains(&all));
}

#[test]
fn empty_value_is_invalid_json() {
    // There is no such value in JSON, and Python takes it for a miss.
    let server = RedisServer::start();
    server.cli(&["set", "\"a\"", ""]);
    assert_eq!(json_cache(&server).get("a"), Ok(None));
}

#[test]
fn value_of_another_type_is_an_error() {
    let server = RedisServer::start();
    server.cli(&["lpush", "list", "a"]);
    let cache = raw(&server.url());
    assert_eq!(cache.get(b"list"), Err(RedisError::WrongType));
    let before = cache.stats().unwrap().connections;
    assert_eq!(cache.get(b"list"), Err(RedisError::WrongType));
    assert_eq!(cache.remove(b"list"), Ok(true));
    // The connection is as good as before.
    assert_eq!(cache.stats().unwrap().connections, before);
}

#[test]
fn invalid_json_is_an_error() {
    let server = RedisServer::start();
    server.cli(&["set", "\"a\"", "{"]);
    let error = json_cache(&server).get("a").unwrap_err();
    assert!(matches!(error, RedisError::Decode { .. }));
    assert!(matches!(error.as_core(), Some(Error::Decode(_))));
    assert!(error.is_corrupt() && !error.is_outage());
}

#[test]
fn decode_error_names_the_reason_and_hides_the_value() {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct User {
        name: String,
        age: u8,
    }
    let server = RedisServer::start();
    let cache: RedisCache<str, User> = RedisCache::builder(server.url()).build().unwrap();
    for (stored, reason) in [
        (
            r#"{"name":"hush"}"#,
            "missing field `age` at line 1 column 15",
        ),
        (
            r#"{"name":"hush","age":"hush"}"#,
            "invalid type: string, expected u8 at line 1 column 27",
        ),
        (
            r#"{"name":"hush"#,
            "EOF while parsing a string at line 1 column 13",
        ),
    ] {
        server.cli(&["set", "\"a\"", stored]);
        let shown = format!(
            "cannot decode a value of Redis at 127.0.0.1:{}: {reason}",
            server.port()
        );
        for found in [
            cache.get("a").map(drop),
            cache.get_with_ttl("a").map(drop),
            cache.get_many(&["a"]).map(drop),
            cache.get_many_with_ttl(&["a"]).map(drop),
            cache.pop("a").map(drop),
        ] {
            assert_eq!(found.unwrap_err().to_string(), shown);
        }
    }
}

#[test]
fn entries_are_counted_by_the_server() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    cache.insert(b"a", b"1").unwrap();
    for key in [b"a", b"a", b"a", b"b"] {
        cache.get(key).unwrap();
    }
    let stats = cache.stats().unwrap();
    assert_eq!((stats.hits, stats.misses), (3, 1));
    assert_eq!(stats.to_string(), "75.0 % of 4 reads were hits");
    assert_eq!(cache.hit_rate(), Ok(0.75));
    let info = |section| cache.info(section).unwrap().remove(0);
    let section = info("server");
    assert_eq!(section.server, format!("127.0.0.1:{}", server.port()));
    assert!(section.get("redis_version").is_some());
    assert_eq!(section.get("redis"), None);
    assert!(info("").fields.len() > section.fields.len());
}

#[test]
fn foreign_spelling_of_a_key_is_neither_listed_nor_removed() {
    let server = RedisServer::start();
    let foreign = [" 7", "7 ", "7.0", "07", "\"7\"", "p. 7", "p.07"];
    for key in foreign {
        server.cli(&["set", key, "1"]);
    }
    let json: RedisCache<u32, u32> = RedisCache::builder(server.url()).build().unwrap();
    let builder = RedisCache::builder(server.url()).prefix("p.");
    let prefixed: PrefixedRedisCache<u32, u32> = builder.build().unwrap();
    json.insert(&7, 1).unwrap();
    prefixed.insert(&7, 1).unwrap();
    assert_eq!(json.keys().collect::<Result<Vec<_>, _>>(), Ok(vec![7]));
    assert_eq!(prefixed.keys().collect::<Result<Vec<_>, _>>(), Ok(vec![7]));
    json.retain(&mut |_| false).unwrap();
    prefixed.retain(&mut |_| false).unwrap();
    assert_eq!(server.cli(&["dbsize"]), foreign.len().to_string());
}

/// A key type as a program stores it. Lookups then take a `&String`.
#[test]
fn owned_text_is_accepted_as_the_type_of_keys() {
    let server = RedisServer::start();
    let cache: RedisCache<String, u32> = RedisCache::builder(server.url()).build().unwrap();
    let key = String::from("key");
    cache.insert(&key, 7u32).unwrap();
    assert_eq!(cache.get(&key), Ok(Some(7)));
    let by_text: RedisCache<str, u32> = RedisCache::builder(server.url()).build().unwrap();
    assert_eq!(by_text.get("key"), Ok(Some(7)));
}
