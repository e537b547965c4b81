//! The format of Python's `MemCached` and `JsonSerde`. `interop` tests the rest.

use crate::{builder, raw};
use ctu_std::{Cache, CacheExt, MemCached, PrefixedMemCached, memcached::MemValue};
use ctu_tests::servers::MemcachedServer;
use serde_json::json;

#[test]
fn python_finds_the_same_keys_and_values() {
    let server = MemcachedServer::start();
    let cache: MemCached<str, MemValue> = builder(server.address()).build().unwrap();
    let keys = "get VE\r\n";
    for (value, stored) in [
        (MemValue::from("é"), "VALUE VE 2 2\r\né\r\nEND\r\n"),
        (MemValue::from(&b"b"[..]), "VALUE VE 1 1\r\nb\r\nEND\r\n"),
        (
            json!({"b": 1.0, "a": [null, "é"]}).into(),
            "VALUE VE 3 29\r\n{\"a\":[null,\"\\u00e9\"],\"b\":1.0}\r\nEND\r\n",
        ),
    ] {
        cache.insert("a", value).unwrap();
        assert_eq!(server.ask_text(keys), stored);
    }
    server.ask("set VE 3 0 5\r\n[1.5]\r\n");
    assert_eq!(cache.get("a"), Ok(Some(json!([1.5]).into())));
}

#[test]
fn python_finds_the_same_prefixed_keys() {
    let server = MemcachedServer::start();
    let builder = || builder(server.address()).prefix("é.");
    let names: PrefixedMemCached<str, Vec<u8>> = builder().build().unwrap();
    let flags: PrefixedMemCached<bool, ()> = builder().build().unwrap();
    names.insert("a", vec![1, 2]).unwrap();
    flags.insert(&true, ()).unwrap();
    let stored = server.ask_text("get é.VE é.RC0A?\r\n");
    assert_eq!(
        stored,
        "VALUE é.VE 3 5\r\n[1,2]\r\nVALUE é.RC0A? 3 4\r\nnull\r\nEND\r\n"
    );
}

#[test]
fn byte_keys_match_python() {
    let server = MemcachedServer::start();
    raw(&server.address()).insert(b"\0'", b"1").unwrap();
    // b85encode(str(b"\0'").encode())
    let stored = server.ask_text("get Vj^64Ffb<~\r\n");
    assert!(stored.starts_with("VALUE "), "{stored}");
}
