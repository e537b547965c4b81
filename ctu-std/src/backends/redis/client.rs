//! The requests of threads, sent to one server or to a cluster.

use super::{
    RedisError,
    command::{Batch, Command, Layout},
    node::Node,
    reply::Reply,
    tracking::{Marks, RedisTracker, TrackerSettings},
};
#[cfg(feature = "cluster")]
use super::{
    cluster::{Cluster, ClusterTracker, Part, Slot},
    command::Place,
};
use crate::{backends::net::Deadline, caches::Tracker};
use ctu_core::Capability;
use std::{sync::Arc, time::Duration};

/// The server, or the cluster, as caches see it: a request goes out to where its key is, replies come
/// back, within the deadline.
pub(super) struct Client {
    servers: Servers,
    deadline: Duration,
    /// The time that servers have to list all keys.
    scan_deadline: Duration,
}

/// The servers of the keys.
pub(super) enum Servers {
    /// One server has all of them.
    One(Arc<Node>),
    /// Each key has a slot, and each slot a node.
    #[cfg(feature = "cluster")]
    Cluster(Arc<Cluster>),
}

impl Servers {
    /// The source of tracking connections.
    pub(super) fn tracker(&self, settings: TrackerSettings) -> Arc<dyn Tracker> {
        match self {
            Self::One(node) => Arc::new(RedisTracker {
                node: node.clone(),
                settings,
            }),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => Arc::new(ClusterTracker {
                cluster: cluster.clone(),
                settings,
            }),
        }
    }
}

#[cfg_attr(not(feature = "cluster"), allow(unused_variables))]
impl Client {
    pub(super) fn new(servers: Servers, deadline: Duration, scan_deadline: Duration) -> Self {
        Self {
            servers,
            deadline,
            scan_deadline,
        }
    }

    /// The time that servers have to list all keys.
    pub(super) fn scan_deadline(&self) -> Duration {
        self.scan_deadline
    }

    /// The servers as the user named them.
    pub(super) fn server(&self) -> &str {
        match &self.servers {
            Servers::One(node) => node.server(),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.seeds(),
        }
    }

    /// The source of tracking connections for keys that begin with `prefix`.
    pub(super) fn tracker(&self, marks: &Marks, prefix: &[u8], has_tags: bool) -> Arc<dyn Tracker> {
        let tracker = TrackerSettings {
            marks: marks.clone(),
            prefix: prefix.to_vec(),
            has_tags,
            deadline: self.deadline,
        };
        self.servers.tracker(tracker)
    }

    /// The deadline of an operation that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.deadline)
    }

    /// Runs a command about `key`.
    pub(super) fn execute<T>(&self, key: &[u8], command: &Command<T>) -> Result<T, RedisError> {
        let (request, deadline) = (&command.request, self.deadline());
        match &self.servers {
            Servers::One(node) => node.execute(request, deadline, command.read),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => {
                let part = Part::new(Slot::of(key), request);
                cluster.send_one(part, deadline, command.read)
            }
        }
    }

    /// The distribution of keys.
    pub(super) fn layout(&self) -> Layout {
        match &self.servers {
            Servers::One(_) => Layout::Connections(1),
            #[cfg(feature = "cluster")]
            Servers::Cluster(_) => Layout::Slots,
        }
    }

    /// Sends each request of a batch to its place, and makes `T` of the replies to each.
    pub(super) fn execute_batch<T>(
        &self,
        batch: Batch<impl Fn(&mut Reply) -> Result<T, RedisError>>,
    ) -> Result<Vec<T>, RedisError> {
        self.execute_batch_by(batch, self.deadline())
    }

    /// [`execute_batch`](Self::execute_batch) by the deadline of several batches.
    pub(super) fn execute_batch_by<T>(
        &self,
        batch: Batch<impl Fn(&mut Reply) -> Result<T, RedisError>>,
        deadline: Deadline,
    ) -> Result<Vec<T>, RedisError> {
        let parts = batch.parts.parts.iter();
        match &self.servers {
            Servers::One(node) => parts
                .map(|(_, request)| node.execute(request, deadline, &batch.read))
                .collect(),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => {
                let part = |(place, request)| match place {
                    &Place::Slot(slot) => Some(Part::new(slot, request)),
                    Place::Connection(_) => None,
                };
                let parts: Vec<_> = parts
                    .filter_map(|(place, request)| part((place, request)))
                    .collect();
                cluster.send(&parts, deadline, &batch.read)
            }
        }
    }

    /// Runs a command, which needs `capability`, on every server that has keys.
    pub(super) fn execute_on_all<T>(
        &self,
        capability: Capability,
        command: &Command<T>,
    ) -> Result<Vec<T>, RedisError> {
        let (request, deadline) = (&command.request, self.deadline());
        match &self.servers {
            Servers::One(node) => {
                let run = || node.execute(request, deadline, command.read);
                Ok(vec![node.if_known(capability, deadline, run)?])
            }
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.execute_on_all(request, deadline, command.read),
        }
    }

    /// A server that has keys and is not among those that are `done`.
    pub(super) fn next(
        &self,
        done: &[Arc<Node>],
        deadline: Deadline,
    ) -> Result<Option<Arc<Node>>, RedisError> {
        match &self.servers {
            Servers::One(node) => Ok(done.is_empty().then(|| node.clone())),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.next(done, deadline),
        }
    }

    /// Whether others have taken over from `node`, which failed with `error`; the error where not.
    pub(super) fn replaced(
        &self,
        node: &Arc<Node>,
        error: RedisError,
        deadline: Deadline,
    ) -> Result<(), RedisError> {
        match &self.servers {
            Servers::One(_) => Err(error),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.replaced(node, error, deadline),
        }
    }
}
