//! Random schedules of two nodes, against the promises.

use crate::{
    millis,
    remote::{DEADLINE, Fault, Link, SETTLE, Server, TTL, UNNAMED},
    secs,
};
use ctu_std::{
    Cache, CacheExt, Clock, ConcurrentCache, Error, LockedCache, ManualClock, TtlCache,
    TwoLevelCache,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

const KEYS: u32 = 4;
const FIRST_TTL: Duration = millis(5_000);

type First = Box<dyn Cache<Key = u32, Value = u32, Error = Error>>;
type Node = TwoLevelCache<First, Link>;

#[derive(Clone, Debug)]
enum Step {
    Put(usize, u32),
    PutFor(usize, u32, u64),
    PutMany(usize, u32, u32),
    Remove(usize, u32),
    RemoveMany(usize, u32, u32),
    Pop(usize, u32),
    Get(usize, u32),
    GetMany(usize),
    Compute(usize, u32),
    ComputeInVain(usize, u32),
    Clear(usize),
    /// The first level forgets a key.
    Evict(usize, u32),
    Fail(usize, Fault),
    FailAll(Fault),
    Advance(u64),
    Recover(usize),
    Deliver(usize),
    Restart,
    /// Writes what the second level has no key for, which an outage keeps from being seen.
    PutUnnamed(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (node, key) = (0..2usize, 0..KEYS);
    let at = (node.clone(), key.clone());
    let fault = prop_oneof![
        3 => Just(Fault::None),
        2 => Just(Fault::Refused),
        2 => Just(Fault::Lost),
        2 => Just(Fault::Unanswered),
        3 => Just(Fault::Late),
        2 => Just(Fault::Full),
    ];
    prop_oneof![
        6 => at.clone().prop_map(|(node, key)| Step::Put(node, key)),
        2 => (at.clone(), 1..8_000u64).prop_map(|((node, key), ttl)| Step::PutFor(node, key, ttl)),
        2 => (at.clone(), key.clone()).prop_map(|((node, a), b)| Step::PutMany(node, a, b)),
        6 => at.clone().prop_map(|(node, key)| Step::Remove(node, key)),
        1 => (at.clone(), key).prop_map(|((node, a), b)| Step::RemoveMany(node, a, b)),
        1 => at.clone().prop_map(|(node, key)| Step::Pop(node, key)),
        8 => at.clone().prop_map(|(node, key)| Step::Get(node, key)),
        2 => node.clone().prop_map(Step::GetMany),
        3 => at.clone().prop_map(|(node, key)| Step::Compute(node, key)),
        1 => at.clone().prop_map(|(node, key)| Step::ComputeInVain(node, key)),
        1 => node.clone().prop_map(Step::Clear),
        4 => at.prop_map(|(node, key)| Step::Evict(node, key)),
        5 => (node.clone(), fault.clone()).prop_map(|(node, fault)| Step::Fail(node, fault)),
        2 => fault.prop_map(Step::FailAll),
        4 => prop_oneof![0..300u64, 0..3_000u64, 0..12_000u64].prop_map(Step::Advance),
        4 => node.prop_map(Step::Recover),
        3 => (0..8usize).prop_map(Step::Deliver),
        1 => Just(Step::Restart),
        1 => (0..2usize).prop_map(Step::PutUnnamed),
    ]
}

/// The switches that a schedule runs with.
#[derive(Clone, Copy, Debug)]
struct Switches {
    /// Whether the first level is one whose hits take no lock.
    concurrent: bool,
    journal: usize,
    others: bool,
}

struct World {
    clock: Arc<ManualClock>,
    server: Arc<Mutex<Server>>,
    nodes: Vec<Node>,
    /// Every value is the number of its write: the greater, the newer.
    last: u32,
    /// What a node must not show at a key: what was there before its own last write or delete.
    forbidden: HashMap<(usize, u32), HashSet<u32>>,
    /// What was acknowledged last.
    acknowledged: HashMap<u32, Option<u32>>,
}

type Checked<T = ()> = Result<T, TestCaseError>;

impl World {
    fn new(switches: Switches, seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new());
        let server = Arc::default();
        let node = |node| {
            let time = Arc::clone(&clock);
            let first: First = match switches.concurrent {
                true => Box::new(ConcurrentCache::<u32, u32, _>::with_ttl(3, FIRST_TTL, time)),
                false => Box::new(LockedCache::new(TtlCache::<u32, u32, _>::with_capacity(
                    3, FIRST_TTL, time,
                ))),
            };
            let builder = TwoLevelCache::builder(first, Link::new(node, &server, &clock))
                .recovers_by_hand()
                .breaker(2, millis(100))
                .open_for(millis(300), millis(2_000))
                .settle(SETTLE)
                .journal(switches.journal)
                .clock(Arc::clone(&clock))
                .seed(seed);
            if switches.others {
                let builder = builder.grace(secs(30), 3).negative(millis(500), 3);
                return builder.jitter(0.5).build();
            }
            builder.build()
        };
        let nodes = (0..2).map(node).collect();
        Self {
            clock,
            server,
            nodes,
            last: 0,
            forbidden: HashMap::new(),
            acknowledged: HashMap::new(),
        }
    }

    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    /// Node `node` writes or deletes `key` now.
    fn wrote(&mut self, node: usize, key: u32, value: Option<u32>) {
        // What another node sent before and is still under way was not there to be deleted.
        let under_way = self.server.lock().unwrap().under_way(node, key);
        let before = (0..value.unwrap_or(self.last + 1)).filter(|value| !under_way.contains(value));
        self.forbidden
            .entry((node, key))
            .or_default()
            .extend(before);
        self.acknowledged.insert(key, value);
    }

    fn showed(&self, node: usize, key: u32, value: Option<u32>) -> Checked {
        let forbidden = self.forbidden.get(&(node, key));
        if let (Some(value), Some(forbidden)) = (value, forbidden) {
            prop_assert!(
                !forbidden.contains(&value),
                "node {node} shows {value} at {key} again, last is {:?}",
                self.acknowledged.get(&key)
            );
        }
        Ok(())
    }

    fn run(&mut self, step: &Step) -> Checked {
        match *step {
            Step::Put(node, key) => {
                let value = self.next();
                prop_assert_eq!(self.nodes[node].insert_entry(&key, value, None), Ok(()));
                self.wrote(node, key, Some(value));
            }
            Step::PutFor(node, key, ttl) => {
                let value = self.next();
                prop_assert_eq!(
                    self.nodes[node].insert_entry(&key, value, Some(millis(ttl))),
                    Ok(())
                );
                self.wrote(node, key, Some(value));
            }
            Step::PutMany(node, a, b) => {
                let (one, two) = (self.next(), self.next());
                let entries = vec![(&a, one), (&b, two)];
                prop_assert_eq!(self.nodes[node].insert_many(entries, None), Ok(()));
                self.wrote(node, a, Some(one));
                self.wrote(node, b, Some(two));
            }
            Step::Remove(node, key) => {
                prop_assert!(self.nodes[node].remove(&key).is_ok());
                self.wrote(node, key, None);
            }
            Step::RemoveMany(node, a, b) => {
                prop_assert!(self.nodes[node].remove_many(&[&a, &b]).is_ok());
                self.wrote(node, a, None);
                self.wrote(node, b, None);
            }
            Step::Pop(node, key) => {
                let popped = self.nodes[node].pop(&key).expect("no error");
                self.showed(node, key, popped)?;
                if popped.is_some() {
                    self.wrote(node, key, None);
                }
            }
            Step::Get(node, key) => self.get(node, key)?,
            Step::GetMany(node) => {
                let keys: Vec<u32> = (0..KEYS).collect();
                let keys: Vec<&u32> = keys.iter().collect();
                let found = self.nodes[node].get_many(&keys).expect("no error");
                for (key, value) in keys.into_iter().zip(found) {
                    self.showed(node, *key, value)?;
                }
            }
            Step::Compute(node, key) => {
                let value = self.next();
                let found = self.nodes[node].get_or_insert_with(&key, || value);
                let found = found.expect("no error");
                if found == value {
                    self.wrote(node, key, Some(value));
                }
                self.showed(node, key, Some(found))?;
            }
            Step::ComputeInVain(node, key) => {
                let found = self.nodes[node].get_or_try_insert_with(&key, || Err::<u32, _>(()));
                self.showed(node, key, found.expect("no error").ok())?;
            }
            Step::Clear(node) => {
                prop_assert_eq!(self.nodes[node].clear(), Ok(()));
                for key in 0..KEYS {
                    self.wrote(node, key, None);
                }
            }
            Step::Evict(node, key) => drop(self.nodes[node].first().remove(&key)),
            Step::Fail(node, fault) => self.nodes[node].second().fail(fault),
            Step::FailAll(fault) => self.nodes.iter().for_each(|node| node.second().fail(fault)),
            Step::Advance(by) => self.clock.advance(millis(by)),
            Step::Recover(node) => drop(self.nodes[node].recover()),
            Step::Deliver(which) => self.server.lock().unwrap().deliver(which, self.clock.now()),
            Step::PutUnnamed(node) => drop(self.nodes[node].insert_entry(&UNNAMED, 0, None)),
            Step::Restart => self.server.lock().unwrap().restart(),
        }
        Ok(())
    }

    fn get(&self, node: usize, key: u32) -> Checked {
        let found = self.nodes[node].get(&key).expect("no error");
        self.showed(node, key, found)
    }

    /// The second level is back for good: all is made good, and what first levels have expires.
    fn heal(&self) -> Checked {
        for node in &self.nodes {
            node.second().fail(Fault::None);
        }
        for _ in 0..50 {
            self.clock.advance(millis(700));
            for node in &self.nodes {
                let _ = node.recover();
                let _ = node.second().len();
            }
        }
        for node in &self.nodes {
            prop_assert_eq!((node.stats().journal, node.recover()), (0, None));
        }
        prop_assert!(self.server.lock().unwrap().is_quiet());
        // Less than what the second level has lives for.
        let wait = FIRST_TTL + DEADLINE;
        assert!(wait < TTL);
        self.clock.advance(wait);
        Ok(())
    }
}

fn config(cases: u32) -> Config {
    Config {
        cases,
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    /// With room in the journal: nothing comes back on the node that wrote, and in the end every node has
    /// what was acknowledged last, or nothing.
    #[test]
    fn random_schedules_keep_every_promise(steps in prop::collection::vec(step(), 1..80), concurrent: bool, others: bool, seed: u64) {
        let mut world = World::new(Switches { concurrent, journal: 100, others }, seed);
        for step in &steps {
            world.run(step)?;
        }
        world.heal()?;
        for (key, last) in &world.acknowledged {
            for (node, cache) in world.nodes.iter().enumerate() {
                let found = cache.get(key).expect("no error");
                prop_assert!(
                    found.is_none() || found == *last,
                    "node {node} has {found:?} at {key}, and {last:?} was acknowledged last"
                );
                world.showed(node, *key, found)?;
            }
        }
    }

    /// Without: still nothing comes back on the node that wrote.
    #[test]
    fn full_journal_never_resurrects_an_entry(
        steps in prop::collection::vec(step(), 1..80),
        journal in 0..3usize,
        concurrent: bool,
        others: bool,
        seed: u64,
    ) {
        let mut world = World::new(Switches { concurrent, journal, others }, seed);
        for step in &steps {
            world.run(step)?;
        }
        world.heal()?;
        for round in 0..3 {
            for node in 0..2 {
                for key in 0..KEYS {
                    world.get(node, key)?;
                }
            }
            world.clock.advance(SETTLE * round);
        }
    }
}
