#![no_main]
//! Replies, error replies, redirects and slot maps of a Redis server: no bytes cause a panic.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    ctu_std::fuzzing::redis_replies(bytes);
});
