//! Many callers of a cold key.

use crate::block_on;
use ctu_core::{Cache, LruCache, SpinCache, cached, cached::Flights};
use std::{
    future::poll_fn,
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
    thread,
};

type Numbers = SpinCache<LruCache<u32, u32, 256>>;

const THREADS: u32 = 8;

/// Lets threads call with the same numbers at once.
fn rush(numbers: u32, call: impl Fn(u32) + Sync) {
    let barrier = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for number in 0..numbers {
                    barrier.wait();
                    call(number);
                }
            });
        }
    });
}

#[test]
fn one_computation_however_many_threads_ask() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight)]
    fn slow(number: u32) -> u32 {
        RUNS.fetch_add(1, Ordering::Relaxed);
        (0..100).for_each(|_| thread::yield_now());
        number + 1
    }

    rush(200, |number| assert_eq!(slow(number), number + 1));
    assert_eq!(RUNS.load(Ordering::Relaxed), 200);
}

#[test]
fn without_it_all_answers_are_right_as_well() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE)]
    fn quick(number: u32) -> u32 {
        number + 1
    }

    rush(200, |number| assert_eq!(quick(number), number + 1));
    assert_eq!(CACHE.len(), Ok(200));
}

#[test]
fn one_computation_however_many_tasks_ask() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());
    static FLIGHTS: Flights = Flights::new();
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight = FLIGHTS)]
    async fn slow(number: u32) -> Result<u32, ()> {
        RUNS.fetch_add(1, Ordering::Relaxed);
        let mut polls = 0;
        poll_fn(|context| {
            polls += 1;
            context.waker().wake_by_ref();
            if polls > 20 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        Ok(number + 1)
    }

    rush(100, |number| {
        assert_eq!(block_on(slow(number)), Ok(number + 1))
    });
    assert_eq!(RUNS.load(Ordering::Relaxed), 100);
}

#[test]
fn recursion_flies_too() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE, single_flight)]
    fn fibonacci(number: u32) -> u32 {
        match number {
            0 | 1 => number,
            _ => fibonacci(number - 1) + fibonacci(number - 2),
        }
    }

    rush(40, |number| {
        assert_eq!(fibonacci(number), fibonacci::uncached(number))
    });
}

#[test]
fn a_flight_that_panics_or_fails_lets_the_next_one_go() {
    static CACHE: Numbers = SpinCache::new(LruCache::new());
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(cache = CACHE, single_flight)]
    fn third_time(number: u32) -> Result<u32, &'static str> {
        match RUNS.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("the first"),
            1 => Err("the second"),
            _ => Ok(number),
        }
    }

    let first = thread::spawn(|| third_time(5)).join();
    assert!(first.is_err());
    assert_eq!(third_time(5), Err("the second"));
    assert_eq!((third_time(5), third_time(5)), (Ok(5), Ok(5)));
    assert_eq!(RUNS.load(Ordering::Relaxed), 3);
}
