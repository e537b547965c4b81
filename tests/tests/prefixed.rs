//! `clear`, `retain` and `len` of a `PrefixedCache` over every kind of base.

use ctu_std::{
    AsyncCache, Cache, CacheError, CacheExt, Capability, EncryptedCache, Error, LockedCache,
    LruCache, Mapped, MemCached, Prefix, PrefixedCache, Ready, RedisCache, SingleFlightCache,
    TwoLevelCache, TwoLevelError,
};
use ctu_tests::servers::{MemcachedServer, RedisServer};
use std::{fmt::Debug, pin::pin, task};

const SECRET: &[u8; 32] = b"thirty-two bytes that none knows";

fn memory() -> LockedCache<LruCache<String, u32>> {
    LockedCache::new(LruCache::with_capacity(100))
}

fn bytes() -> LockedCache<LruCache<Vec<u8>, Vec<u8>>> {
    LockedCache::new(LruCache::with_capacity(100))
}

/// `retain` and `clear` of one prefix remove its entries for good, and no entry of another prefix.
fn assert_removes_its_own_entries<C>(base: &C)
where
    C: Cache<Key = str, Value = u32, Error: Debug>,
{
    let (user, admin) = (
        PrefixedCache::new(base, "user."),
        PrefixedCache::new(base, "user_admin."),
    );
    for key in ["1", "2", "3"] {
        user.insert(key, 1_u32).unwrap();
        admin.insert(key, 2_u32).unwrap();
    }
    user.retain(&mut |key| key == "2").unwrap();
    let values = |cache: &PrefixedCache<'_, &C>| ["1", "2", "3"].map(|key| cache.get(key).unwrap());
    assert_eq!(values(&user), [None, Some(1), None]);
    assert_eq!(values(&admin), [Some(2); 3]);
    // The base counts the entries of both.
    let len = user.len().unwrap_err().as_core();
    assert_eq!(len, Some(Error::Unsupported(Capability::Len)));
    assert_eq!(user.is_empty().unwrap_err().as_core(), len);
    assert_eq!(base.len().unwrap(), 4);
    user.clear().unwrap();
    assert_eq!(values(&user), [None; 3]);
    assert_eq!(values(&admin), [Some(2); 3]);
    admin.clear().unwrap();
    assert_eq!((values(&admin), base.len().unwrap()), ([None; 3], 0));
}

#[test]
fn prefixed_clear_removes_its_entries_in_memory_and_below_a_single_flight() {
    assert_removes_its_own_entries(&memory());
    assert_removes_its_own_entries(&SingleFlightCache::new(memory()));
}

#[test]
fn prefixed_clear_removes_its_entries_at_both_levels() {
    let levels = || TwoLevelCache::builder(memory(), memory());
    assert_removes_its_own_entries(&levels().build());
    assert_removes_its_own_entries(&levels().resilient().build());
    assert_removes_its_own_entries(&SingleFlightCache::new(levels().build()));
    let three = TwoLevelCache::builder(memory(), levels().build()).build();
    assert_removes_its_own_entries(&three);
}

#[test]
fn prefixed_clear_over_redis_removes_its_entries_at_both_levels() {
    let server = RedisServer::start();
    let redis = RedisCache::builder(server.url())
        .build::<str, u32>()
        .unwrap();
    assert_removes_its_own_entries(&redis);
    assert_removes_its_own_entries(&TwoLevelCache::builder(memory(), redis.clone()).build());
    assert_removes_its_own_entries(&TwoLevelCache::builder(memory(), redis).resilient().build());
}

#[test]
fn prefixed_clear_over_memcached_is_an_error_that_changes_nothing() {
    let server = MemcachedServer::start();
    let memcached = MemCached::builder(server.address())
        .build::<str, u32>()
        .unwrap();
    let cache = TwoLevelCache::builder(memory(), memcached).build();
    let user = PrefixedCache::new(&cache, "user.");
    user.insert("1", 1_u32).unwrap();
    for refused in [user.clear(), user.retain(&mut |_| false)] {
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused.as_core(), Some(Error::Unsupported(_))),
            "{refused}"
        );
        assert!(cache.first().contains("user.1").unwrap());
    }
    assert_eq!(user.get("1").unwrap(), Some(1));
    // The whole cache can be cleared, and the first level alone.
    cache.clear_first().unwrap();
    assert_eq!((cache.len().unwrap(), user.get("1").unwrap()), (0, Some(1)));
    cache.clear().unwrap();
    assert_eq!(user.get("1").unwrap(), None);
}

#[test]
fn prefixed_clear_over_hashed_keys_is_its_own_error() {
    let vault = EncryptedCache::new(bytes(), SECRET);
    let user = PrefixedCache::new(&vault, b"user.");
    let levels = TwoLevelCache::builder(bytes(), EncryptedCache::new(bytes(), SECRET)).build();
    let over_levels = PrefixedCache::new(&levels, b"user.");
    let below_levels =
        EncryptedCache::new(TwoLevelCache::builder(bytes(), bytes()).build(), SECRET);
    let above = PrefixedCache::new(&below_levels, b"user.");
    // The error depends on the kind of the cache, not on its entries.
    for round in 0..2 {
        assert_eq!(user.clear(), Err(Error::HashedKeys));
        assert_eq!(user.retain(&mut |_| true), Err(Error::HashedKeys));
        let error = over_levels.clear().unwrap_err();
        assert_eq!(error, TwoLevelError::Second(Error::HashedKeys));
        assert_eq!(error.as_core(), Some(Error::HashedKeys));
        let error = above.retain(&mut |_| false).unwrap_err();
        assert_eq!(error, TwoLevelError::Core(Error::HashedKeys));
        if round == 1 {
            assert_eq!(user.get(b"1"), Ok(Some(vec![1])));
            assert!(levels.first().contains(b"user.1").unwrap());
        }
        user.insert(b"1", &[1]).unwrap();
        over_levels.insert(b"1", &[1]).unwrap();
        above.insert(b"1", &[1]).unwrap();
    }
    let text = Error::HashedKeys.to_string();
    assert!(text.contains("hashes, which have no prefix"), "{text}");
    vault.clear().unwrap();
    assert_eq!(user.get(b"1"), Ok(None));
}

#[test]
fn async_prefixed_clear_over_hashed_keys_is_its_own_error() {
    let base = bytes();
    let vault = EncryptedCache::new(Ready(&base), SECRET);
    let user = Mapped::with_mapping(&vault, Prefix::new(&b"user."[..]));
    let mut cleared = pin!(AsyncCache::clear(&user));
    let polled = cleared
        .as_mut()
        .poll(&mut task::Context::from_waker(task::Waker::noop()));
    assert_eq!(polled, task::Poll::Ready(Err(Error::HashedKeys)));
}
