//! Interleavings of threads and tasks in a `SingleFlightCache`, explored at random by shuttle.

use super::SingleFlightCache;
use crate::behaviours::shuttle::{
    Remote, in_many_orders, in_orders, one_computation::tests_of_one_computation, spawn,
};
use ctu_core::{AsyncCache, AsyncCacheExt, Cache, CacheExt, Ready};
use shuttle::{future::block_on, thread::yield_now};
use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

type Explored = SingleFlightCache<Remote>;

fn new() -> Arc<Explored> {
    Arc::new(SingleFlightCache::new(Remote::default()))
}

tests_of_one_computation!(new, SingleFlightCache::get_ref);

#[test]
fn threads_whose_wait_expires_compute_beside_each_other() {
    in_many_orders(|| {
        let cache = SingleFlightCache::new(Remote::default()).with_wait_limit(Duration::ZERO);
        let cache = Arc::new(cache);
        let threads: Vec<_> = [1, 2, 3]
            .map(|number| {
                spawn(&cache, move |cache| {
                    let make = || {
                        yield_now();
                        number
                    };
                    cache.get_or_insert_with("k", make).unwrap()
                })
            })
            .into();
        let changer = spawn(&cache, |cache| drop(cache.remove("k")));
        changer.join().unwrap();
        let made: Vec<u32> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert!(made.iter().all(|made| (1..=3).contains(made)), "{made:?}");
        // Nothing is left behind: a later computation is stored.
        cache.remove("k").unwrap();
        assert_eq!(cache.get_or_insert_with("k", || 9u32).unwrap(), 9);
        assert_eq!(cache.get("k").unwrap(), Some(9));
    });
}

/// Threads compute from a source that then changes, and `change` tells the cache, which was true before and after.
fn nothing_from_before(change: fn(&Explored)) {
    in_orders(3_000, move || {
        let (cache, source) = (new(), Arc::new(AtomicU32::new(1)));
        let compute = || {
            let source = Arc::clone(&source);
            move |cache: &Explored| {
                let make = || {
                    let value = source.load(SeqCst);
                    yield_now();
                    value
                };
                cache.get_or_insert_with("k", make).unwrap()
            }
        };
        let early = [spawn(&cache, compute()), spawn(&cache, compute())];
        let (changed, late) = (Arc::clone(&source), compute());
        let changer = spawn(&cache, move |cache| {
            changed.store(2, SeqCst);
            change(cache);
            let found = cache.get("k").unwrap();
            assert!(found.is_none_or(|found| found == 2), "{found:?}");
            late(cache)
        });
        assert_eq!(changer.join().unwrap(), 2);
        for thread in early {
            thread.join().unwrap();
        }
        assert_eq!(cache.get("k").unwrap(), Some(2));
    });
}

#[test]
fn value_computed_before_a_removal_is_not_seen_after_it() {
    nothing_from_before(|cache| assert!(cache.remove("k").is_ok()));
    nothing_from_before(|cache| assert!(cache.remove_many(&["other", "k"]).is_ok()));
}

#[test]
fn value_computed_before_a_pop_is_not_seen_after_it() {
    // A pop is a lookup and a removal of a found entry, and a found value was stored before.
    nothing_from_before(|cache| assert!(cache.pop("k").is_ok()));
}

#[test]
fn value_computed_before_a_clear_is_not_seen_after_it() {
    nothing_from_before(|cache| cache.clear().unwrap());
}

#[test]
fn write_survives_a_concurrent_computation() {
    for write in [
        |cache: &Explored| cache.insert("k", 10u32).unwrap(),
        |cache: &Explored| {
            let entries = vec![("other", 9), ("k", 10)];
            cache.insert_many(entries, None).unwrap();
        },
    ] {
        in_orders(3_000, move || {
            let cache = new();
            let compute = |cache: &Explored| {
                let make = || {
                    yield_now();
                    1u32
                };
                cache.get_or_insert_with("k", make).unwrap()
            };
            let threads = [spawn(&cache, compute), spawn(&cache, compute)];
            let writer = spawn(&cache, move |cache| {
                write(cache);
                assert_eq!(cache.get("k").unwrap(), Some(10));
                assert_eq!(compute(cache), 10);
            });
            writer.join().unwrap();
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(cache.get("k").unwrap(), Some(10));
        });
    }
}

#[test]
fn writes_within_computations_do_not_deadlock() {
    in_many_orders(|| {
        let cache = new();
        let threads: Vec<_> = [1, 2, 3]
            .map(|number| {
                spawn(&cache, move |cache| {
                    let made = cache.get_or_insert_with("k", || {
                        cache.insert("k", number).unwrap();
                        cache.clear().unwrap();
                        number
                    });
                    assert!((1..=3).contains(&made.unwrap()));
                })
            })
            .into();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(cache.get("k").unwrap(), None);
    });
}

/// Polls `future` at most `polls` times, as long as it wakes itself.
fn poll_and_drop(polls: usize, future: impl Future) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if future.as_mut().poll(&mut context).is_ready() {
            return;
        }
    }
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        yield_now();
        context.waker().wake_by_ref();
        match std::mem::replace(&mut yielded, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

#[test]
fn dropped_futures_hang_no_task_and_store_no_old_value() {
    in_many_orders(|| {
        let cache = SingleFlightCache::new(Ready(Remote::default()));
        let cache = Arc::new(cache.with_wait_limit(Duration::MAX));
        let source = Arc::new(AtomicU32::new(1));
        let compute = |source: &Arc<AtomicU32>| {
            let source = Arc::clone(source);
            move || {
                let source = Arc::clone(&source);
                async move {
                    let value = source.load(SeqCst);
                    yield_once().await;
                    value
                }
            }
        };
        let (early, dropped, late) = (compute(&source), compute(&source), compute(&source));
        let threads = [
            spawn(&cache, |cache| {
                block_on(cache.get_or_insert_with("k", early)).unwrap();
            }),
            spawn(&cache, |cache| {
                poll_and_drop(1, cache.get_or_insert_with("k", dropped));
            }),
            spawn(&cache, move |cache| {
                source.store(2, SeqCst);
                block_on(cache.remove("k")).unwrap();
                assert_eq!(block_on(cache.get_or_insert_with("k", late)), Ok(2));
            }),
        ];
        for thread in threads {
            thread.join().unwrap();
        }
        let last = block_on(cache.get("k")).unwrap();
        assert!(last.is_none_or(|last| last == 2), "{last:?}");
    });
}
