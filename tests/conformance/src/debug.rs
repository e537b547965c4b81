//! `DebugCache` reports operations and changes no result.

use crate::support::SECOND;
use core::cell::RefCell;
use core::fmt::Write;
use ctu_core::{Cache, DebugCache, Error, LruCache, SpinCache};

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
    assert_eq!(cache.insert_for(&1, 11, SECOND), Err(Error::TtlUnsupported));
    assert_eq!((cache.pop(&1), inner.len()), (Ok(Some(10)), Ok(0)));
}
