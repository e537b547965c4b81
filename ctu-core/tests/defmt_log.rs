//! A cached function logs a failure of its cache to `defmt`, once.
#![cfg(all(feature = "defmt", feature = "macros"))]

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use ctu_core::{Cache, LruCache, SpinCache, Text, cached};
use std::sync::Mutex;

/// The bytes of every message: texts are in them as they are.
static LOGGED: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

#[defmt::global_logger]
struct Logger;

// SAFETY: the test has one thread that logs, and waits for nothing meanwhile.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        LOGGED.lock().unwrap().push(Vec::new());
    }
    unsafe fn flush() {}
    unsafe fn release() {}
    unsafe fn write(bytes: &[u8]) {
        if let Some(last) = LOGGED.lock().unwrap().last_mut() {
            last.extend_from_slice(bytes);
        }
    }
}

defmt::timestamp!("");

static CACHE: SpinCache<LruCache<Text<4>, usize, 8>> = SpinCache::new(LruCache::new());
static RUNS: AtomicUsize = AtomicUsize::new(0);

#[cached(cache = CACHE, prefix = "")]
fn length(text: &str) -> usize {
    RUNS.fetch_add(1, Ordering::Relaxed);
    text.len()
}

#[cached(cache = CACHE, prefix = "t.", ttl = Duration::from_secs(1))]
fn timed(text: &str) -> usize {
    text.len()
}

/// Whether the texts are in the message, in this order.
fn says(message: &[u8], texts: &[&str]) -> bool {
    let mut rest = message;
    texts.iter().all(|text| {
        let at = rest
            .windows(text.len())
            .position(|part| part == text.as_bytes());
        at.is_some_and(|at| {
            rest = &rest[at + text.len()..];
            true
        })
    })
}

#[test]
fn a_refused_key_or_lifetime_is_logged_once() {
    for _ in 0..10 {
        assert_eq!(length("abc"), 3);
        assert_eq!(length("too long a key"), 14);
        assert_eq!(timed("ab"), 2);
    }
    // The function runs once for a stored key, and each time for a refused key.
    assert_eq!(RUNS.load(Ordering::Relaxed), 11);
    assert_eq!(CACHE.len(), Ok(1));
    let logged = LOGGED.lock().unwrap();
    assert_eq!(logged.len(), 2, "{logged:?}");
    let too_long = ["defmt_log::length", "14 bytes"];
    assert!(
        says(&logged[0], &too_long),
        "{:?}",
        logged[0].escape_ascii().to_string()
    );
    let timed = ["defmt_log::timed", "time-to-live"];
    assert!(
        says(&logged[1], &timed),
        "{:?}",
        logged[1].escape_ascii().to_string()
    );
}
