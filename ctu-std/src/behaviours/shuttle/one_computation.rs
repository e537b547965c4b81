//! Threads that request the same value, in each cache that computes it once.

use super::{Remote, in_many_orders, spawn};
use ctu_core::{Cache, CacheExt};
use shuttle::thread::yield_now;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

pub(crate) trait Explored:
    Cache<Key = str, Value = u32, Error: fmt::Debug> + Send + Sync + 'static
{
}

impl<C> Explored for C where
    C: Cache<Key = str, Value = u32, Error: fmt::Debug> + Send + Sync + 'static
{
}

/// Tests of the cache that `$new` makes.
macro_rules! tests_of_one_computation {
    ($new:path, $remote:path) => {
        #[test]
        fn one_thread_computes_for_all() {
            $crate::behaviours::shuttle::one_computation::one_thread_computes_for_all($new);
        }

        #[test]
        fn waiter_computes_after_a_failure() {
            $crate::behaviours::shuttle::one_computation::waiter_computes_after_a_failure($new);
        }

        #[test]
        fn waiter_computes_after_a_panic() {
            $crate::behaviours::shuttle::one_computation::waiter_computes_after_a_panic($new);
        }

        #[test]
        fn unstorable_value_reaches_the_waiters() {
            $crate::behaviours::shuttle::one_computation::unstorable_value_reaches_the_waiters(
                $new, $remote,
            );
        }

        #[test]
        fn failed_computation_leaves_no_waiter() {
            $crate::behaviours::shuttle::one_computation::nobody_waits_for_ever($new);
        }
    };
}
pub(crate) use tests_of_one_computation;

/// Three threads that request the same value of `cache`. `make` gets the number of earlier attempts.
pub(crate) fn three<C: Explored, T: Send + 'static>(
    cache: &Arc<C>,
    work: impl Fn(&C, &mut dyn FnMut() -> u32) -> T + Send + Sync + 'static,
) -> (Vec<T>, u32) {
    let work = Arc::new(work);
    let (tried, trying) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (tried, trying) = (Arc::clone(&tried), Arc::clone(&trying));
            let work = Arc::clone(&work);
            spawn(cache, move |cache| {
                work(cache, &mut || {
                    assert_eq!(trying.fetch_add(1, SeqCst), 0);
                    yield_now();
                    trying.fetch_sub(1, SeqCst);
                    tried.fetch_add(1, SeqCst)
                })
            })
        })
        .collect();
    let results = threads.into_iter().map(|thread| thread.join().unwrap());
    (results.collect(), tried.load(SeqCst))
}

pub(crate) fn one_thread_computes_for_all<C: Explored>(new: fn() -> Arc<C>) {
    in_many_orders(move || {
        let (results, tried) = three(&new(), |cache, make| {
            cache.get_or_insert_with("k", make).unwrap()
        });
        assert_eq!((results, tried), (vec![0; 3], 1));
    });
}

pub(crate) fn waiter_computes_after_a_failure<C: Explored>(new: fn() -> Arc<C>) {
    in_many_orders(move || {
        let (results, tried) = three(&new(), |cache, make| {
            let made = cache.get_or_try_insert_with("k", || match make() {
                0 => Err("the first fails"),
                n => Ok(n),
            });
            made.unwrap()
        });
        let failed = results.iter().filter(|result| result.is_err());
        assert_eq!((failed.count(), tried), (1, 2), "{results:?}");
    });
}

pub(crate) fn waiter_computes_after_a_panic<C: Explored>(new: fn() -> Arc<C>) {
    in_many_orders(move || {
        let (results, tried) = three(&new(), |cache, make| {
            catch_unwind(AssertUnwindSafe(|| {
                let made = cache.get_or_insert_with("k", || match make() {
                    // No panic that is told of: there are thousands.
                    0 => resume_unwind(Box::new("the first")),
                    n => n,
                });
                made.unwrap()
            }))
            .ok()
        });
        let found = results.iter().flatten().filter(|found| **found == 1);
        assert_eq!((found.count(), tried), (2, 2), "{results:?}");
    });
}

/// `remote` is where the cache stores.
pub(crate) fn unstorable_value_reaches_the_waiters<C: Explored>(
    new: fn() -> Arc<C>,
    remote: fn(&C) -> &Remote,
) {
    let helped = Arc::new(AtomicU32::new(0));
    let help = Arc::clone(&helped);
    in_many_orders(move || {
        let (results, tried) = three(&new(), move |cache, make| {
            cache
                .get_or_insert_with("k", || {
                    let made = make();
                    remote(cache).down.store(true, SeqCst);
                    made
                })
                .ok()
        });
        let those = results.iter().filter(|result| **result == Some(0));
        let those = u32::try_from(those.count()).unwrap();
        assert!(those < 3 && tried == 1, "{results:?}");
        help.fetch_add(those, SeqCst);
    });
    assert!(helped.load(SeqCst) > 0);
}

/// Where one did, shuttle would say that all threads wait.
pub(crate) fn nobody_waits_for_ever<C: Explored>(new: fn() -> Arc<C>) {
    for remove in [
        |cache: &C| drop(cache.remove("k")),
        |cache: &C| drop(cache.clear()),
    ] {
        in_many_orders(move || {
            let cache = new();
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    spawn(&cache, |cache| {
                        let failed = cache.get_or_try_insert_with("k", || {
                            yield_now();
                            Err::<u32, _>(())
                        });
                        assert_eq!(failed.unwrap(), Err(()));
                    })
                })
                .chain([spawn(&cache, remove)])
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }
}
