use crate::backend::{Backend, address, long_deadline, with_server};
use ctu_std::{Cache, CacheExt};
use std::{thread, time::Duration};

on_every_backend! {
    connections_open_on_demand_and_are_shared
    pool_is_bounded
    replies_are_never_mixed_between_threads
}

on_the_memcache_client! {
    replies_are_never_mixed_between_threads
}

fn connections_open_on_demand_and_are_shared<B: Backend>() {
    let (server, cache) = with_server::<B>();
    let other = long_deadline::<B>(server.port());
    let before = B::connections(&other);
    for _ in 0..100 {
        cache.insert(b"a", b"1").unwrap();
    }
    assert_eq!(B::connections(&other) - before, 1);
}

fn pool_is_bounded<B: Backend>() {
    let (server, other) = with_server::<B>();
    let before = B::connections(&other);
    let cache = B::cache(&address::<B>(server.port()), Duration::from_secs(60), 2);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..100).for_each(|_| cache.insert(b"a", b"1").unwrap()));
        }
    });
    assert!(B::connections(&other) - before <= 2);
}

fn replies_are_never_mixed_between_threads<B: Backend>() {
    let (_server, cache) = with_server::<B>();
    thread::scope(|scope| {
        for n in 0..8_u32 {
            let cache = &cache;
            scope.spawn(move || {
                for round in 0..500_u32 {
                    let key = (n * 1000 + round % 50).to_le_bytes();
                    cache.insert_entry(&key, key.repeat(50), None).unwrap();
                    assert_eq!(cache.get(&key), Ok(Some(key.repeat(50))));
                }
            });
        }
    });
}
