//! Expiry inside the seal, through every operation that writes or reads.

use crate::{SECRET, base};
use ctu_core::{
    Cache, CacheExt, KeyRing, LocalAsyncCache, LocalAsyncCacheExt, ManualClock, Ready, SealedCache,
    WallClock, heap::TtlCache,
};
use std::{
    cell::{Cell, RefCell},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

struct Wall(Cell<u64>);

impl WallClock for Wall {
    fn now(&self) -> Option<u64> {
        Some(self.0.get())
    }
}

/// A cache below that keeps entries for a minute by a clock that stands still.
type Timed<'c> = RefCell<TtlCache<Vec<u8>, Vec<u8>, &'c ManualClock>>;

fn timed(clock: &ManualClock) -> Timed<'_> {
    RefCell::new(TtlCache::with_capacity(16, 60 * SECOND, clock))
}

fn ring() -> KeyRing {
    KeyRing::new(SECRET).unwrap()
}

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn every_operation_that_writes_seals_the_time_to_live() {
    let clock = ManualClock::new();
    let base = timed(&clock);
    let wall = Wall(Cell::new(1_790_000_000_000));
    let cache = SealedCache::with_keys(&base, ring()).wall_clock(&wall);
    let value = || b"value".to_vec();
    cache.insert(b"insert", value()).unwrap();
    cache
        .insert_with_ttl(b"insert_with_ttl", value(), 60 * SECOND)
        .unwrap();
    cache.get_or_insert_with(b"computed", value).unwrap();
    cache
        .insert_many(vec![(b"many".as_slice(), value())], None)
        .unwrap();
    let awaited = SealedCache::with_keys(Ready(&base), ring()).wall_clock(&wall);
    now(LocalAsyncCache::insert_entry(
        &awaited,
        b"async",
        value(),
        None,
    ))
    .unwrap();
    now(LocalAsyncCache::insert_many(
        &awaited,
        vec![(b"async many".as_slice(), value())],
        None,
    ))
    .unwrap();
    now(LocalAsyncCacheExt::get_or_insert_with(
        &awaited,
        b"async computed",
        async || value(),
    ))
    .unwrap();
    let keys: [&[u8]; 7] = [
        b"insert",
        b"insert_with_ttl",
        b"computed",
        b"many",
        b"async",
        b"async many",
        b"async computed",
    ];
    // The server would keep them for good: its clock stands.
    for (passed, there) in [(0, true), (59_999, true), (60_000, false)] {
        wall.0.set(1_790_000_000_000 + passed);
        for key in keys {
            let name = String::from_utf8_lossy(key);
            assert_eq!(
                cache.get(key).unwrap().is_some(),
                there,
                "{name} after {passed} ms"
            );
            assert_eq!(cache.contains(key), Ok(there), "{name} after {passed} ms");
            assert_eq!(now(LocalAsyncCache::contains(&awaited, key)), Ok(there));
        }
    }
}

#[test]
fn every_operation_reports_the_sealed_expiry() {
    let clock = ManualClock::new();
    let base = timed(&clock);
    let wall = Wall(Cell::new(1_790_000_000_000));
    let cache = SealedCache::with_keys(&base, ring()).wall_clock(&wall);
    cache.insert(b"key", b"value".to_vec()).unwrap();
    // Forty seconds that the server does not count.
    wall.0.set(1_790_000_040_000);
    let expected = Some((b"value".to_vec(), Some(20 * SECOND)));
    assert_eq!(cache.get_with_ttl(b"key").unwrap(), expected);
    assert_eq!(
        cache.get_many_with_ttl(&[b"key"]).unwrap(),
        std::slice::from_ref(&expected)
    );
    let awaited = SealedCache::with_keys(Ready(&base), ring()).wall_clock(&wall);
    assert_eq!(
        now(LocalAsyncCache::get_with_ttl(&awaited, b"key")).unwrap(),
        expected
    );
    let many = now(LocalAsyncCache::get_many_with_ttl(&awaited, &[b"key"])).unwrap();
    assert_eq!(many, [expected]);
    // And that of the server where it is the shorter.
    clock.advance(50 * SECOND);
    let (_, left) = cache.get_with_ttl(b"key").unwrap().unwrap();
    assert_eq!(left, Some(10 * SECOND));
}

#[test]
fn nodes_with_and_without_a_wall_clock_share_entries() {
    let base = base();
    let wall = Wall(Cell::new(0));
    let with = SealedCache::with_keys(&base, ring()).wall_clock(&wall);
    let without = SealedCache::with_keys(&base, ring());
    with.insert(b"with", b"1".to_vec()).unwrap();
    without.insert(b"without", b"2".to_vec()).unwrap();
    assert_eq!(without.get(b"with"), Ok(Some(b"1".to_vec())));
    assert_eq!(with.get(b"without"), Ok(Some(b"2".to_vec())));
}
