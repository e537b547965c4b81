//! Random schedules of two nodes, against the promises.

use crate::{
    async_node::Async,
    millis,
    node::{Blocking, FIRST_TTL, Node, Switches},
    remote::{DEADLINE, Fault, Link, SETTLE, Server, TTL, UNNAMED},
    steps::{KEYS, Step, step},
};
use ctu_std::{Cache, Clock, ManualClock};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

struct World<N> {
    clock: Arc<ManualClock>,
    server: Arc<Mutex<Server>>,
    nodes: Vec<N>,
    /// Every value is the number of its write: the greater, the newer.
    last: u32,
    /// The forbidden values of a key on a node: those from before its own last write or delete.
    forbidden: HashMap<(usize, u32), HashSet<u32>>,
    /// The last acknowledged value of each key.
    acknowledged: HashMap<u32, Option<u32>>,
    /// The keys and values of each tag.
    tagged: HashMap<u32, Vec<(u32, u32)>>,
    /// The values whose tag was invalidated.
    invalidated: HashSet<u32>,
}

type Checked<T = ()> = Result<T, TestCaseError>;

/// The result of an operation. `None` if its future was dropped; any other error fails the
/// schedule. A dropped write may have been done: from then on, the node shows no older value
/// either.
fn ended<N: Node, T>(result: Result<T, N::Error>) -> Checked<Option<T>> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(error) if N::is_dropped(&error) => Ok(None),
        Err(error) => Err(TestCaseError::fail(format!("{error}"))),
    }
}

impl<N: Node> World<N> {
    fn new(switches: Switches, seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new());
        let server = Arc::default();
        let node = |node| N::new(Link::new(node, &server, &clock), switches, seed);
        let nodes = (0..2).map(node).collect();
        Self {
            clock,
            server,
            nodes,
            last: 0,
            forbidden: HashMap::new(),
            acknowledged: HashMap::new(),
            tagged: HashMap::new(),
            invalidated: HashSet::new(),
        }
    }

    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    /// Node `node` writes or deletes `key` now.
    fn wrote(&mut self, node: usize, key: u32, value: Option<u32>) {
        // A write of another node that is still in transit could not be deleted.
        let under_way = self.server.lock().unwrap().under_way(node, key);
        let before = (0..value.unwrap_or(self.last + 1)).filter(|value| !under_way.contains(value));
        self.forbidden
            .entry((node, key))
            .or_default()
            .extend(before);
        self.acknowledged.insert(key, value);
    }

    /// Node `node` has invalidated `tag` of earlier `values`.
    fn invalidated(&mut self, node: usize, values: Vec<(u32, u32)>) {
        let server = self.server.lock().unwrap();
        for (key, value) in values {
            // A write of another node that is still in transit is of the next generation.
            if !server.under_way(node, key).contains(&value) {
                self.forbidden.entry((node, key)).or_default().insert(value);
            }
            self.invalidated.insert(value);
        }
    }

    fn values_of(&self, tag: u32) -> Vec<(u32, u32)> {
        self.tagged.get(&tag).cloned().unwrap_or_default()
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
                ended::<N, _>(self.nodes[node].insert_entry(&key, value, None))?;
                self.wrote(node, key, Some(value));
            }
            Step::PutFor(node, key, ttl) => {
                let value = self.next();
                let ttl = Some(millis(ttl));
                ended::<N, _>(self.nodes[node].insert_entry(&key, value, ttl))?;
                self.wrote(node, key, Some(value));
            }
            Step::PutMany(node, a, b) => {
                let (one, two) = (self.next(), self.next());
                let entries = vec![(&a, one), (&b, two)];
                ended::<N, _>(self.nodes[node].insert_many(entries, None))?;
                self.wrote(node, a, Some(one));
                self.wrote(node, b, Some(two));
            }
            Step::Remove(node, key) => {
                ended::<N, _>(self.nodes[node].remove(&key))?;
                self.wrote(node, key, None);
            }
            Step::RemoveMany(node, a, b) => {
                ended::<N, _>(self.nodes[node].remove_many(&[&a, &b]))?;
                self.wrote(node, a, None);
                self.wrote(node, b, None);
            }
            Step::Pop(node, key) => {
                let popped = ended::<N, _>(self.nodes[node].pop(&key))?.flatten();
                self.showed(node, key, popped)?;
                if popped.is_some() {
                    self.wrote(node, key, None);
                }
            }
            Step::Get(node, key) => self.get(node, key)?,
            Step::GetMany(node) => {
                let keys: Vec<u32> = (0..KEYS).collect();
                let keys: Vec<&u32> = keys.iter().collect();
                let found = ended::<N, _>(self.nodes[node].get_many(&keys))?;
                for (key, value) in keys.into_iter().zip(found.into_iter().flatten()) {
                    self.showed(node, *key, value)?;
                }
            }
            Step::Compute(node, key) => {
                let value = self.next();
                let found = ended::<N, _>(self.nodes[node].compute(key, Some(value)))?.flatten();
                if found == Some(value) {
                    self.wrote(node, key, Some(value));
                }
                self.showed(node, key, found)?;
            }
            Step::ComputeInVain(node, key) => {
                let found = ended::<N, _>(self.nodes[node].compute(key, None))?;
                self.showed(node, key, found.flatten())?;
            }
            Step::PutTagged(node, key, tag) => {
                let value = self.next();
                ended::<N, _>(self.nodes[node].put_tagged(key, value, tag))?;
                self.wrote(node, key, Some(value));
                self.tagged.entry(tag).or_default().push((key, value));
            }
            Step::ComputeTagged(node, key, tag, other) => {
                let value = self.next();
                self.tagged.entry(tag).or_default().push((key, value));
                let before = other.map(|tag| self.values_of(tag)).unwrap_or_default();
                let acknowledged = AtomicBool::new(false);
                let computed =
                    self.nodes[node].compute_tagged(key, value, tag, other, &acknowledged);
                let found = ended::<N, _>(computed)?;
                let acknowledged = acknowledged.load(SeqCst);
                match found {
                    // A value whose tag was invalidated meanwhile is not stored.
                    Some(own) if own == value && other == Some(tag) => {
                        if !acknowledged {
                            // Perhaps it was not.
                            self.acknowledged.remove(&key);
                        }
                    }
                    Some(own) if own == value => self.wrote(node, key, found),
                    _ => self.showed(node, key, found)?,
                }
                if acknowledged {
                    self.invalidated(node, before);
                }
            }
            Step::Invalidate(node, tag) => {
                let before = self.values_of(tag);
                // An outage is an error, and the caller knows that the tag may be as before.
                if self.nodes[node].invalidate(tag).is_ok() {
                    self.invalidated(node, before);
                }
            }
            Step::Clear(node) => {
                ended::<N, _>(self.nodes[node].clear())?;
                for key in 0..KEYS {
                    self.wrote(node, key, None);
                }
            }
            Step::Evict(node, key) => self.nodes[node].evict(key),
            Step::Fail(node, fault) => self.nodes[node].link().fail(fault),
            Step::FailAll(fault) => self.nodes.iter().for_each(|node| node.link().fail(fault)),
            Step::Advance(by) => self.clock.advance(millis(by)),
            Step::Recover(node) => drop(self.nodes[node].recover()),
            Step::Deliver(which) => self.server.lock().unwrap().deliver(which, self.clock.now()),
            Step::PutUnnamed(node) => {
                let _ = self.nodes[node].insert_entry(&UNNAMED, 0, None);
            }
            Step::Restart => self.server.lock().unwrap().restart(),
            Step::Drop(node, polls) => self.nodes[node].drop_after(Some(polls)),
        }
        Ok(())
    }

    fn get(&self, node: usize, key: u32) -> Checked {
        let found = ended::<N, _>(self.nodes[node].get(&key))?;
        self.showed(node, key, found.flatten())
    }

    /// Ends all faults: recovery completes, and the entries of the first levels expire.
    fn heal(&self) -> Checked {
        for node in &self.nodes {
            node.link().fail(Fault::None);
            node.drop_after(None);
        }
        for _ in 0..50 {
            self.clock.advance(millis(700));
            for node in &self.nodes {
                let _ = node.recover();
                let _ = node.link().len();
            }
        }
        for node in &self.nodes {
            prop_assert_eq!((node.journal(), node.recover()), (0, None));
        }
        prop_assert!(self.server.lock().unwrap().is_quiet());
        // Less than the time-to-live of the second level.
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

/// With room in the journal: no deleted or older value comes back on the node that wrote, and in
/// the end every node has the last acknowledged value, or none.
fn every_promise_is_kept<N: Node>(steps: &[Step], switches: Switches, seed: u64) -> Checked {
    let mut world = World::<N>::new(switches, seed);
    for step in steps {
        world.run(step)?;
    }
    world.heal()?;
    for (key, last) in &world.acknowledged {
        for (node, cache) in world.nodes.iter().enumerate() {
            let found = ended::<N, _>(cache.get(key))?.flatten();
            prop_assert!(
                found.is_none() || found == *last,
                "node {node} has {found:?} at {key}, and {last:?} was acknowledged last"
            );
            world.showed(node, *key, found)?;
            prop_assert!(
                found.is_none_or(|value| !world.invalidated.contains(&value)),
                "node {node} has {found:?} at {key}, whose tag was invalidated"
            );
        }
    }
    Ok(())
}

/// Without room: still no such value comes back on the node that wrote.
fn no_entry_is_resurrected<N: Node>(steps: &[Step], switches: Switches, seed: u64) -> Checked {
    let mut world = World::<N>::new(switches, seed);
    for step in steps {
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
    Ok(())
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn random_schedules_keep_every_promise(steps in prop::collection::vec(step(), 1..80), concurrent: bool, others: bool, seed: u64) {
        let switches = Switches { concurrent, journal: 100, others };
        every_promise_is_kept::<Blocking>(&steps, switches, seed)?;
    }

    #[test]
    fn random_schedules_with_dropped_futures_keep_every_promise(steps in prop::collection::vec(step(), 1..80), concurrent: bool, others: bool, seed: u64) {
        let switches = Switches { concurrent, journal: 100, others };
        every_promise_is_kept::<Async>(&steps, switches, seed)?;
    }

    #[test]
    fn full_journal_never_resurrects_an_entry(
        steps in prop::collection::vec(step(), 1..80),
        journal in 0..3usize,
        concurrent: bool,
        others: bool,
        seed: u64,
    ) {
        no_entry_is_resurrected::<Blocking>(&steps, Switches { concurrent, journal, others }, seed)?;
    }

    #[test]
    fn full_journal_never_resurrects_an_entry_after_dropped_futures(
        steps in prop::collection::vec(step(), 1..80),
        journal in 0..3usize,
        concurrent: bool,
        others: bool,
        seed: u64,
    ) {
        no_entry_is_resurrected::<Async>(&steps, Switches { concurrent, journal, others }, seed)?;
    }
}
