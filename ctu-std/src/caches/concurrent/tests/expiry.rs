//! Entries that expire, and times that are read too early.

use super::*;
use crate::caches::concurrent::life::MAX_TTL;

#[test]
fn entries_expire_and_make_room_first() {
    let clock = ManualClock::new();
    let cache = ConcurrentCache::<u32, u32, _>::with_ttl(2, 10 * SECOND, &clock);
    cache.insert(&1, 10u32).unwrap();
    cache.insert_with_ttl(&2, 20u32, SECOND).unwrap();
    assert_eq!(cache.get_with_ttl(&1), Ok(Some((10, Some(10 * SECOND)))));
    assert_eq!(cache.get_with_ttl(&2), Ok(Some((20, Some(SECOND)))));
    clock.advance(SECOND);
    assert_eq!(
        (cache.get(&2), cache.contains(&2), cache.len()),
        (Ok(None), Ok(false), Ok(1))
    );
    // The expired one leaves.
    cache.insert(&3, 30u32).unwrap();
    assert_eq!([cache.get(&1), cache.get(&3)], [Ok(Some(10)), Ok(Some(30))]);
    cache.insert_with_ttl(&3, 31u32, Duration::ZERO).unwrap();
    assert_eq!((cache.pop(&3), cache.remove(&3)), (Ok(None), Ok(false)));
    cache.insert(&3, 32u32).unwrap();
    assert_eq!(cache.get_with_ttl(&3), Ok(Some((32, Some(10 * SECOND)))));
    let too_long = cache.insert_with_ttl(&3, 33u32, Duration::MAX);
    assert_eq!(too_long, Err(Error::TtlTooLong { max: MAX_TTL }));
    assert_eq!(cache.get(&3), Ok(Some(32)));
    assert_eq!(cache.validate(), Ok(()));
    let cache = ConcurrentCache::<u32, u32, _>::with_ttl(2, Duration::MAX, &clock);
    cache.insert(&1, 1u32).unwrap();
    assert_eq!(
        (cache.get(&1), cache.default_ttl()),
        (Ok(Some(1)), Some(MAX_TTL))
    );
}

/// The number of entries, expired ones as well.
fn stored<C>(cache: &ConcurrentCache<u32, u32, C>) -> usize {
    let shards = (0..cache.shards.len()).filter_map(|index| cache.shards.read_at(index));
    shards.map(|shard| shard.len()).sum()
}

#[test]
fn expire_removes_every_expired_entry() {
    let clock = ManualClock::new();
    let cache = ConcurrentCache::<u32, u32, _>::with_ttl(1_000, 10 * SECOND, &clock);
    for key in 0..100 {
        cache.insert(&key, key).unwrap();
        cache.insert_with_ttl(&(key + 100), key, SECOND).unwrap();
    }
    assert_eq!(cache.expire(), 0);
    clock.advance(SECOND);
    cache.insert(&100, 1u32).unwrap();
    assert_eq!((cache.expire(), stored(&cache)), (99, 101));
    assert_eq!((cache.validate(), cache.get(&100)), (Ok(()), Ok(Some(1))));
    clock.advance(10 * SECOND);
    assert_eq!((cache.expire(), stored(&cache)), (101, 0));
    assert_eq!(cache.validate(), Ok(()));
}

/// A clock that another thread seems to come after: the time is read, and then `meanwhile` runs.
#[derive(Clone, Default)]
struct Interrupted(Arc<Interrupt>);

type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Interrupt {
    clock: ManualClock,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl Clock for Interrupted {
    fn now(&self) -> u64 {
        let now = self.0.clock.now();
        let meanwhile = self.0.meanwhile.lock().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        now
    }
}

/// A lookup reads the time, waits, and then finds a newer entry. It does not underestimate its age.
#[test]
fn a_time_is_never_older_than_the_entry_it_is_compared_with() {
    let clock = Interrupted::default();
    let cache = ConcurrentCache::<u32, u32, _>::with_ttl(4, 10 * SECOND, clock.clone());
    let cache = Arc::new(cache);
    let meanwhile = |ttl| {
        let (cache, clock_of) = (Arc::clone(&cache), clock.clone());
        *clock.0.meanwhile.lock() = Some(Box::new(move || {
            clock_of.0.clock.advance(SECOND);
            cache.insert_with_ttl(&1, 1u32, ttl).unwrap();
        }));
    };
    type Finds = fn(&ConcurrentCache<u32, u32, Interrupted>) -> bool;
    let dead: [Finds; 5] = [
        |cache| cache.get(&1).unwrap().is_some(),
        |cache| cache.contains(&1).unwrap(),
        |cache| cache.get_with_ttl(&1).unwrap().is_some(),
        |cache| cache.pop(&1).unwrap().is_some(),
        |cache| cache.remove(&1).unwrap(),
    ];
    for (number, found) in dead.iter().enumerate() {
        meanwhile(Duration::ZERO);
        assert!(!found(&cache), "operation {number}");
    }
    meanwhile(SECOND);
    let left = cache.get_with_ttl(&1).unwrap();
    assert!(left.is_none_or(|(_, left)| left <= Some(SECOND)));
    // Clock and cache keep each other.
    *clock.0.meanwhile.lock() = None;
}
