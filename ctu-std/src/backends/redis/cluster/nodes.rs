//! The nodes of a cluster and the present map of slots.

use super::{
    super::{
        RedisError,
        allowed::AllowedNodes,
        bounds::Bounds,
        link::{Connector, Source},
        node::Node,
        request::Request,
        settings::Settings,
    },
    map::{SlotMap, Unserved},
    place::Place,
    refresh::Refresh,
    slot::Slot,
    topology::{self, Shard},
};
#[cfg(feature = "tls")]
use crate::backends::net::Address;
use crate::backends::net::{Deadline, Limits};
use ctu_core::CacheError;
use parking_lot::RwLock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

/// The time for a request for the map. An operation with less time left, and less than a sixteenth of its
/// deadline, leaves the request to a later one, rather than blame nodes that had no time to answer.
const ENOUGH: Duration = Duration::from_millis(100);

/// The nodes of a cluster, and which slots each serves as far as is known.
pub(super) struct Nodes {
    /// The nodes that the user named. At least one.
    seeds: Vec<Arc<Node>>,
    label: Arc<str>,
    /// The settings of nodes that the user did not name.
    settings: Settings,
    limits: Limits,
    allowed: AllowedNodes,
    /// `None` until a node has told.
    map: RwLock<Option<Arc<SlotMap>>>,
    /// Whether something speaks for asking for another map.
    stale: AtomicBool,
    refresh: Refresh,
    /// How often a map was asked for.
    asked: AtomicUsize,
}

impl Nodes {
    /// A cluster that the nodes at `seeds` are in, of which there is at least one. Nodes that they tell
    /// of are reached as the first of them is.
    pub(super) fn new(
        settings: Settings,
        others: &[Settings],
        limits: Limits,
        allowed: AllowedNodes,
    ) -> Self {
        let seeds: Vec<_> = std::iter::once(&settings)
            .chain(others)
            .map(|settings| Arc::new(node(settings.clone(), limits)))
            .collect();
        let labels: Vec<_> = seeds.iter().map(|node| &**node.server()).collect();
        Self {
            label: labels.join(", ").into(),
            seeds,
            settings,
            limits,
            allowed,
            map: RwLock::new(None),
            stale: AtomicBool::new(true),
            refresh: Refresh::default(),
            asked: AtomicUsize::new(0),
        }
    }

    /// The nodes that the user named.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The cluster as a whole cannot do it now.
    pub(super) fn not_ready(&self, message: impl Into<String>) -> RedisError {
        RedisError::NotReady {
            server: self.label.clone(),
            code: "CLUSTERDOWN".to_owned(),
            message: message.into(),
        }
    }

    /// The node that serves `slot`.
    pub(super) fn serving(&self, slot: Slot, deadline: Deadline) -> Result<Arc<Node>, RedisError> {
        let mut refreshed = Ok(());
        if self.stale.load(Relaxed) {
            // A thread with a map goes on with it while another thread requests the next one.
            let wait = self.map.read().is_none().then_some(deadline);
            refreshed = self.refresh(wait, deadline);
        }
        let master = self
            .map
            .read()
            .as_ref()
            .map(|map| map.master(slot).cloned());
        match master {
            Some(Ok(node)) => return Ok(node),
            Some(Err(why)) => {
                self.stale.store(true, Relaxed);
                return Err(self.unserved(slot.number(), why));
            }
            None => {}
        }
        refreshed.and_then(|()| Err(RedisError::timed_out(&self.label, deadline.total())))
    }

    /// The same, as far as is known.
    pub(super) fn serves(&self, slot: Slot) -> Option<Arc<Node>> {
        self.map.read().as_ref()?.master(slot).ok().cloned()
    }

    fn unserved(&self, slot: u16, why: Unserved) -> RedisError {
        match why {
            Unserved::Unassigned => self.not_ready(format!("no node serves slot {slot}")),
            Unserved::NoAddress => self.not_ready(format!(
                "the map of slots has no address for the node of slot {slot}"
            )),
            Unserved::NotAllowed => RedisError::NodeNotAllowed {
                server: self.label.clone(),
                node: format!("the node of slot {slot}"),
            },
        }
    }

    /// Every master, as of now: of slots that have moved to a new one nothing else would tell.
    pub(super) fn masters(&self, deadline: Deadline) -> Result<Vec<Arc<Node>>, RedisError> {
        let refreshed = self.refresh(Some(deadline), deadline);
        let map = self.map.read().clone();
        match (map, refreshed) {
            (Some(map), _) => map.masters().map_err(|(slot, why)| {
                self.stale.store(true, Relaxed);
                self.unserved(slot, why)
            }),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(RedisError::timed_out(&self.label, deadline.total())),
        }
    }

    /// Asks for another map, unless that was done just now or hardly any time is left. Waits for another
    /// thread that asks, if `wait` says until when.
    pub(super) fn refresh(
        &self,
        wait: Option<Deadline>,
        deadline: Deadline,
    ) -> Result<(), RedisError> {
        let left = || {
            let left = deadline.remaining();
            left.filter(|left| *left >= ENOUGH.min(deadline.total() / 16))
        };
        let late = || RedisError::timed_out(&self.label, deadline.total());
        left().ok_or_else(late)?;
        self.refresh.run(wait, || {
            let mut first = None;
            for node in self.informers() {
                let Some(left) = left() else {
                    break;
                };
                // A node that hangs must leave time for another.
                match shards(&node, deadline.at_most(left / 2)) {
                    Ok(shards) => {
                        let map = SlotMap::new(&shards, |place| self.node(place, &node));
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
            Err(first.unwrap_or_else(late))
        })
    }

    /// The nodes to ask for a map, in order: those of the last map and those that the user named, first
    /// the nodes that did not fail last time. Each refresh begins with another one, since one may be cut
    /// off and not know, or may lie.
    fn informers(&self) -> Vec<Arc<Node>> {
        let map = self.map.read().clone();
        let mut nodes = map.map_or(Vec::new(), |map| map.nodes().to_vec());
        for seed in &self.seeds {
            if !contains(&nodes, seed) {
                nodes.push(seed.clone());
            }
        }
        let asked = self.asked.fetch_add(1, Relaxed);
        let first = asked % nodes.len();
        nodes.rotate_left(first);
        nodes.sort_by_key(|node| node.has_failed());
        nodes
    }

    /// The node at a place that `told_by` named.
    pub(super) fn node(&self, place: &Place, told_by: &Node) -> Result<Arc<Node>, Unserved> {
        let address = match (place, told_by.address()) {
            ((host, port @ 1..), Some(own)) if host.is_empty() => own.beside(own.host(), *port),
            ((host, port @ 1..), _) => self.settings.endpoint.address.beside(host, *port),
            // Nodes with TLS alone may announce the port that they do not listen on, 0: it is then the
            // one port at which all of them are reached.
            #[cfg(feature = "tls")]
            ((host, 0), Some(own @ Address::Tls(_, port))) if !host.is_empty() => {
                own.beside(host, *port)
            }
            _ => return Err(Unserved::NoAddress),
        };
        let label = address.to_string();
        let named = self.seeds.iter().any(|seed| **seed.server() == label);
        if !named && !self.allowed.allow(address.host(), address.port()) {
            return Err(Unserved::NotAllowed);
        }
        let map = self.map.read().clone();
        let known = map.iter().flat_map(|map| map.nodes()).chain(&self.seeds);
        match known.into_iter().find(|node| **node.server() == label) {
            Some(node) => Ok(node.clone()),
            None => {
                let mut settings = self.settings.clone();
                settings.endpoint.address = address;
                Ok(Arc::new(node(settings, self.limits)))
            }
        }
    }

    /// Notes a node that another told of, and that `slot` is there if it is some.
    pub(super) fn learn(&self, node: &Arc<Node>, slot: Option<Slot>) {
        let mut map = self.map.write();
        if let Some(new) = map.as_ref().and_then(|map| map.with(node, slot)) {
            *map = Some(Arc::new(new));
        }
        // Where one slot went, others may have gone.
        self.stale.fetch_or(slot.is_some(), Relaxed);
    }

    /// Notes that `node` failed, if it was its fault.
    pub(super) fn doubt(&self, node: &Node, error: &RedisError) {
        if is_doubtful(error) {
            node.set_failed(true);
            self.stale.store(true, Relaxed);
        }
    }
}

/// Whether after this error another node may be in charge.
pub(super) fn is_doubtful(error: &RedisError) -> bool {
    let of_another_kind = matches!(
        error,
        RedisError::OutOfMemory { .. } | RedisError::Auth { .. }
    );
    error.is_outage() && !of_another_kind
}

/// Whether `node` is one of `nodes`.
pub(super) fn contains(nodes: &[Arc<Node>], node: &Node) -> bool {
    nodes.iter().any(|other| other.server() == node.server())
}

/// A node that nothing was asked yet.
pub(super) fn node(settings: Settings, limits: Limits) -> Node {
    let connector = Connector {
        server: settings.endpoint.address.label(),
        source: Source::Server(settings.into()),
    };
    Node::new(connector, limits)
}

/// The map of slots by `node`.
fn shards(node: &Node, deadline: Deadline) -> Result<Vec<Shard>, RedisError> {
    let request = Request::of(&[b"CLUSTER", b"SLOTS"]).expecting(Bounds::SLOTS);
    let shards = node.execute(&request, deadline, |reply| {
        let map = reply.value()?;
        topology::read(&map).map_err(|what| RedisError::protocol(reply.server(), what))
    })?;
    match shards.iter().all(|shard| shard.master.is_none()) {
        true => Err(RedisError::NotReady {
            server: node.server().clone(),
            code: "CLUSTERDOWN".to_owned(),
            message: "it knows of no slot of its cluster that has a node".into(),
        }),
        false => Ok(shards),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::{
        net::NetError,
        redis::{address::Target, error::peer},
    };

    #[test]
    fn expired_deadline_does_not_mark_a_node_failed() {
        // No server listens there.
        let settings = Target::from_url("redis://127.0.0.1:1").unwrap().settings;
        let nodes = Nodes::new(settings, &[], Limits::default(), AllowedNodes::default());
        let refresh = |time| {
            let deadline = Deadline::after(time);
            nodes.refresh(Some(deadline), deadline)
        };
        let late = refresh(Duration::ZERO);
        let is_late = matches!(late, Err(RedisError::Net(NetError::TimedOut { .. })));
        assert!(is_late, "{late:?}");
        assert!(!nodes.seeds[0].has_failed());
        let refused = refresh(Duration::from_secs(60));
        let is_refused = matches!(refused, Err(RedisError::Net(NetError::Unreachable { .. })));
        assert!(is_refused, "{refused:?}");
        assert!(nodes.seeds[0].has_failed());
    }

    #[test]
    fn exhausted_pool_does_not_mark_a_node_failed() {
        let busy = NetError::PoolTimedOut {
            server: peer(&"a:1".into()),
            size: Some(1),
            after: Duration::ZERO,
        };
        assert!(!is_doubtful(&busy.into()));
    }
}
