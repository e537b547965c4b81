use crate::backend::{Backend, long_deadline};
use ctu_std::{Cache, CacheExt, SingleFlightCache};
use ctu_tests::servers::Server;
use std::{
    sync::{
        Barrier,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    thread,
};

on_every_backend! {
    value_is_computed_once_for_all_threads
    write_during_a_computation_survives
}

on_the_memcache_client! {
    value_is_computed_once_for_all_threads
    write_during_a_computation_survives
}

fn value_is_computed_once_for_all_threads<B: Backend>() {
    const THREADS: usize = 8;
    let server = Server::<B>::start();
    let cache = SingleFlightCache::new(long_deadline::<B>(server.port()));
    let (computed, barrier) = (AtomicU8::new(0), Barrier::new(THREADS));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for key in 0..20 {
                    barrier.wait();
                    let make = || vec![computed.fetch_add(1, SeqCst)];
                    let value = cache.get_or_insert_with(&[key][..], make);
                    assert_eq!(value, Ok(vec![key]));
                }
            });
        }
    });
    assert_eq!(computed.into_inner(), 20);
    // Another program finds the stored value.
    let other = long_deadline::<B>(server.port());
    assert_eq!(other.get(&[7]), Ok(Some(vec![7])));
}

fn write_during_a_computation_survives<B: Backend>() {
    let server = Server::<B>::start();
    let cache = SingleFlightCache::new(long_deadline::<B>(server.port()));
    let computed = cache.get_or_insert_with(b"key", || {
        thread::scope(|scope| {
            let writer = scope.spawn(|| cache.insert(b"key", vec![2]));
            assert_eq!(writer.join().expect("no panic"), Ok(()));
        });
        vec![1]
    });
    assert_eq!(computed, Ok(vec![1]));
    assert_eq!(cache.get(b"key"), Ok(Some(vec![2])));
}
