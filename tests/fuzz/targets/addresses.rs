#![no_main]
//! Addresses of Redis and Memcached servers: each is taken or refused in one line that does not
//! show its password, and no address causes a panic or a connection.

use ctu_std::{MemCached, RawMemCached, RawRedisCache, RedisCache};
use libfuzzer_sys::fuzz_target;

fn check(error: &dyn std::error::Error, password: &str) {
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(!text.contains(password), "{text:?}");
}

fuzz_target!(|address: &str| {
    // A password that is in no message by chance.
    const PASSWORD: &str = "Gh7xq0Zk";
    let address = address.replace("PASS", PASSWORD);
    if let Err(error) =
        RedisCache::builder(address.as_str()).raw().build() as Result<RawRedisCache, _>
    {
        check(&error, PASSWORD);
    }
    if let Err(error) =
        MemCached::builder(address.as_str()).raw().build() as Result<RawMemCached, _>
    {
        if !address.contains(PASSWORD) {
            check(&error, PASSWORD);
        }
    }
});
