//! Random schedules of two nodes and an author that is no node, against the bound.

use crate::{
    millis,
    model::{Link, Server},
};
use ctu_std::{
    Cache, Clock, ConcurrentCache, Error, InMemory, LockedCache, LruCache, ManualClock,
    TwoLevelCache,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError},
};
use std::sync::{
    Arc, Mutex, Weak,
    atomic::{AtomicU32, Ordering::SeqCst},
};

pub(crate) const KEYS: u32 = 6;
const BOUND: u64 = 1_000;

#[derive(Clone, Debug)]
enum Step {
    Put(usize, u32, Vec<Step>),
    PutMany(usize, u32, u32, Vec<Step>),
    Remove(usize, u32, Vec<Step>),
    Clear(usize),
    Get(usize, u32, Vec<Step>),
    GetMany(usize, Vec<Step>),
    Compute(usize, u32, Vec<Step>),
    /// The first level forgets a key.
    EvictFirst(usize, u32),
    /// Another program writes to the server.
    Foreign(u32),
    /// The same, and the entry expires, is evicted or removed there.
    ForeignRemove(u32),
    Flush,
    Restart,
    /// One step of the tracking of a node.
    Track(usize),
    /// The server answers a ping of a node.
    Execute(usize),
    EndCycle,
    Deliver(usize, usize),
    Cut(usize),
    Silence(usize),
    Refuse(bool),
    /// Messages pass for a while.
    Settle(usize, Vec<Round>),
    /// The last moment of a lease: the first level is read.
    Edge(usize),
    Advance(u64),
}

/// A round of the tracking of a node.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    /// Another program writes this key before the ping of the round.
    foreign: Option<u32>,
    /// The time before the ping, in milliseconds.
    advance: u64,
    /// Whether the cycle of the server goes on after the round.
    goes_on: bool,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let foreign = prop_oneof![5 => Just(None), 1 => (0..KEYS).prop_map(Some)];
    let round = (
        foreign,
        prop_oneof![2 => Just(0), 1 => 0..150u64],
        any::<bool>(),
    );
    let round = round.prop_map(|(foreign, advance, goes_on)| Round {
        foreign,
        advance,
        goes_on,
    });
    prop::collection::vec(round, 1..10)
}

/// A step that others do while a request is under way.
fn foreign_step() -> impl Strategy<Value = Step> {
    let (node, key) = (0..2usize, 0..KEYS);
    prop_oneof![
        6 => key.clone().prop_map(Step::Foreign),
        2 => key.clone().prop_map(Step::ForeignRemove),
        1 => Just(Step::Flush),
        4 => node.clone().prop_map(Step::Track),
        3 => node.clone().prop_map(Step::Execute),
        2 => Just(Step::EndCycle),
        4 => (node.clone(), 1..4usize).prop_map(|(node, count)| Step::Deliver(node, count)),
        3 => (node.clone(), rounds()).prop_map(|(node, rounds)| Step::Settle(node, rounds)),
        2 => node.clone().prop_map(Step::Edge),
        1 => node.clone().prop_map(Step::Cut),
        2 => (0..400u64).prop_map(Step::Advance),
        2 => (node, key).prop_map(|(node, key)| Step::Get(node, key, Vec::new())),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let (node, key) = (0..2usize, 0..KEYS);
    let at = (node.clone(), key.clone());
    let during = || prop::collection::vec(foreign_step(), 0..5);
    prop_oneof![
        5 => (at.clone(), during()).prop_map(|((node, key), during)| Step::Put(node, key, during)),
        1 => (at.clone(), key.clone(), during())
            .prop_map(|((node, a), b, during)| Step::PutMany(node, a, b, during)),
        2 => (at.clone(), during())
            .prop_map(|((node, key), during)| Step::Remove(node, key, during)),
        12 => (at.clone(), during()).prop_map(|((node, key), during)| Step::Get(node, key, during)),
        2 => (node.clone(), during()).prop_map(|(node, during)| Step::GetMany(node, during)),
        2 => (at.clone(), during())
            .prop_map(|((node, key), during)| Step::Compute(node, key, during)),
        1 => node.clone().prop_map(Step::Clear),
        2 => at.prop_map(|(node, key)| Step::EvictFirst(node, key)),
        20 => foreign_step(),
        1 => Just(Step::Restart),
        2 => node.prop_map(Step::Silence),
        1 => any::<bool>().prop_map(Step::Refuse),
        4 => (0..1_500u64).prop_map(Step::Advance),
    ]
}

pub(crate) trait Memory:
    Cache<Key = u32, Value = u32, Error = Error> + InMemory + Send + Sync
{
}

impl<C: Cache<Key = u32, Value = u32, Error = Error> + InMemory + Send + Sync> Memory for C {}

pub(crate) type Node = TwoLevelCache<Box<dyn Memory>, Link>;

#[derive(Clone, Copy, Debug)]
struct Switches {
    concurrent: bool,
    negative: bool,
}

fn node(
    node: usize,
    server: &Arc<Mutex<Server>>,
    clock: &Arc<ManualClock>,
    switches: Switches,
) -> Node {
    let first: Box<dyn Memory> = match switches.concurrent {
        true => Box::new(ConcurrentCache::<u32, u32>::with_capacity(8)),
        false => Box::new(LockedCache::new(LruCache::<u32, u32>::with_capacity(8))),
    };
    let builder = TwoLevelCache::builder(first, Link::new(node, server, clock))
        .invalidation_bound(millis(BOUND))
        .manual_tracking()
        // Four keys a stripe.
        .tracked_keys(1)
        .clock(Arc::clone(clock))
        .seed(node as u64);
    match switches.negative {
        true => builder.negative(millis(100_000), 4).build(),
        false => builder.build(),
    }
}

struct World {
    clock: Arc<ManualClock>,
    server: Arc<Mutex<Server>>,
    nodes: Vec<Node>,
    /// Every value is the number of its write.
    last: AtomicU32,
    /// The first breach of the promise.
    breach: Mutex<Option<String>>,
    first_hits: AtomicU32,
}

impl World {
    fn new(switches: Switches) -> Arc<Self> {
        let (clock, server) = (Arc::new(ManualClock::new()), Arc::default());
        let nodes = (0..2).map(|number| node(number, &server, &clock, switches));
        Arc::new(Self {
            nodes: nodes.collect(),
            clock,
            server,
            last: AtomicU32::new(0),
            breach: Mutex::new(None),
            first_hits: AtomicU32::new(0),
        })
    }

    fn next(&self) -> u32 {
        self.last.fetch_add(1, SeqCst) + 1
    }

    /// A read of `key` that began at `began` returned `found`.
    fn check(&self, node: usize, key: u32, began: u64, found: Option<u32>) {
        let server = self.server.lock().unwrap();
        // The time since which the answer is outdated.
        let outdated = match found {
            Some(value) => server.superseded_at(value),
            None => server.present_since(key),
        };
        if outdated.is_some_and(|outdated| began >= outdated + BOUND) {
            let breach = format!(
                "node {node} shows {found:?} at {key} to a read at {began}, outdated at {outdated:?}"
            );
            self.breach.lock().unwrap().get_or_insert(breach);
        }
    }

    /// Runs an operation of a node, during which others do `steps`.
    fn with<T>(
        self: &Arc<Self>,
        node: usize,
        steps: &[Step],
        operation: impl FnOnce(&Node) -> T,
    ) -> T {
        let node = &self.nodes[node];
        if !steps.is_empty() {
            let (world, steps) = (Arc::downgrade(self), steps.to_vec());
            let during = move || {
                let world = Weak::upgrade(&world).expect("the world of the operation");
                steps.iter().for_each(|step| world.run(step));
            };
            *node.second().during.lock().unwrap() = Some(Box::new(during));
        }
        let done = operation(node);
        *node.second().during.lock().unwrap() = None;
        done
    }

    fn settle(&self, node: usize, rounds: &[Round]) {
        for round in rounds {
            if let Some(key) = round.foreign {
                let value = self.next();
                let mut server = self.server.lock().unwrap();
                server.write(key, Some(value), self.clock.now());
            }
            self.clock.advance(millis(round.advance));
            self.nodes[node].track();
            let mut server = self.server.lock().unwrap();
            server.execute(node);
            if !round.goes_on {
                server.end_cycle();
            }
            server.deliver(node, usize::MAX);
        }
    }

    /// Reads the first level of a node at the end of its lease.
    fn edge(&self, node: usize) {
        let left = self.nodes[node].stats().lease_left;
        self.clock.advance(left.saturating_sub(millis(1)));
        let now = self.clock.now();
        for key in 0..KEYS {
            let found = self.nodes[node].get_first(&key).unwrap();
            if found.is_some() {
                self.first_hits.fetch_add(1, SeqCst);
                self.check(node, key, now, found);
            }
        }
    }

    fn run(self: &Arc<Self>, step: &Step) {
        let now = self.clock.now();
        match step {
            Step::Put(node, key, during) => {
                let value = self.next();
                self.with(*node, during, |node| node.insert_entry(key, value, None))
                    .unwrap();
            }
            Step::PutMany(node, a, b, during) => {
                let entries = vec![(a, self.next()), (b, self.next())];
                self.with(*node, during, |node| node.insert_many(entries, None))
                    .unwrap();
            }
            Step::Remove(node, key, during) => {
                self.with(*node, during, |node| node.remove(key)).unwrap();
            }
            Step::Clear(node) => self.nodes[*node].clear().unwrap(),
            Step::Get(node, key, during) => {
                let asked = self.nodes[*node].second().asked.load(SeqCst);
                let found = self.with(*node, during, |node| node.get(key)).unwrap();
                if found.is_some() && self.nodes[*node].second().asked.load(SeqCst) == asked {
                    self.first_hits.fetch_add(1, SeqCst);
                }
                self.check(*node, *key, now, found);
            }
            Step::GetMany(node, during) => {
                let keys: Vec<u32> = (0..KEYS).collect();
                let keys: Vec<&u32> = keys.iter().collect();
                let found = self
                    .with(*node, during, |node| node.get_many(&keys))
                    .unwrap();
                for (key, found) in keys.into_iter().zip(found) {
                    self.check(*node, *key, now, found);
                }
            }
            Step::Compute(node, key, during) => {
                let value = self.next();
                let computed = self.with(*node, during, |node| {
                    node.get_or_compute(key, &mut || Ok(Some(value)))
                });
                self.check(*node, *key, now, computed.unwrap());
            }
            Step::EvictFirst(node, key) => drop(self.nodes[*node].first().remove(key)),
            Step::Foreign(key) => {
                let value = self.next();
                self.server.lock().unwrap().write(*key, Some(value), now);
            }
            Step::ForeignRemove(key) => self.server.lock().unwrap().write(*key, None, now),
            Step::Flush => self.server.lock().unwrap().flush(now),
            Step::Restart => self.server.lock().unwrap().restart(now),
            Step::Track(node) => drop(self.nodes[*node].track()),
            Step::Execute(node) => self.server.lock().unwrap().execute(*node),
            Step::EndCycle => self.server.lock().unwrap().end_cycle(),
            Step::Deliver(node, count) => self.server.lock().unwrap().deliver(*node, *count),
            Step::Cut(node) => self.server.lock().unwrap().cut(*node),
            Step::Silence(node) => self.server.lock().unwrap().silence(*node),
            Step::Refuse(refuses) => self.server.lock().unwrap().refuses = *refuses,
            Step::Settle(node, rounds) => self.settle(*node, rounds),
            Step::Edge(node) => self.edge(*node),
            Step::Advance(by) => self.clock.advance(millis(*by)),
        }
    }
}

/// Runs a schedule. Returns the number of hits in first levels.
fn run(steps: &[Step], switches: Switches) -> Result<u32, TestCaseError> {
    let world = World::new(switches);
    world.clock.advance(millis(10_000));
    (0..2).for_each(|node| world.settle(node, &[Round::default(); 8]));
    for step in steps {
        world.run(step);
        let breach = world.breach.lock().unwrap().clone();
        prop_assert!(breach.is_none(), "{}", breach.unwrap_or_default());
    }
    Ok(world.first_hits.load(SeqCst))
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

    #[test]
    fn no_answer_is_older_than_the_bound(
        steps in prop::collection::vec(step(), 1..100),
        concurrent: bool,
        negative: bool,
    ) {
        run(&steps, Switches { concurrent, negative })?;
    }
}

/// The schedules above are worth little if the first levels answer nothing.
#[test]
fn first_levels_answer_in_random_schedules() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let switches = Switches {
        concurrent: false,
        negative: false,
    };
    let hits: u32 = (0..100)
        .map(|_| {
            let steps = prop::collection::vec(step(), 100).new_tree(&mut runner);
            run(&steps.unwrap().current(), switches).unwrap()
        })
        .sum();
    assert!(hits > 100, "{hits} hits");
}
