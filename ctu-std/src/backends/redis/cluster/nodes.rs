//! The nodes of a cluster and the present map of slots. No I/O.

use super::{
    super::{
        RedisError, allowed::AllowedNodes, bounds::Bounds, command::Command, request::Request,
        settings::Settings,
    },
    map::{SlotMap, Unserved},
    member::Member,
    place::Place,
    slot::Slot,
    topology::{self, Shard},
    tracks::Tracks,
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
pub(in super::super) struct Nodes<N> {
    /// The nodes that the user named. At least one.
    seeds: Vec<Arc<N>>,
    label: Arc<str>,
    /// The settings of nodes that the user did not name.
    settings: Settings,
    limits: Limits,
    allowed: AllowedNodes,
    /// `None` until the first reply.
    map: RwLock<Option<Arc<SlotMap<N>>>>,
    /// Whether another map is needed.
    stale: AtomicBool,
    /// The number of requests for the map.
    asked: AtomicUsize,
    tracks: Arc<Tracks>,
}

impl<N: Member> Nodes<N> {
    /// A cluster that the nodes at `seeds` are in, of which there is at least one. Nodes that they tell
    /// of are reached as the first of them is.
    pub(in super::super) fn new(
        settings: Settings,
        others: &[Settings],
        limits: Limits,
        allowed: AllowedNodes,
    ) -> Self {
        let seeds: Vec<_> = std::iter::once(&settings)
            .chain(others)
            .map(|settings| Arc::new(N::of(settings.clone(), limits)))
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
            asked: AtomicUsize::new(0),
            tracks: Arc::default(),
        }
    }

    /// The nodes with the tracks of another driver of the same cluster.
    #[cfg(feature = "tokio")]
    pub(in super::super) fn with_tracks(self, tracks: Arc<Tracks>) -> Self {
        Self { tracks, ..self }
    }

    /// The nodes that report changes.
    pub(in super::super) fn tracks(&self) -> &Arc<Tracks> {
        &self.tracks
    }

    /// The nodes that the user named.
    pub(in super::super) fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// The cluster as a whole cannot do it now.
    pub(in super::super) fn not_ready(&self, message: impl Into<String>) -> RedisError {
        RedisError::NotReady {
            server: self.label.clone(),
            code: "CLUSTERDOWN".to_owned(),
            message: message.into(),
        }
    }

    /// Whether another map is needed.
    pub(in super::super) fn is_stale(&self) -> bool {
        self.stale.load(Relaxed)
    }

    /// Whether there is a map.
    pub(in super::super) fn has_map(&self) -> bool {
        self.map.read().is_some()
    }

    /// The node that serves `slot`, after a refresh with this result where one was needed.
    pub(in super::super) fn serving(
        &self,
        slot: Slot,
        refreshed: Result<(), RedisError>,
        deadline: Deadline,
    ) -> Result<Arc<N>, RedisError> {
        let map = self.map.read();
        let master = map.as_ref().map(|map| map.master(slot).cloned());
        match master {
            Some(Ok(node)) => Ok(node),
            Some(Err(why)) => {
                self.stale.store(true, Relaxed);
                Err(self.unserved(slot.number(), why))
            }
            None => refreshed.and_then(|()| Err(self.late(deadline))),
        }
    }

    /// The same, as far as is known.
    pub(super) fn serves(&self, slot: Slot) -> Option<Arc<N>> {
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

    /// Every master, after a refresh with this result.
    pub(in super::super) fn masters(
        &self,
        refreshed: Result<(), RedisError>,
        deadline: Deadline,
    ) -> Result<Vec<Arc<N>>, RedisError> {
        let map = self.map.read().clone();
        match (map, refreshed) {
            (Some(map), _) => map.masters().map_err(|(slot, why)| {
                self.stale.store(true, Relaxed);
                self.unserved(slot, why)
            }),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(self.late(deadline)),
        }
    }

    /// The error of an operation whose time is over.
    pub(in super::super) fn late(&self, deadline: Deadline) -> RedisError {
        RedisError::timed_out(&self.label, deadline.total())
    }

    /// The error of an operation on all masters while they change in every round.
    pub(in super::super) fn unsettled(&self) -> RedisError {
        self.not_ready("its masters change faster than they can be asked")
    }

    /// The time that a refresh has; the error of a caller that has hardly any time left.
    pub(in super::super) fn time_left(&self, deadline: Deadline) -> Result<Duration, RedisError> {
        let left = deadline.remaining();
        let left = left.filter(|left| *left >= ENOUGH.min(deadline.total() / 16));
        left.ok_or_else(|| self.late(deadline))
    }

    /// The request for the map.
    pub(in super::super) fn map_command() -> Command<Vec<Shard>> {
        Command {
            request: Request::of(&[b"CLUSTER", b"SLOTS"]).expecting(Bounds::SLOTS),
            read: |reply| {
                let map = reply.value()?;
                topology::read(&map).map_err(|what| RedisError::protocol(reply.server(), what))
            },
        }
    }

    /// Takes in the map by `node`.
    pub(in super::super) fn take_map(
        &self,
        node: &Arc<N>,
        shards: &[Shard],
    ) -> Result<(), RedisError> {
        if shards.iter().all(|shard| shard.master.is_none()) {
            let message = "it knows of no slot of its cluster that has a node";
            return Err(not_ready(node.server(), message));
        }
        let map = SlotMap::new(shards, |place| self.node(place, node));
        self.stale.store(false, Relaxed);
        node.set_failed(false);
        *self.map.write() = Some(Arc::new(map));
        Ok(())
    }

    /// The nodes to ask for a map, in order: those of the last map and those that the user named, first
    /// the nodes that did not fail last time. Each refresh begins with another one, since one may be cut
    /// off and not know, or may lie.
    pub(in super::super) fn informers(&self) -> Vec<Arc<N>> {
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
    pub(super) fn node(&self, place: &Place, told_by: &N) -> Result<Arc<N>, Unserved> {
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
                Ok(Arc::new(N::of(settings, self.limits)))
            }
        }
    }

    /// Notes a node that another told of, and that `slot` is there if it is some.
    pub(super) fn learn(&self, node: &Arc<N>, slot: Option<Slot>) {
        let mut map = self.map.write();
        if let Some(new) = map.as_ref().and_then(|map| map.with(node, slot)) {
            *map = Some(Arc::new(new));
        }
        // Where one slot went, others may have gone.
        self.stale.fetch_or(slot.is_some(), Relaxed);
    }

    /// Notes that `node` failed, if it was its fault.
    pub(in super::super) fn doubt(&self, node: &N, error: &RedisError) {
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
pub(in super::super) fn contains<N: Member>(nodes: &[Arc<N>], node: &N) -> bool {
    nodes.iter().any(|other| other.server() == node.server())
}

/// The error of a node that cannot run a request now.
pub(super) fn not_ready(server: &Arc<str>, message: &str) -> RedisError {
    RedisError::NotReady {
        server: server.clone(),
        code: "CLUSTERDOWN".to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::{net::NetError, redis::error::peer};

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
