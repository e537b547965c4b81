//! The switches of the invalidation bound, one by one.

use crate::{
    millis,
    model::{Link, Server},
};
use ctu_std::{
    Cache, CacheExt, ConcurrentCache, ManualClock, TrackingState, TwoLevelBuilder, TwoLevelCache,
};
use std::sync::{Arc, Mutex, atomic::Ordering::SeqCst};

type Node = TwoLevelCache<ConcurrentCache<u32, u32>, Link>;
type Builder = TwoLevelBuilder<ConcurrentCache<u32, u32>, Link>;

struct World {
    clock: Arc<ManualClock>,
    server: Arc<Mutex<Server>>,
    node: Node,
}

impl World {
    fn new(change: impl FnOnce(Builder) -> Builder) -> Self {
        let (clock, server) = (Arc::new(ManualClock::new()), Arc::default());
        clock.advance(millis(10_000));
        let first = ConcurrentCache::<u32, u32>::with_capacity(100);
        let builder = TwoLevelCache::builder(first, Link::new(0, &server, &clock))
            .invalidation_bound(millis(1_000))
            .manual_tracking()
            .clock(Arc::clone(&clock))
            .seed(1);
        Self {
            node: change(builder).build(),
            clock,
            server,
        }
    }

    /// A node with a lease.
    fn subscribed(change: impl FnOnce(Builder) -> Builder) -> Self {
        let world = Self::new(change);
        world.settle();
        assert_eq!(world.node.stats().tracking, TrackingState::Subscribed);
        world
    }

    /// All messages pass.
    fn settle(&self) {
        for _ in 0..8 {
            self.node.track();
            let mut server = self.server.lock().unwrap();
            server.execute(0);
            server.end_cycle();
            server.deliver(0, usize::MAX);
        }
    }

    /// Another program writes.
    fn foreign(&self, key: u32, value: u32) {
        let now = ctu_std::Clock::now(&*self.clock);
        self.server.lock().unwrap().write(key, Some(value), now);
    }

    fn asked(&self) -> u32 {
        self.node.second().asked.load(SeqCst)
    }
}

#[test]
fn first_level_answers_under_a_lease_only() {
    let world = World::new(|builder| builder);
    world.foreign(1, 10);
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    assert_eq!((world.asked(), world.node.stats().unleased), (2, 1));
    assert_eq!(world.node.stats().tracking, TrackingState::Unsubscribed);
    world.settle();
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    let asked = world.asked();
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    assert_eq!(world.node.contains(&1), Ok(true));
    assert_eq!(world.node.get_many(&[&1]), Ok(vec![Some(10)]));
    assert_eq!(world.asked(), asked);
    assert_eq!(world.node.stats().lease_left, millis(1_000));
    // Nothing renews it.
    world.clock.advance(millis(999));
    assert_eq!(world.node.get_first(&1), Ok(Some(10)));
    world.clock.advance(millis(1));
    assert_eq!(world.node.get_first(&1), Ok(None));
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    assert_eq!(world.node.contains(&1), Ok(true));
    assert_eq!(world.node.get_many(&[&1]), Ok(vec![Some(10)]));
    assert_eq!(world.asked(), asked + 3);
}

#[test]
fn foreign_write_arrives_with_its_report() {
    let world = World::subscribed(|builder| builder);
    world.foreign(1, 10);
    world.settle();
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    world.foreign(1, 11);
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    world.settle();
    assert_eq!(world.node.get(&1), Ok(Some(11)));
    let stats = world.node.stats();
    assert_eq!((stats.reported, stats.invalidated), (2, 1));
}

#[test]
fn missing_entry_is_remembered_under_a_lease_only() {
    let world = World::subscribed(|builder| builder.negative(millis(60_000), 10));
    assert_eq!(world.node.get(&1), Ok(None));
    assert_eq!(world.node.get(&1), Ok(None));
    assert_eq!(world.asked(), 1);
    world.foreign(1, 10);
    world.settle();
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    assert_eq!(world.node.get(&2), Ok(None));
    world.clock.advance(millis(1_000));
    assert_eq!(world.node.get(&2), Ok(None));
    assert_eq!(world.asked(), 4);
}

#[test]
fn reported_value_is_not_returned_as_stale() {
    let world = World::subscribed(|builder| builder.grace(millis(60_000), 10));
    world.foreign(1, 10);
    world.settle();
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    let now = ctu_std::Clock::now(&*world.clock);
    world.server.lock().unwrap().write(1, None, now);
    world.settle();
    let failed = world.node.get_or_compute(&1, &mut || Ok(None));
    assert_eq!(failed, Ok(None));
    assert_eq!(world.node.stats().stale, 0);
}

#[test]
fn entries_are_served_without_a_lease_by_the_switch_and_cleared_after_it() {
    let world = World::subscribed(TwoLevelBuilder::serve_without_lease);
    world.foreign(1, 10);
    world.settle();
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    world.server.lock().unwrap().cut(0);
    world.server.lock().unwrap().refuses = true;
    world.settle();
    assert_eq!(world.node.stats().tracking, TrackingState::Unsubscribed);
    world.foreign(1, 11);
    world.clock.advance(millis(30_000));
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    world.server.lock().unwrap().refuses = false;
    world.settle();
    assert_eq!(world.node.get(&1), Ok(Some(11)));
    let stats = world.node.stats();
    assert_eq!((stats.unsubscribed, stats.unleased), (1, 0));
    assert!(world.node.last_unsubscription().is_some());
}

#[test]
fn connection_that_swallows_reports_is_refused_and_gives_no_lease() {
    let world = World::subscribed(|builder| builder);
    world.server.lock().unwrap().swallows = true;
    world.node.insert(&1, 10u32).unwrap();
    world.clock.advance(millis(300));
    world.settle();
    let stats = world.node.stats();
    assert_eq!(stats.tracking, TrackingState::Refused);
    assert_eq!(stats.lease_left, millis(0));
    // Later connections answer pings, too. There is no lease before a write is reported.
    for _ in 0..5 {
        world.clock.advance(millis(20_000));
        world.settle();
        assert_eq!(world.node.stats().lease_left, millis(0));
        assert_eq!(world.node.get_first(&1), Ok(None));
    }
    assert_eq!(world.node.stats().unsubscribed, 1);
    world.server.lock().unwrap().swallows = false;
    world.node.insert(&1, 11u32).unwrap();
    world.settle();
    world.clock.advance(millis(300));
    world.settle();
    assert_eq!(world.node.stats().tracking, TrackingState::Subscribed);
}

#[test]
fn own_write_is_read_from_the_second_level_after_its_report() {
    let world = World::subscribed(|builder| builder);
    world.node.insert(&1, 10u32).unwrap();
    assert_eq!(world.node.get_first(&1), Ok(Some(10)));
    world.settle();
    assert_eq!(world.node.get_first(&1), Ok(None));
    assert_eq!(world.node.get(&1), Ok(Some(10)));
    assert_eq!(world.node.get_first(&1), Ok(Some(10)));
}

#[test]
fn cache_without_a_bound_is_not_tracked() {
    let level = || ConcurrentCache::<u32, u32>::with_capacity(10);
    let cache = TwoLevelCache::builder(level(), level()).build();
    cache.insert(&1, 10u32).unwrap();
    assert_eq!(cache.track(), None);
    assert_eq!(cache.stats().tracking, TrackingState::Off);
    assert_eq!(cache.get_first(&1), Ok(Some(10)));
}
