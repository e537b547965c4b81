//! The listener of a `ConcurrentCache` that is the first level of two.

use ctu_std::{
    CacheExt, ConcurrentCache,
    RemovalCause::{Evicted, Removed},
    TwoLevelCache,
    prelude::*,
};
use std::sync::{Arc, Mutex};

#[test]
fn first_level_of_two_reports_its_removals() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    let first = ConcurrentCache::<u32, u32>::builder(2)
        .listener(move |key, value, cause| told.lock().unwrap().push((*key, *value, cause)))
        .build();
    let second = ConcurrentCache::<u32, u32>::with_capacity(100);
    let levels = TwoLevelCache::builder(first, second).build();
    for key in 0..3 {
        levels.insert(&key, key).unwrap();
    }
    assert!(matches!(heard.lock().unwrap()[..], [(_, _, Evicted)]));
    levels.remove(&2).unwrap();
    assert!(heard.lock().unwrap().contains(&(2, 2, Removed)));
}
