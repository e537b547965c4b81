use crate::{builder, raw, secs};
use ctu_std::{
    Cache, CacheError as _, CacheExt, Error, MemCached, MemCachedError, memcached::MemValue,
};
use ctu_tests::servers::MemcachedServer;
use serde_json::json;

#[test]
fn add_stores_only_a_missing_entry() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    assert_eq!(cache.add(b"a", b"1", None), Ok(true));
    assert_eq!(cache.add(b"a", b"2", Some(secs(50))), Ok(false));
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    assert_eq!(cache.add(b"a", b"2", Some(secs(0))), Ok(false));
    assert_eq!(cache.add(b"b", b"2", Some(secs(0))), Ok(true));
    assert_eq!(cache.get(b"b"), Ok(None));
}

#[test]
fn keys_and_values_never_become_commands() {
    let server = MemcachedServer::start();
    let cache: MemCached<str, MemValue> = builder(server.address()).build().unwrap();
    cache.insert("kept", "1").unwrap();
    for key in [
        "a\r\nflush_all",
        "a b",
        "\r\n",
        "\0",
        "a 0 0 1\r\nx\r\nset b",
        "\x7f",
        "é",
    ] {
        cache.insert(key, key).unwrap();
        assert_eq!(cache.get(key), Ok(Some(key.into())));
        assert_eq!(cache.get_with_ttl(key), Ok(Some((key.into(), None))));
        assert_eq!(cache.touch(key, None), Ok(true));
        assert_eq!(cache.remove(key), Ok(true));
    }
    assert_eq!(cache.len(), Ok(1));
    let section = cache.info("items\r\nflush_all").unwrap_err();
    assert!(matches!(section, MemCachedError::Core(Error::Encode(_))));
}

#[test]
fn values_may_have_any_type() {
    let server = MemcachedServer::start();
    let cache: MemCached<u32, Option<(String, f64)>> = builder(server.address()).build().unwrap();
    let value = Some(("é".to_owned(), 1e-7));
    cache.insert(&7, value.clone()).unwrap();
    assert_eq!(cache.get(&7), Ok(Some(value)));
    cache.insert(&7, None).unwrap();
    assert_eq!(cache.get(&7), Ok(Some(None)));
}

#[test]
fn unknown_flags_are_an_error() {
    let server = MemcachedServer::start();
    let cache: MemCached<str, MemValue> = builder(server.address()).build().unwrap();
    // b85 of "a" is VE.
    for (flags, stored) in [(0, "1"), (4, "1"), (16, "1"), (3, "{"), (3, "")] {
        let len = stored.len();
        server.ask_text(&format!("set VE {flags} 0 {len}\r\n{stored}\r\n"));
        for found in [
            cache.get("a").map(drop),
            cache.get_many(&["a"]).map(drop),
            cache.get_with_ttl("a").map(drop),
        ] {
            let error = found.unwrap_err();
            let refused = matches!(error, MemCachedError::Decode { .. });
            assert!(refused && error.is_corrupt(), "{flags}: {error:?}");
            assert!(matches!(error.as_core(), Some(Error::Decode(_))));
        }
        assert_eq!(cache.contains("a"), Ok(true));
    }
    // The connection is as good as before.
    assert_eq!(cache.stats().unwrap()[0].connections, {
        cache.insert("a", json!(1)).unwrap();
        cache.stats().unwrap()[0].connections
    });
}

#[test]
fn decode_error_names_the_reason_and_hides_the_value() {
    let server = MemcachedServer::start();
    let cache: MemCached<str, (u8, bool)> = builder(server.address()).build().unwrap();
    for (flags, stored, reason) in [
        (
            3,
            "[7,\"hush\"]",
            "invalid type: string, expected a boolean at line 1 column 9",
        ),
        (
            2,
            "hush",
            "invalid type: string, expected a tuple of size 2",
        ),
        (1, "hush", "expected text or JSON, not bytes"),
        (9, "hush", "expected flags 1 (bytes), 2 (text) or 3 (JSON)"),
    ] {
        let len = stored.len();
        server.ask_text(&format!("set VE {flags} 0 {len}\r\n{stored}\r\n"));
        let shown = format!(
            "cannot decode a value of Memcached at {}: {reason}",
            server.address()
        );
        assert_eq!(cache.get("a").unwrap_err().to_string(), shown);
        let batch = cache.get_many(&["b", "a"]);
        assert_eq!(batch.unwrap_err().to_string(), shown);
    }
}

#[test]
fn entries_are_counted_by_the_server() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    assert_eq!(cache.hit_rate(), Ok(0.0));
    cache.insert(b"a", b"1").unwrap();
    for key in [b"a", b"a", b"a", b"b"] {
        cache.get(key).unwrap();
    }
    let stats = &cache.stats().unwrap()[0];
    assert_eq!((stats.hits, stats.misses, stats.items), (3, 1, 1));
    let text = format!("{}: 75.0 % of 4 reads were hits", server.address());
    assert_eq!(stats.to_string(), text);
    assert_eq!(cache.hit_rate(), Ok(0.75));
    let info = cache.info("settings").unwrap();
    assert!(info[0].get("item_size_max").is_some());
}
