//! Load of many threads on one cache under network faults.

use ctu_core::Cache;
use ctu_std::test_util::{FaultProxy, StreamFault};
use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
};

const THREADS: u32 = 8;
const OPERATIONS: u32 = 10_000;
/// Keys of each thread.
const KEYS: usize = 48;

/// The possible values of a key: the value of the last acknowledged operation, and those of the
/// failed operations after it.
type Possible = Vec<Option<Vec<u8>>>;

/// Runs ten thousand operations on `cache` in each of eight threads, while `proxy` fails its
/// connections repeatedly, also with `nobodys` bytes between replies.
///
/// # Panics
/// If a key shows a value that is not possible, during the run or, by `direct`, at its end.
pub fn under_load<C>(cache: &C, direct: &C, proxy: &FaultProxy, nobodys: [&'static [u8]; 2])
where
    C: Cache<Key = [u8], Value = Vec<u8>> + Sync,
{
    let done = AtomicBool::new(false);
    let [one, other] = nobodys.map(StreamFault::Insert);
    let faults = [StreamFault::Close, StreamFault::Reset, one, other];
    let (failures, injected) = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || work(cache, direct, thread)))
            .collect();
        let injector = scope.spawn(|| {
            let mut injected = 0;
            while !done.load(SeqCst) {
                if proxy.has_failed() {
                    proxy.fail_reply_after(injected * 37 % 2000, faults[injected % faults.len()]);
                    injected += 1;
                }
                thread::yield_now();
            }
            injected
        });
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        done.store(true, SeqCst);
        let failures: thread::Result<u32> = results.into_iter().sum();
        (failures, injector.join().expect("the faults"))
    });
    let failures = failures.expect("no thread panics");
    assert!(injected > 100, "only {injected} faults");
    // A fault is at most one error, and most faults are none.
    assert!(failures as usize <= injected, "{failures} of {injected}");
}

/// The operations of one thread, on its own keys. Returns the number of failures.
fn work<C>(cache: &C, direct: &C, thread: u32) -> u32
where
    C: Cache<Key = [u8], Value = Vec<u8>>,
{
    let keys: Vec<Vec<u8>> = (0..KEYS)
        .map(|key| format!("{thread} {key}").into_bytes())
        .collect();
    let mut possible: Vec<Possible> = vec![vec![None]; KEYS];
    let mut failures = 0;
    // A mix of operations, equal in every run.
    let mut random = thread;
    let mut draw = |below: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 16) % below
    };
    for operation in 0..OPERATIONS {
        let index = draw(KEYS as u32) as usize;
        let (key, possible) = (&keys[index], &mut possible[index]);
        let failed = match draw(10) {
            0..5 => {
                let value = operation.to_le_bytes().repeat(1 + draw(60) as usize);
                let done = cache.insert_entry(key, value.clone(), None);
                write(possible, Some(value), done)
            }
            5 => write(possible, None, cache.remove(key)),
            6..8 => read(possible, cache.get(key)),
            _ => {
                let other = &*keys[(index + 1) % KEYS];
                let found = cache.get_many(&[other, key, other]);
                read(possible, found.map(|mut found| found.swap_remove(1)))
            }
        };
        failures += u32::from(failed);
    }
    for (key, mut possible) in keys.iter().zip(possible) {
        let failed = read(&mut possible, direct.get(key));
        assert!(!failed, "there is no fault on this way");
    }
    failures
}

/// Records the outcome of a write of `value`. Returns whether it failed.
fn write<T, E>(possible: &mut Possible, value: Option<Vec<u8>>, done: Result<T, E>) -> bool {
    if done.is_ok() {
        possible.clear();
    }
    possible.push(value);
    done.is_err()
}

/// Checks a read. Returns whether it failed.
fn read<E>(possible: &mut Possible, found: Result<Option<Vec<u8>>, E>) -> bool {
    if let Ok(found) = found {
        assert!(
            possible.contains(&found),
            "{found:?} is none of {possible:?}"
        );
        *possible = vec![found];
        return false;
    }
    true
}
