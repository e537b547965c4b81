//! A Redis Cluster: which node has a key, and what to do when it has it no more.
//!
//! The `redis` crate has a client for clusters, which is not used for the reasons that
//! [`Link`](super::link::Link) has: its deadlines count from each system call and not for all hops of
//! an operation, and it would bring connections that cannot tell one reply from the next.

mod exchange;
mod map;
mod redirect;
mod refresh;
mod seeds;
mod slot;
mod topology;

pub(super) use seeds::Seeds;
pub(super) use slot::Slot;

use super::{
    RedisError,
    link::{Connector, Source},
    node::Node,
    request::Request,
    settings::Settings,
};
use crate::net::{Deadline, Failure, Fate, Repeat};
use ctu_core::CacheError;
use exchange::{Failed, Load, exchange};
use map::SlotMap;
use parking_lot::RwLock;
use redirect::Redirect;
use redis::Value;
use refresh::Refresh;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    vec,
};
use topology::Shard;

/// How often an operation is sent elsewhere. Once when a slot has moved, twice when it moves just now.
const REDIRECTS: usize = 6;

/// The nodes of a cluster as caches see them.
pub(super) struct Cluster {
    /// Whom the user named. At least one.
    seeds: Vec<Arc<Node>>,
    label: Arc<str>,
    /// How nodes are reached that nobody named.
    settings: Settings,
    pool_size: usize,
    /// `None` until a node has told.
    map: RwLock<Option<Arc<SlotMap>>>,
    /// Whether something speaks for asking for another map.
    stale: AtomicBool,
    refresh: Refresh,
    /// How often a map was asked for.
    asked: AtomicUsize,
}

/// A request about one slot.
#[derive(Clone, Copy)]
pub(super) struct Part<'r> {
    slot: Slot,
    request: &'r Request,
}

impl<'r> Part<'r> {
    pub(super) fn new(slot: Slot, request: &'r Request) -> Self {
        Self { slot, request }
    }
}

/// Where a part goes next.
struct Hop {
    node: Arc<Node>,
    /// Whether the node has to be told that it was meant.
    asking: bool,
}

impl Cluster {
    /// A cluster that the nodes at `seeds` are in, of which there is at least one. Nodes that they tell
    /// of are reached as the first of them is.
    pub(super) fn new(settings: Settings, others: &[Settings], pool_size: usize) -> Self {
        let seeds: Vec<_> = std::iter::once(&settings)
            .chain(others)
            .map(|settings| Arc::new(node(settings.clone(), pool_size)))
            .collect();
        let labels: Vec<_> = seeds.iter().map(|node| &**node.server()).collect();
        Self {
            label: labels.join(", ").into(),
            seeds,
            settings,
            pool_size,
            map: RwLock::new(None),
            stale: AtomicBool::new(true),
            refresh: Refresh::default(),
            asked: AtomicUsize::new(0),
        }
    }

    /// Whom the user named.
    pub(super) fn seeds(&self) -> &str {
        &self.label
    }

    pub(super) fn not_ready(&self, message: impl Into<String>) -> RedisError {
        RedisError::NotReady {
            server: self.label.clone(),
            message: message.into(),
        }
    }

    /// Sends each part to the node that has its slot, all at the same time, and makes `T` of the replies.
    /// What is sent elsewhere is sent again there, alone. The first failure is the error; what other
    /// nodes did stays done.
    pub(super) fn send<T>(
        &self,
        parts: &[Part<'_>],
        deadline: Deadline,
        mut read: impl FnMut(&Node, Vec<Value>) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        let mut done: Vec<Option<T>> = parts.iter().map(|_| None).collect();
        let mut error = None;
        let mut places = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            match self.serving(part.slot, deadline) {
                Ok(node) => places.push((index, node, false)),
                Err(unserved) => drop(error.get_or_insert(unserved)),
            }
        }
        for _ in 0..=REDIRECTS {
            if places.is_empty() {
                break;
            }
            let mut failures = Vec::new();
            exchange(Load::of(parts, places), deadline, |load, replies| {
                let node = &load.node;
                let mut replies = match replies {
                    Ok(replies) => replies.into_iter(),
                    Err(Failed { error, asked }) => {
                        failures.extend(load.parts.iter().map(|(index, _)| {
                            let error = error.clone();
                            (*index, node.clone(), Failed { error, asked })
                        }));
                        return Fate::Discard;
                    }
                };
                let mut fate = Fate::Keep;
                for (index, asking) in &load.parts {
                    let replies = take(&mut replies, parts[*index].request, *asking);
                    match checked(node, replies).and_then(|replies| read(node, replies)) {
                        Ok(value) => done[*index] = Some(value),
                        Err(error) => {
                            if error.fate() != Fate::Keep {
                                fate = Fate::Discard;
                            }
                            let failed = Failed { error, asked: true };
                            failures.push((*index, node.clone(), failed));
                        }
                    }
                }
                fate
            });
            places = Vec::new();
            for (index, node, failed) in failures {
                match self.follow(&parts[index], &node, failed, deadline) {
                    Ok(hop) => places.push((index, hop.node, hop.asking)),
                    Err(failed) => drop(error.get_or_insert(failed)),
                }
            }
        }
        if let Some((_, node, _)) = places.first() {
            error.get_or_insert(RedisError::NotReady {
                server: node.server().clone(),
                message: "the nodes of the cluster send each other's clients in circles".into(),
            });
        }
        match error {
            Some(error) => Err(error),
            None => Ok(done.into_iter().flatten().collect()),
        }
    }

    /// Sends `request` to every master, all at the same time, and makes `T` of the replies of each.
    pub(super) fn every<T>(
        &self,
        request: &Request,
        deadline: Deadline,
        mut read: impl FnMut(&Node, Vec<Value>) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        let (mut nodes, mut values) = (Vec::new(), Vec::new());
        for _ in 0..=REDIRECTS {
            let mut loads = Vec::new();
            for node in self.masters(deadline)? {
                if !contains(&nodes, &node) {
                    loads.push(Load::new(node, request));
                }
            }
            if loads.is_empty() {
                return Ok(values);
            }
            let mut failures = Vec::new();
            exchange(loads, deadline, |load, replies| {
                let node = &load.node;
                let replies = replies.map_err(|failed| failed.error);
                let done = replies
                    .and_then(|replies| checked(node, replies))
                    .and_then(|replies| read(node, replies));
                match done {
                    Ok(value) => {
                        nodes.push(node.clone());
                        values.push(value);
                        Fate::Keep
                    }
                    Err(error) => {
                        let fate = error.fate();
                        failures.push((node.clone(), error));
                        fate
                    }
                }
            });
            for (node, error) in failures {
                self.replaced(&node, error, deadline)?;
            }
        }
        Err(self.not_ready("its masters change faster than they can be asked"))
    }

    /// A master that is not among those that are `done`.
    pub(super) fn next(
        &self,
        done: &[Arc<Node>],
        deadline: Deadline,
    ) -> Result<Option<Arc<Node>>, RedisError> {
        let mut masters = self.masters(deadline)?.into_iter();
        Ok(masters.find(|node| !contains(done, node)))
    }

    /// Whether `node`, which failed with `error`, is no master any more; the error where it is.
    pub(super) fn replaced(
        &self,
        node: &Arc<Node>,
        error: RedisError,
        deadline: Deadline,
    ) -> Result<(), RedisError> {
        self.doubt(node, &error);
        if !is_doubtful(&error) || deadline.remaining().is_none() {
            return Err(error);
        }
        match contains(&self.masters(deadline)?, node) {
            true => Err(error),
            false => Ok(()),
        }
    }

    /// Where `part`, which failed at `node`, is to go; the failure where there is no such place.
    fn follow(
        &self,
        part: &Part<'_>,
        node: &Arc<Node>,
        failed: Failed,
        deadline: Deadline,
    ) -> Result<Hop, RedisError> {
        let Failed { error, asked } = failed;
        match Redirect::of(&error) {
            Some(Ok(redirect)) => {
                let Redirect { slot, moved, .. } = redirect;
                let node = self.node(&(redirect.host, redirect.port), node.host());
                let moved = moved && slot == part.slot;
                self.learn(&node, moved.then_some(slot));
                // Where one slot went, others may have gone.
                self.stale.fetch_or(moved, Relaxed);
                return Ok(Hop {
                    node,
                    asking: !redirect.moved,
                });
            }
            Some(Err(_)) => {
                let what = "it redirects to what is no node";
                return Err(RedisError::protocol(node.server(), what));
            }
            None => {}
        }
        self.doubt(node, &error);
        let refused = matches!(
            error,
            RedisError::NotReady { .. } | RedisError::ReadOnly { .. }
        );
        let again = !asked || refused || part.request.repeat() == Repeat::Safe;
        if !is_doubtful(&error) || !again || deadline.remaining().is_none() {
            return Err(error);
        }
        let _ = self.refresh(Some(deadline), deadline);
        match self.serves(part.slot) {
            // Another has taken over. It may need a moment, but only its users' patience decides that.
            Some(other) if other.server() != node.server() => Ok(Hop {
                node: other,
                asking: false,
            }),
            _ => Err(error),
        }
    }

    /// The node that serves `slot`.
    fn serving(&self, slot: Slot, deadline: Deadline) -> Result<Arc<Node>, RedisError> {
        let mut refreshed = Ok(());
        if self.stale.load(Relaxed) {
            // Whoever has a map goes on with that one while another thread asks for the next.
            let wait = self.map.read().is_none().then_some(deadline);
            refreshed = self.refresh(wait, deadline);
        }
        if let Some(node) = self.serves(slot) {
            return Ok(node);
        }
        if self.map.read().is_some() {
            self.stale.store(true, Relaxed);
            return Err(self.unserved(slot.number()));
        }
        refreshed.and_then(|()| Err(RedisError::timed_out(&self.label, deadline.total())))
    }

    fn serves(&self, slot: Slot) -> Option<Arc<Node>> {
        self.map.read().as_ref()?.master(slot).cloned()
    }

    fn unserved(&self, slot: u16) -> RedisError {
        self.not_ready(format!("no node serves slot {slot}"))
    }

    /// Every master, as of now: of slots that have moved to a new one nothing else would tell.
    fn masters(&self, deadline: Deadline) -> Result<Vec<Arc<Node>>, RedisError> {
        let refreshed = self.refresh(Some(deadline), deadline);
        let map = self.map.read().clone();
        match (map, refreshed) {
            (Some(map), _) => map.masters().map_err(|slot| {
                self.stale.store(true, Relaxed);
                self.unserved(slot)
            }),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(RedisError::timed_out(&self.label, deadline.total())),
        }
    }

    /// Asks for another map, unless that was done just now. Waits for another thread that asks, if `wait`
    /// says until when.
    fn refresh(&self, wait: Option<Deadline>, deadline: Deadline) -> Result<(), RedisError> {
        self.refresh.run(wait, || {
            let mut first = None;
            for node in self.informers() {
                let Some(left) = deadline.remaining() else {
                    break;
                };
                // A node that hangs must leave time for another.
                match shards(&node, deadline.at_most(left / 2)) {
                    Ok(shards) => {
                        let host = node.host();
                        let map = SlotMap::new(&shards, |place| self.node(place, host));
                        let map = Arc::new(map);
                        self.stale.store(false, Relaxed);
                        node.set_failed(false);
                        *self.map.write() = Some(map);
                        return Ok(());
                    }
                    Err(error) => {
                        self.doubt(&node, &error);
                        first.get_or_insert(error);
                    }
                }
            }
            let late = || RedisError::timed_out(&self.label, deadline.total());
            Err(first.unwrap_or_else(late))
        })
    }

    /// Whom to ask for a map: nodes of the last one, then those that the user named; first whoever did
    /// not fail last time. Not always in the same order, since one may be cut off and not know.
    fn informers(&self) -> Vec<Arc<Node>> {
        let map = self.map.read().clone();
        let mut nodes = map.map_or(Vec::new(), |map| map.nodes().to_vec());
        let asked = self.asked.fetch_add(1, Relaxed);
        if !nodes.is_empty() {
            let first = asked % nodes.len();
            nodes.rotate_left(first);
        }
        for seed in &self.seeds {
            if !contains(&nodes, seed) {
                nodes.push(seed.clone());
            }
        }
        nodes.sort_by_key(|node| node.has_failed());
        nodes
    }

    /// The node at a place that one at `host` told of.
    fn node(&self, (told, port): &(String, u16), host: &str) -> Arc<Node> {
        let host = if told.is_empty() { host } else { told };
        let mut settings = self.settings.clone();
        settings.endpoint.address = settings.endpoint.address.beside(host, *port);
        let label = settings.endpoint.address.to_string();
        let map = self.map.read().clone();
        let known = map.iter().flat_map(|map| map.nodes()).chain(&self.seeds);
        match known.into_iter().find(|node| **node.server() == label) {
            Some(node) => node.clone(),
            None => Arc::new(node(settings, self.pool_size)),
        }
    }

    /// Notes a node that another told of, and that `slot` is there if it is some.
    fn learn(&self, node: &Arc<Node>, slot: Option<Slot>) {
        let mut map = self.map.write();
        if let Some(old) = &*map {
            *map = Some(Arc::new(old.with(node, slot)));
        }
    }

    /// Notes that `node` failed, if it was its fault.
    fn doubt(&self, node: &Node, error: &RedisError) {
        if is_doubtful(error) {
            node.set_failed(true);
            self.stale.store(true, Relaxed);
        }
    }
}

/// Whether after this error another node may be in charge.
fn is_doubtful(error: &RedisError) -> bool {
    let full = matches!(
        error,
        RedisError::OutOfMemory { .. } | RedisError::Auth { .. }
    );
    error.is_outage() && !full
}

fn contains(nodes: &[Arc<Node>], node: &Node) -> bool {
    nodes.iter().any(|other| other.server() == node.server())
}

fn node(settings: Settings, pool_size: usize) -> Node {
    let connector = Connector {
        server: settings.endpoint.address.to_string().into(),
        source: Source::Server(settings),
    };
    Node::new(connector, pool_size)
}

/// What `node` says of who serves which slots.
fn shards(node: &Node, deadline: Deadline) -> Result<Vec<Shard>, RedisError> {
    let request = Request::of(&[b"CLUSTER", b"SLOTS"]);
    let shards = node.all(&request, deadline, |node, values| {
        let reply = node.single(values)?;
        topology::read(&reply).map_err(|what| RedisError::protocol(node.server(), what))
    })?;
    match shards.is_empty() {
        true => Err(RedisError::NotReady {
            server: node.server().clone(),
            message: "it knows of no slot of its cluster".into(),
        }),
        false => Ok(shards),
    }
}

/// The replies to one request of several that were sent in one piece.
fn take(replies: &mut vec::IntoIter<Value>, request: &Request, asking: bool) -> Vec<Value> {
    let commands = (0..request.commands()).map_while(|_| {
        if asking {
            // To ASKING.
            replies.next()?;
        }
        replies.next()
    });
    commands.collect()
}

/// The replies, unless one of them is an error.
fn checked(node: &Node, replies: Vec<Value>) -> Result<Vec<Value>, RedisError> {
    match replies.iter().find_map(|reply| match reply {
        Value::ServerError(error) => Some(error),
        _ => None,
    }) {
        Some(error) => Err(RedisError::reported(node.server(), error)),
        None => Ok(replies),
    }
}

#[cfg(test)]
mod tests;
