//! The checks pass right caches, and fail each broken promise.

use super::*;
use crate::{
    caches::{ConcurrentCache, LockedCache},
    test_util::{Fault, FaultyCache},
};
use ctu_core::{Found, StdClock, heap};
use parking_lot::Mutex;

fn ten(n: u32) -> u64 {
    u64::from(n) * 10
}

#[test]
fn caches_of_this_crate_pass() {
    let key = |n: u32| n.to_string();
    check_cache(
        || LockedCache::new(heap::LruCache::<String, u64>::with_capacity(10)),
        key,
        ten,
    );
    check_cache(
        || LockedCache::new(heap::DictCache::<String, u64>::new()),
        key,
        ten,
    );
    check_cache(
        || ConcurrentCache::<String, u64>::with_capacity(100),
        key,
        ten,
    );
    check_cache(
        || ConcurrentCache::<String, u64, _>::with_ttl(100, MINUTE, StdClock::new()),
        key,
        ten,
    );
    check_cache(
        || {
            LockedCache::new(heap::TtlCache::<String, u64, _>::with_capacity(
                10,
                MINUTE,
                StdClock::new(),
            ))
        },
        key,
        ten,
    );
}

/// A list of entries with one broken promise.
#[derive(Default)]
struct Broken {
    entries: Mutex<Vec<(u32, u64)>>,
    promise: &'static str,
}

impl Cache for Broken {
    type Key = u32;
    type Value = u64;
    type Error = Error;

    fn get(&self, key: &u32) -> Result<Option<u64>, Error> {
        let entries = self.entries.lock();
        let found = entries.iter().find(|(found, _)| found == key);
        Ok(found.map(|(_, value)| *value))
    }

    fn insert_entry(&self, key: &u32, value: u64, ttl: Option<Duration>) -> Result<(), Error> {
        let mut entries = self.entries.lock();
        if self.promise != "insert_entry" {
            entries.retain(|(found, _)| found != key);
        }
        if ttl != Some(Duration::ZERO) || self.promise == "ttl" {
            entries.push((*key, value));
        }
        Ok(())
    }

    fn remove(&self, key: &u32) -> Result<bool, Error> {
        let mut entries = self.entries.lock();
        let len = entries.len();
        entries.retain(|(found, _)| found != key);
        Ok(self.promise == "remove" || entries.len() < len)
    }

    fn clear(&self) -> Result<(), Error> {
        match self.promise {
            "clear" => self.entries.lock().truncate(1),
            _ => self.entries.lock().clear(),
        }
        Ok(())
    }

    fn len(&self) -> Result<usize, Error> {
        Ok(self.entries.lock().len())
    }

    fn contains(&self, key: &u32) -> Result<bool, Error> {
        Ok(self.promise == "contains" || self.get(key)?.is_some())
    }

    fn get_with_ttl(&self, key: &u32) -> Result<Found<u64>, Error> {
        let left = if self.promise == "get_with_ttl" {
            2 * MINUTE
        } else {
            MINUTE
        };
        Ok(self.get(key)?.map(|value| (value, Some(left))))
    }

    fn pop(&self, key: &u32) -> Result<Option<u64>, Error> {
        let value = self.get(key)?;
        if self.promise != "pop" {
            self.remove(key)?;
        }
        Ok(value)
    }

    fn retain(&self, keep: &mut dyn FnMut(&u32) -> bool) -> Result<(), Error> {
        if self.promise != "retain" {
            self.entries.lock().retain(|(key, _)| keep(key));
        }
        Ok(())
    }

    fn get_many(&self, keys: &[&u32]) -> Result<Vec<Option<u64>>, Error> {
        let mut values: Vec<_> = keys
            .iter()
            .map(|key| self.get(key))
            .collect::<Result<_, _>>()?;
        if self.promise == "get_many" {
            values.reverse();
        }
        Ok(values)
    }

    fn get_or_compute(
        &self,
        key: &u32,
        make: &mut dyn FnMut() -> Result<Option<u64>, Error>,
    ) -> Result<Option<u64>, Error> {
        if let Some(value) = self.get(key)? {
            return Ok(Some(value));
        }
        let value = make()?;
        if let Some(value) = value.filter(|_| self.promise != "get_or_compute") {
            self.insert_entry(key, value, None)?;
        }
        Ok(value)
    }
}

fn check(promise: &'static str) -> Result<(), String> {
    let make = || Broken {
        promise,
        ..Broken::default()
    };
    let checked = std::panic::catch_unwind(|| check_cache(make, |n| n, ten));
    checked.map_err(|panic| *panic.downcast::<String>().expect("a message"))
}

#[test]
fn each_broken_promise_is_found() {
    assert_eq!(check("none"), Ok(()));
    for (promise, message) in [
        ("insert_entry", "a later value replaces"),
        ("remove", "an empty cache has no entry"),
        ("clear", "clear removes every entry"),
        ("contains", "an empty cache has no entry"),
        ("get_with_ttl", "a time-to-live is kept"),
        ("ttl", "a time-to-live is kept"),
        ("pop", "pop removes the entry"),
        ("retain", "retain removes the rejected keys"),
        ("get_many", "batches agree with single operations"),
        ("get_or_compute", "a missing value is computed once"),
    ] {
        let found = check(promise).expect_err(promise);
        assert!(found.contains(message), "{promise}: {found}");
    }
}

#[test]
fn failing_operation_is_reported() {
    let make = || {
        let cache = FaultyCache::new(LockedCache::new(heap::LruCache::<u32, u64>::with_capacity(
            10,
        )));
        cache.fail_next(1, Fault::Unreachable);
        cache
    };
    let checked = std::panic::catch_unwind(|| check_cache(make, |n| n, ten));
    let message = *checked
        .unwrap_err()
        .downcast::<String>()
        .expect("a message");
    assert_eq!(message, "get fails: the cache is unreachable, on command");
}
