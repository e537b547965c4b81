use crate::json_cache;
use ctu_std::{Cache, PrefixedRedisCache, RedisCache};
use ctu_tests::servers::RedisServer;
use serde_json::json;

#[test]
fn finds_the_same_keys_and_values_as_json() {
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
fn finds_the_same_keys_of_other_types() {
    let server = RedisServer::start();
    let cache: RedisCache<(u32, String), f64> = RedisCache::builder(&server.url()).build().unwrap();
    let key = (7, "x".to_owned());
    cache.insert(&key, 0.1).unwrap();
    assert_eq!(server.cli(&["--raw", "get", r#"[7,"x"]"#]), "0.1");
    server.cli(&["set", "not json", "1"]);
    server.cli(&["set", "\"not a pair\"", "1"]);
    assert_eq!(cache.keys().collect::<Result<Vec<_>, _>>(), Ok(vec![key]));
}

#[test]
fn finds_the_same_prefixed_keys() {
    let server = RedisServer::start();
    let builder = || RedisCache::builder(&server.url()).prefix("app.");
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
