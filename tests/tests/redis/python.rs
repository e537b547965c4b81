use crate::{json_cache, secs};
use ctu_std::{Cache, CacheExt, PrefixedRedisCache, RedisCache};
use ctu_tests::servers::RedisServer;
use serde_json::{Value, json};

#[test]
fn python_finds_the_same_json_keys_and_values() {
    let server = RedisServer::start();
    let cache = json_cache(&server);
    let value = json!({"b": 1.0, "a": [null, true, "é"]});
    cache.insert("é\n", value).unwrap();
    let stored = server.cli(&["--raw", "get", r#""\u00e9\n""#]);
    assert_eq!(stored, r#"{"a":[null,true,"\u00e9"],"b":1.0}"#);
    server.cli(&["set", r#""from python""#, r#"{"x":[1,2.5]}"#]);
    assert_eq!(cache.get("from python"), Ok(Some(json!({"x": [1, 2.5]}))));
}

#[test]
fn python_finds_the_same_keys_of_other_types() {
    let server = RedisServer::start();
    let cache: RedisCache<(u32, String), f64> = RedisCache::builder(server.url()).build().unwrap();
    let key = (7, "x".to_owned());
    cache.insert(&key, 0.1).unwrap();
    assert_eq!(server.cli(&["--raw", "get", r#"[7,"x"]"#]), "0.1");
    server.cli(&["set", "not json", "1"]);
    server.cli(&["set", "\"not a pair\"", "1"]);
    assert_eq!(cache.keys().collect::<Result<Vec<_>, _>>(), Ok(vec![key]));
}

#[test]
fn python_finds_the_same_prefixed_keys() {
    let server = RedisServer::start();
    let builder = || RedisCache::builder(server.url()).prefix("app.");
    let names: PrefixedRedisCache<str, Vec<u8>> = builder().build().unwrap();
    let numbers: PrefixedRedisCache<i64, String> = builder().build().unwrap();
    let flags: PrefixedRedisCache<bool, ()> = builder().build().unwrap();
    names.insert("é", vec![1, 2]).unwrap();
    numbers.insert(&-5, "five").unwrap();
    flags.insert(&true, ()).unwrap();
    assert_eq!(server.cli(&["--raw", "get", "app.é"]), "[1,2]");
    assert_eq!(server.cli(&["--raw", "get", "app.-5"]), "\"five\"");
    assert_eq!(server.cli(&["--raw", "get", "app.True"]), "null");
}

#[test]
fn stored_bytes_match_python() {
    let vectors = include_str!("../../vectors/vectors.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let server = RedisServer::start();
    let ttl = secs(60);
    let builder = || RedisCache::builder(server.url()).ttl(ttl).deadline(ttl);
    let cache: RedisCache<Value, Value> = builder().build().unwrap();
    let stored = builder().raw().build().unwrap();
    for vector in vectors["redis"].as_array().unwrap() {
        let [key, value] = ["redis_key", "redis_value"].map(|name| vector[name].as_str().unwrap());
        cache.clear().unwrap();
        cache
            .insert(&vector["key"], vector["value"].clone())
            .unwrap();
        let (found, left) = stored.get_with_ttl(key.as_bytes()).unwrap().unwrap();
        assert_eq!(found, value.as_bytes());
        assert!(left.unwrap() <= ttl);
        // And the other way round.
        cache.clear().unwrap();
        stored.insert(key.as_bytes(), value.as_bytes()).unwrap();
        let found = cache.get(&vector["key"]).unwrap();
        assert_eq!(found.as_ref(), Some(&vector["value"]));
    }
}
