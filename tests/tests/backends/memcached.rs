//! Memcached as a backend.

use crate::backend::Backend;
use ctu_std::{Cache, MemCached, MemCachedError, RawMemCached, StrKey, memcached::encode_key};
use ctu_tests::servers::Memcached;
use std::time::Duration;

/// A key of a raw cache, as it is on the server.
pub(crate) fn key(key: &[u8]) -> String {
    let stored = encode_key("", &key.text()).expect("a short key");
    String::from_utf8(stored).expect("letters")
}

/// One value in the answer to `get`.
fn value(at: &[u8], value: &[u8]) -> Vec<u8> {
    let head = format!("VALUE {} 1 {}\r\n", key(at), value.len());
    [head.as_bytes(), value, b"\r\n"].concat()
}

impl Backend for Memcached {
    type Cache = RawMemCached;
    type Error = MemCachedError;

    const SCHEME: &'static str = "memcache";
    const PORT: u16 = 11211;
    // It counts some places of its own.
    const FEW_CLIENTS: &'static [&'static str] = &["-c", "32"];
    const SMALL: &'static [&'static str] = &["-M", "-m", "2"];
    const LARGE: &'static [&'static str] = &["-I", "128m", "-m", "512"];
    const PUT_ANSWER: &'static [u8] = b"STORED\r\n";
    const UNASKED: &'static [u8] = b"END\r\n";

    fn cache(address: &str, deadline: Duration, connections: usize) -> RawMemCached {
        MemCached::builder(address)
            .raw()
            .max_item(128 << 20)
            .connect_deadline(deadline)
            .deadline(deadline)
            .pool_size(connections)
            .build()
            .expect("a good address")
    }

    fn limited(address: &str, max: usize) -> RawMemCached {
        let builder = MemCached::builder(address).raw().max_item(max);
        builder
            .deadline(Duration::from_secs(60))
            .build()
            .expect("a good address")
    }

    fn connections(cache: &RawMemCached) -> u64 {
        cache.stats().expect("the server")[0].connections
    }

    fn ask(cache: &RawMemCached) -> Result<(), MemCachedError> {
        cache.stats().map(drop)
    }

    fn before_once(cache: &RawMemCached) -> Result<(), MemCachedError> {
        cache.remove(b"once").map(drop)
    }

    fn once(cache: &RawMemCached) -> Result<(), MemCachedError> {
        cache.add(b"once", b"1", None).map(drop)
    }

    fn was_done(cache: &RawMemCached) -> bool {
        cache.get(b"once") == Ok(Some(b"1".to_vec()))
    }

    fn put_request(value: &[u8]) -> Vec<u8> {
        let head = format!("set {} 1 0 {}\r\n", key(b"a"), value.len());
        [head.as_bytes(), value, b"\r\n"].concat()
    }

    fn get_answer(found: &[u8]) -> Vec<u8> {
        [&*value(b"a", found), b"END\r\n"].concat()
    }

    fn get_many_answer() -> Vec<u8> {
        [&*value(b"a", b"1"), &*value(b"b", b"2"), b"END\r\n"].concat()
    }

    fn endless() -> Vec<u8> {
        format!("VALUE {} 1 100000000\r\n", key(b"a")).into()
    }

    fn answered() -> Vec<(Vec<u8>, fn(&RawMemCached) -> Result<(), MemCachedError>)> {
        let meta = format!("VA 5 k{} f1 t50\r\nvalue\r\n", key(b"a"));
        vec![(meta.into(), |cache| {
            let found = cache.get_with_ttl(b"a")?;
            let left = Some(Duration::from_secs(50));
            assert_eq!(found, Some((b"value".to_vec(), left)));
            Ok(())
        })]
    }

    fn garbage() -> Vec<Vec<u8>> {
        let own = key(b"a");
        [
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "+OK\r\n",
            "STORED\r\n",
            "END\r\nEND\r\n",
            "VALUE other 1 1\r\nx\r\nEND\r\n",
            "VALUE {own} 1 1\r\nxy\r\nEND\r\n",
            "VALUE {own} 1 99999999999999999999\r\n",
            "VALUE {own} -1 1\r\nx\r\nEND\r\n",
            "VALUE {own} 99999999999 1\r\nx\r\nEND\r\n",
            "VALUE {own} 1\r\nx\r\nEND\r\n",
            "VALUE {own} 1 1\r\nx\r\nVALUE {own} 1 1\r\ny\r\nEND\r\n",
            "VALUE {own} 1 1\nx\nEND\n",
            "VA 1\r\nx\r\n",
            "\0\0\0\0",
            "\r\n",
            "END \r\n",
        ]
        .map(|text| text.replace("{own}", &own).into())
        .into()
    }

    fn parts() -> Vec<Vec<u8>> {
        let head = format!("VALUE {} 1 1\r\n", key(b"a"));
        [
            "VALUE ",
            "END\r\n",
            "\r\n",
            " 1 ",
            "VA ",
            "-1",
            "STORED",
            &key(b"a"),
            &head,
        ]
        .map(Vec::from)
        .into()
    }
}
