//! Random schedules of two nodes and an author that is no node, against the bound.

use crate::{
    millis,
    model::{Link, Server},
    steps::{KEYS, Mask, Round, Step, step, tags_of},
};
use ctu_std::{
    Cache, CacheExt, Clock, ConcurrentCache, Error, InMemory, LockedCache, LruCache, ManualClock,
    TwoLevelCache,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

const BOUND: u64 = 1_000;

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
    /// Whether entries have tags.
    tags: bool,
    /// Whether every entry has a tag.
    common: bool,
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
    let mut link = Link::new(node, server, clock);
    if switches.tags && switches.common {
        link = link.with_common_tag(0);
    }
    let mut builder = TwoLevelCache::builder(first, link);
    if switches.tags {
        builder = builder.tags();
    }
    let builder = builder
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

/// The start of a read, by the clock and by the number of reads and invalidations before it.
#[derive(Clone, Copy, Debug)]
struct Read {
    clock: u64,
    time: u32,
}

struct World {
    clock: Arc<ManualClock>,
    server: Arc<Mutex<Server>>,
    nodes: Vec<Node>,
    /// Every value is the number of its write.
    last: AtomicU32,
    switches: Switches,
    /// The time, in reads and invalidations so far.
    time: AtomicU32,
    /// The values that a node is not to show any more, since when.
    forbidden: Mutex<HashMap<(usize, u32), u32>>,
    /// The values of each tag.
    tagged: Mutex<HashMap<u32, Vec<u32>>>,
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
            switches,
            time: AtomicU32::new(0),
            forbidden: Mutex::default(),
            tagged: Mutex::default(),
            breach: Mutex::new(None),
            first_hits: AtomicU32::new(0),
        })
    }

    fn next(&self) -> u32 {
        self.last.fetch_add(1, SeqCst) + 1
    }

    /// A read of `key` that began at `began` returned `found`.
    fn check(&self, node: usize, key: u32, began: Read, found: Option<u32>) {
        let forbidden = found.and_then(|value| {
            let forbidden = self.forbidden.lock().unwrap();
            forbidden.get(&(node, value)).copied()
        });
        if forbidden.is_some_and(|since| began.time >= since) {
            let breach = format!("node {node} shows {found:?} at {key}, whose tag it invalidated");
            self.breach.lock().unwrap().get_or_insert(breach);
        }
        let began = began.clock;
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

    /// The start of a read.
    fn read(&self) -> Read {
        Read {
            clock: self.clock.now(),
            time: self.time.fetch_add(1, SeqCst),
        }
    }

    /// The names of `tags`, which `value` has. None without tags in the schedule.
    fn tag(&self, node: Option<usize>, value: u32, mask: Mask) -> Vec<String> {
        if !self.switches.tags {
            return Vec::new();
        }
        let mut tags = tags_of(mask);
        if let Some(node) = node {
            tags = self.nodes[node].second().with_common(&tags);
        }
        self.server.lock().unwrap().has_tags(value, &tags);
        let mut tagged = self.tagged.lock().unwrap();
        for tag in tags {
            tagged.entry(tag).or_default().push(value);
        }
        tags_of(mask).iter().map(u32::to_string).collect()
    }

    fn invalidate(self: &Arc<Self>, node: usize, tag: u32, during: &[Step]) {
        if !self.switches.tags {
            return;
        }
        // A value that is inserted meanwhile may be of the next generation.
        let values = self.tagged.lock().unwrap().get(&tag).cloned();
        let invalidate = |node: &Node| node.invalidate_tag(&tag.to_string());
        self.with(node, during, invalidate).unwrap();
        let now = self.time.fetch_add(1, SeqCst);
        let mut forbidden = self.forbidden.lock().unwrap();
        for value in values.unwrap_or_default() {
            forbidden.entry((node, value)).or_insert(now);
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
        let now = self.read();
        for key in 0..KEYS {
            let found = self.nodes[node].get_first(&key).unwrap();
            if found.is_some() {
                self.first_hits.fetch_add(1, SeqCst);
                self.check(node, key, now, found);
            }
        }
    }

    fn run(self: &Arc<Self>, step: &Step) {
        let (now, began) = (self.clock.now(), self.read());
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
                self.check(*node, *key, began, found);
            }
            Step::GetMany(node, during) => {
                let keys: Vec<u32> = (0..KEYS).collect();
                let keys: Vec<&u32> = keys.iter().collect();
                let found = self
                    .with(*node, during, |node| node.get_many(&keys))
                    .unwrap();
                for (key, found) in keys.into_iter().zip(found) {
                    self.check(*node, *key, began, found);
                }
            }
            Step::Compute(node, key, during) => {
                let value = self.next();
                let computed = self.with(*node, during, |node| {
                    node.get_or_compute(key, &mut || Ok(Some(value)))
                });
                self.check(*node, *key, began, computed.unwrap());
            }
            Step::PutTagged(node, key, mask, during) => {
                let value = self.next();
                let names = self.tag(Some(*node), value, *mask);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let put = |node: &Node| match self.switches.tags {
                    true => node.insert_with_tags(key, value, None, &names),
                    false => node.insert_entry(key, value, None),
                };
                self.with(*node, during, put).unwrap();
            }
            Step::ComputeTagged(node, key, mask, during, computing) => {
                let value = self.next();
                let names: Vec<String> = tags_of(*mask).iter().map(u32::to_string).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let make = || {
                    // It has the tags from here on.
                    self.tag(Some(*node), value, *mask);
                    computing.iter().for_each(|step| self.run(step));
                    value
                };
                let computed = self.with(*node, during, |node| match self.switches.tags {
                    true => node.get_or_insert_with_tags(key, &names, make),
                    false => node.get_or_insert_with(key, make),
                });
                self.check(*node, *key, began, Some(computed.unwrap()));
            }
            Step::Invalidate(node, tag, during) => self.invalidate(*node, *tag, during),
            Step::ForeignTagged(key, mask) => {
                let value = self.next();
                self.tag(None, value, *mask);
                let tags = match self.switches.tags {
                    true => tags_of(*mask),
                    false => Vec::new(),
                };
                let mut server = self.server.lock().unwrap();
                server.write_tagged(*key, value, &tags, now);
            }
            Step::ForeignInvalidate(tag) => self.server.lock().unwrap().invalidate(*tag, now),
            Step::EvictGeneration(tag) => {
                self.server.lock().unwrap().lose_generation(*tag, now);
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
    #![proptest_config(config(1_000))]

    #[test]
    fn no_answer_is_older_than_the_bound(
        steps in prop::collection::vec(step(), 1..100),
        concurrent: bool,
        negative: bool,
        tags in prop_oneof![1 => Just(false), 3 => Just(true)],
        common: bool,
    ) {
        run(&steps, Switches { concurrent, negative, tags, common })?;
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
        tags: true,
        common: false,
    };
    let hits: u32 = (0..100)
        .map(|_| {
            let steps = prop::collection::vec(step(), 100).new_tree(&mut runner);
            run(&steps.unwrap().current(), switches).unwrap()
        })
        .sum();
    assert!(hits > 100, "{hits} hits");
}
