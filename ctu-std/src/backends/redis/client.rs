#[cfg(feature = "cluster")]
use super::cluster::{Cluster, Part, Slot};
use super::{RedisError, batch::Batch, node::Node, reply::Reply, request::Request};
use crate::backends::net::Deadline;
use ctu_core::Capability;
use std::{sync::Arc, time::Duration};

/// Keys in one command, at most: before Redis 7.0 there may be a million, and while it runs one command
/// it serves nobody else.
const MAX_KEYS_PER_COMMAND: usize = 10_000;

/// The server, or the cluster, as caches see it: a request goes out to where its key is, replies come
/// back, within the deadline.
pub(super) struct Client {
    servers: Servers,
    deadline: Duration,
    /// The time that servers have to list all keys.
    scan_deadline: Duration,
}

/// Who serves the keys.
pub(super) enum Servers {
    /// One server has all of them.
    One(Arc<Node>),
    /// Each key has a slot, and each slot a node.
    #[cfg(feature = "cluster")]
    Cluster(Box<Cluster>),
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

    /// Whom it talks to, as first told.
    pub(super) fn server(&self) -> &str {
        match &self.servers {
            Servers::One(node) => node.server(),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.seeds(),
        }
    }

    /// The deadline of an operation that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.deadline)
    }

    /// Sends `request`, which concerns `key` alone, and makes `T` of the replies to its commands.
    /// Where that fails, what came back was not from a Redis server, and the connection is thrown away.
    pub(super) fn all<T>(
        &self,
        key: &[u8],
        request: &Request,
        read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        match &self.servers {
            Servers::One(node) => node.all(request, self.deadline(), read),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => {
                let part = Part::new(Slot::of(key), request);
                cluster.send_one(part, self.deadline(), read)
            }
        }
    }

    /// The string that `request`, one command about `key`, asks for.
    pub(super) fn bytes(
        &self,
        key: &[u8],
        request: &Request,
    ) -> Result<Option<Vec<u8>>, RedisError> {
        self.all(key, request, Reply::bytes)
    }

    /// The number that `request`, one command about `key`, asks for.
    pub(super) fn number(&self, key: &[u8], request: &Request) -> Result<i64, RedisError> {
        self.all(key, request, Reply::number)
    }

    /// How many keys one command may name. In a cluster it is one: two may be on different nodes, or be
    /// about to.
    pub(super) fn max_keys_per_command(&self) -> usize {
        match &self.servers {
            Servers::One(_) => MAX_KEYS_PER_COMMAND,
            #[cfg(feature = "cluster")]
            Servers::Cluster(_) => 1,
        }
    }

    /// A batch with nothing in it.
    pub(super) fn batch(&self) -> Batch<'_> {
        match &self.servers {
            Servers::One(node) => Batch::One(node, Request::batch()),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => Batch::Cluster(cluster, Vec::new()),
        }
    }

    /// Sends `request`, which needs `capability`, to every server that has keys, and parses the replies of each.
    pub(super) fn every<T>(
        &self,
        capability: Capability,
        request: &Request,
        read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        let deadline = self.deadline();
        match &self.servers {
            Servers::One(node) => {
                let done =
                    node.if_known(capability, deadline, || node.all(request, deadline, read))?;
                Ok(vec![done])
            }
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.every(request, deadline, read),
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
