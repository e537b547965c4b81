//! `DebugCache` reports operations and changes no result.

use crate::support::{SECOND, block_on};
use core::cell::RefCell;
use core::fmt::Write;
use ctu_core::{Cache, CacheExt, DebugCache, Error, LruCache, Ready, SpinCache};

pub(crate) fn debug_cache_reports_every_operation() {
    let log = RefCell::new(heapless::String::<256>::new());
    let inner = SpinCache::new(LruCache::<u32, u32, 2>::new());
    let cache = DebugCache::new(inner, "c", |event| {
        assert!(writeln!(log.borrow_mut(), "{event}").is_ok());
    });
    assert_eq!(cache.insert(&1, 10), Ok(()));
    assert_eq!(cache.get(&1), Ok(Some(10)));
    assert_eq!(cache.contains(&2), Ok(false));
    assert_eq!(cache.remove(&1), Ok(true));
    assert_eq!(cache.len(), Ok(0));
    assert_eq!(cache.clear(), Ok(()));
    let expected = "DebugCache c: set 1 10\nDebugCache c: get 1\nDebugCache c: in 2\n\
        DebugCache c: del 1\nDebugCache c: len\nDebugCache c: clear\n";
    assert_eq!(log.into_inner(), expected);
}

pub(crate) fn debug_cache_changes_no_result() {
    let inner = SpinCache::new(LruCache::<u32, u32, 2>::new());
    let cache = DebugCache::new(&inner, "c", |_| ());
    assert_eq!(cache.get_or_insert_with(&1, || 10u32), Ok(10));
    assert_eq!(inner.get(&1), Ok(Some(10)));
    assert_eq!(cache.insert_with_ttl(&1, 11, SECOND), Err(Error::TtlUnsupported));
    assert_eq!((cache.pop(&1), inner.len()), (Ok(Some(10)), Ok(0)));
}

pub(crate) fn observers_see_the_operations_of_an_async_cache() {
    use ctu_core::{AsyncCache, StatsCache};
    let log = RefCell::new(heapless::String::<256>::new());
    let base = SpinCache::new(LruCache::<u32, u32, 2>::new());
    let counted = StatsCache::new(Ready(&base));
    let cache = DebugCache::new(&counted, "c", |event| {
        assert!(writeln!(log.borrow_mut(), "{event}").is_ok());
    });
    let found = block_on(ctu_core::LocalAsyncCacheExt::get_or_insert_with(&cache, &1, || async { 10u32 }));
    assert_eq!(found, Ok(10));
    let found = block_on(ctu_core::LocalAsyncCacheExt::get_or_insert_with(&cache, &1, || async { 11u32 }));
    assert_eq!(found, Ok(10));
    assert_eq!(block_on(AsyncCache::pop(&counted, &2)), Ok(None));
    assert!((counted.hit_rate() - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(
        log.into_inner(),
        "DebugCache c: get 1\nDebugCache c: set 1 10\nDebugCache c: get 1\n"
    );

    fn is_send<T: Send>(_: &T) {}
    is_send(&AsyncCache::get(&counted, &1));
}
