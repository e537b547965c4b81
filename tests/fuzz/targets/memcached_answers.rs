#![no_main]
//! A `MemCached` over a server that answers with the input: each operation ends, without a panic,
//! in a result or a typed error of one line, and no key gets the value of another.

use ctu_fuzz::CannedServer;
use ctu_std::{Cache, CacheExt, MemCached, RawMemCached};
use libfuzzer_sys::fuzz_target;
use std::{fmt::Display, sync::OnceLock, time::Duration};

fn parts() -> &'static (CannedServer, RawMemCached) {
    static PARTS: OnceLock<(CannedServer, RawMemCached)> = OnceLock::new();
    PARTS.get_or_init(|| {
        let server = CannedServer::start("memcached");
        let cache = MemCached::builder(format!("unix://{}", server.path().display()).as_str())
            .connect_deadline(Duration::from_millis(500))
            .deadline(Duration::from_millis(500))
            .raw()
            .build()
            .expect("an address");
        (server, cache)
    })
}

fn check<T, E: Display>(result: Result<T, E>) {
    if let Err(error) = result {
        let text = error.to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}

fuzz_target!(|input: (u8, &[u8])| {
    let (operation, answer) = input;
    let (server, cache) = parts();
    server.set(answer);
    match operation % 7 {
        0 => check(cache.get(b"key")),
        1 => check(cache.get_with_ttl(b"key")),
        2 => check(cache.get_many(&[b"a", b"b"])),
        3 => check(cache.insert(b"key", b"value")),
        4 => check(cache.remove(b"key")),
        5 => check(cache.contains(b"key")),
        _ => check(cache.stats()),
    }
});
