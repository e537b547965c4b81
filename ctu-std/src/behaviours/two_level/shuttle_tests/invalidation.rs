//! The orders in which fills, writes of this node, writes of others and their reports can meet.

use super::TwoLevelCache;
use crate::{
    behaviours::shuttle::{Down, in_many_orders, spawn},
    caches::{LockedCache, Tracked, Tracker, TrackingConnection, TrackingError, TrackingMessage},
};
use ctu_core::{Cache, CacheExt, ManualClock, heap::LruCache};
use shuttle::thread::yield_now;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

const BOUND: Duration = Duration::from_secs(1);

/// A server that reports changes.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    values: HashMap<String, u32>,
    messages: Vec<TrackingMessage>,
    /// Whether no message passes now.
    is_stalled: bool,
}

impl Server {
    fn write(&self, key: &str, value: Option<u32>) {
        let mut state = self.0.lock().unwrap();
        match value {
            Some(value) => state.values.insert(key.into(), value),
            None => state.values.remove(key),
        };
        state.messages.push(TrackingMessage::Changed(7));
    }

    fn ask<T>(&self, operation: impl FnOnce(&Self) -> T) -> Result<T, Down> {
        yield_now();
        let done = operation(self);
        yield_now();
        Ok(done)
    }

    fn value(&self, key: &str) -> Option<u32> {
        self.0.lock().unwrap().values.get(key).copied()
    }
}

impl Cache for Server {
    type Key = str;
    type Value = u32;
    type Error = Down;

    fn get(&self, key: &str) -> Result<Option<u32>, Down> {
        self.ask(|server| server.value(key))
    }
    fn insert_entry(&self, key: &str, value: u32, _: Option<Duration>) -> Result<(), Down> {
        self.ask(|server| server.write(key, Some(value)))
    }
    fn remove(&self, key: &str) -> Result<bool, Down> {
        self.ask(|server| {
            let had = server.value(key).is_some();
            server.write(key, None);
            had
        })
    }
    fn clear(&self) -> Result<(), Down> {
        self.ask(|server| {
            let mut state = server.0.lock().unwrap();
            state.values.clear();
            state.messages.push(TrackingMessage::AllChanged);
        })
    }
    fn len(&self) -> Result<usize, Down> {
        self.ask(|server| server.0.lock().unwrap().values.len())
    }
}

impl Tracked for Server {
    type Key = str;
    type Value = u32;

    fn mark(&self, _: &str) -> Option<u64> {
        Some(7)
    }

    fn tracker(&self) -> Arc<dyn Tracker> {
        Arc::new(self.clone())
    }
}

impl Tracker for Server {
    fn open(&self) -> Result<Box<dyn TrackingConnection>, TrackingError> {
        yield_now();
        self.0.lock().unwrap().messages.clear();
        yield_now();
        Ok(Box::new(self.clone()))
    }
}

impl TrackingConnection for Server {
    fn ping(&mut self) -> Result<(), TrackingError> {
        self.0.lock().unwrap().messages.push(TrackingMessage::Pong);
        Ok(())
    }

    fn receive(
        &mut self,
        _: Duration,
        each: &mut dyn FnMut(TrackingMessage),
    ) -> Result<(), TrackingError> {
        // The locks around it are places to switch threads. A yield would let a reader go first.
        let mut state = self.0.lock().unwrap();
        let messages = match state.is_stalled {
            true => Vec::new(),
            false => std::mem::take(&mut state.messages),
        };
        drop(state);
        messages.into_iter().for_each(each);
        Ok(())
    }
}

type Explored = TwoLevelCache<LockedCache<LruCache<String, u32>>, Server>;

fn tracked(clock: &Arc<ManualClock>) -> Arc<Explored> {
    let builder = TwoLevelCache::builder(LruCache::with_capacity(4), Server::default())
        .invalidation_bound(BOUND)
        .manual_tracking()
        .tracked_keys(4)
        .clock(Arc::clone(clock));
    Arc::new(builder.seed(1).build())
}

/// A few steps of the tracking: enough for a lease.
fn track(cache: &Explored) {
    for _ in 0..6 {
        cache.track();
    }
}

#[test]
fn after_all_reports_the_first_level_has_the_last_value_or_none() {
    in_many_orders(|| {
        let clock = Arc::new(ManualClock::new());
        let cache = tracked(&clock);
        cache.second().write("k", Some(0));
        let threads = [
            spawn(&cache, track),
            spawn(&cache, |cache| cache.get("k").map(drop).unwrap()),
            spawn(&cache, |cache| cache.get_many(&["k"]).map(drop).unwrap()),
            spawn(&cache, |cache| cache.insert("k", 1u32).unwrap()),
            spawn(&cache, |cache| {
                cache.second().write("k", Some(2));
                yield_now();
                cache.second().write("k", Some(3));
            }),
        ];
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        clock.advance(BOUND / 2);
        track(&cache);
        let first = cache.first().get("k").unwrap();
        let last = cache.second().value("k");
        assert!(first.is_none() || first == last, "{first:?}, not {last:?}");
        assert!(!cache.stats().lease_left.is_zero());
    });
}

#[test]
fn clear_and_reports_leave_no_older_value() {
    in_many_orders(|| {
        let clock = Arc::new(ManualClock::new());
        let cache = tracked(&clock);
        cache.second().write("k", Some(0));
        track(&cache);
        let threads = [
            spawn(&cache, |cache| cache.get("k").map(drop).unwrap()),
            spawn(&cache, |cache| cache.clear_first().unwrap()),
            spawn(&cache, |cache| cache.second().write("k", Some(1))),
            spawn(&cache, track),
        ];
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        clock.advance(BOUND / 2);
        track(&cache);
        let first = cache.first().get("k").unwrap();
        assert!(first.is_none_or(|first| first == 1), "{first:?}");
    });
}

#[test]
fn new_lease_covers_no_entry_that_was_read_before_it() {
    in_many_orders(|| {
        let clock = Arc::new(ManualClock::new());
        let cache = tracked(&clock);
        cache.second().write("k", Some(1));
        track(&cache);
        assert_eq!(cache.get("k").unwrap(), Some(1));
        cache.second().0.lock().unwrap().is_stalled = true;
        cache.second().write("k", Some(2));
        clock.advance(2 * BOUND);
        cache.second().0.lock().unwrap().is_stalled = false;
        // More than a bound after the write.
        let reader = spawn(&cache, |cache| cache.get("k").unwrap());
        let tracker = spawn(&cache, track);
        assert_eq!(reader.join().unwrap(), Some(2));
        tracker.join().unwrap();
    });
}

#[test]
fn subscription_is_followed_by_a_clear() {
    in_many_orders(|| {
        let clock = Arc::new(ManualClock::new());
        let cache = tracked(&clock);
        cache.second().write("k", Some(1));
        let reader = spawn(&cache, |cache| cache.get("k").map(drop).unwrap());
        let author = spawn(&cache, |cache| cache.second().write("k", Some(2)));
        let tracker = spawn(&cache, track);
        for thread in [reader, author, tracker] {
            thread.join().unwrap();
        }
        clock.advance(BOUND / 2);
        track(&cache);
        let first = cache.first().get("k").unwrap();
        assert!(first.is_none_or(|first| first == 2), "{first:?}");
    });
}

#[test]
fn read_older_than_a_report_fills_nothing() {
    in_many_orders(|| {
        let clock = Arc::new(ManualClock::new());
        let cache = tracked(&clock);
        cache.second().write("k", Some(1));
        track(&cache);
        let reader = spawn(&cache, |cache| cache.get("k").map(drop).unwrap());
        let author = spawn(&cache, |cache| cache.second().write("k", Some(2)));
        let tracker = spawn(&cache, |cache| {
            cache.track();
            cache.track();
        });
        for thread in [reader, author, tracker] {
            thread.join().unwrap();
        }
        track(&cache);
        let first = cache.first().get("k").unwrap();
        assert!(first.is_none_or(|first| first == 2), "{first:?}");
    });
}
