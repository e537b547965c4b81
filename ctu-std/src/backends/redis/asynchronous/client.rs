//! The requests of tasks, sent to one server or to a cluster.

use super::super::{
    RedisError,
    command::{Batch, Command, Layout},
    reply::Reply,
};
use super::AsyncNode;
#[cfg(feature = "cluster")]
use super::{
    super::{
        cluster::{Part, Slot},
        command::Place,
    },
    AsyncCluster,
};
use crate::backends::net::{Deadline, join_all};
use ctu_core::Capability;
use std::{sync::Arc, time::Duration};

/// The server, or the cluster, as async caches see it.
pub(in super::super) struct AsyncClient {
    servers: AsyncServers,
    deadline: Duration,
    /// The time that servers have to list all keys.
    scan_deadline: Duration,
}

/// The servers of the keys.
pub(in super::super) enum AsyncServers {
    /// One server has all of them.
    One(Arc<AsyncNode>),
    /// Each key has a slot, and each slot a node.
    #[cfg(feature = "cluster")]
    Cluster(AsyncCluster),
}

#[cfg_attr(not(feature = "cluster"), allow(unused_variables))]
impl AsyncClient {
    pub(in super::super) fn new(
        servers: AsyncServers,
        deadline: Duration,
        scan_deadline: Duration,
    ) -> Self {
        Self {
            servers,
            deadline,
            scan_deadline,
        }
    }

    /// The servers as the user named them.
    pub(in super::super) fn server(&self) -> &Arc<str> {
        match &self.servers {
            AsyncServers::One(node) => node.server(),
            #[cfg(feature = "cluster")]
            AsyncServers::Cluster(cluster) => cluster.seeds(),
        }
    }

    /// The deadline of an operation that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.deadline)
    }

    /// The time that servers have to list all keys.
    pub(super) fn scan_deadline(&self) -> Duration {
        self.scan_deadline
    }

    /// The distribution of keys.
    pub(super) fn layout(&self) -> Layout {
        match &self.servers {
            AsyncServers::One(node) => node.layout(),
            #[cfg(feature = "cluster")]
            AsyncServers::Cluster(_) => Layout::Slots,
        }
    }

    /// Runs a command about `key`.
    pub(in super::super) async fn execute<T>(
        &self,
        key: &[u8],
        command: &Command<T>,
    ) -> Result<T, RedisError> {
        let (request, deadline) = (&command.request, self.deadline());
        match &self.servers {
            AsyncServers::One(node) => {
                let index = node.layout().place(key).connection();
                node.execute(index, request, deadline, command.read).await
            }
            #[cfg(feature = "cluster")]
            AsyncServers::Cluster(cluster) => {
                let part = Part::new(Slot::of(key), request);
                // In a box: futures over one server stay small.
                Box::pin(cluster.send_one(part, deadline, command.read)).await
            }
        }
    }

    /// Sends the requests of a batch at the same time, and makes `T` of the replies to each. The first
    /// failure is the error; the other requests are done.
    pub(super) async fn execute_batch<T>(
        &self,
        batch: Batch<impl Fn(&mut Reply) -> Result<T, RedisError>>,
    ) -> Result<Vec<T>, RedisError> {
        self.execute_batch_by(batch, self.deadline()).await
    }

    /// [`execute_batch`](Self::execute_batch) by the deadline of several batches.
    pub(super) async fn execute_batch_by<T>(
        &self,
        batch: Batch<impl Fn(&mut Reply) -> Result<T, RedisError>>,
        deadline: Deadline,
    ) -> Result<Vec<T>, RedisError> {
        let parts = batch.parts.parts.iter();
        match &self.servers {
            AsyncServers::One(node) => {
                let sent = parts.map(|(place, request)| {
                    node.execute(place.connection(), request, deadline, &batch.read)
                });
                join_all(sent).await.into_iter().collect()
            }
            #[cfg(feature = "cluster")]
            AsyncServers::Cluster(cluster) => {
                let parts = parts.filter_map(|(place, request)| match place {
                    &Place::Slot(slot) => Some(Part::new(slot, request)),
                    Place::Connection(_) => None,
                });
                let parts: Vec<_> = parts.collect();
                Box::pin(cluster.send(&parts, deadline, &batch.read)).await
            }
        }
    }

    /// Runs a command, which needs `capability`, on every server that has keys.
    pub(super) async fn execute_on_all<T>(
        &self,
        capability: Capability,
        command: &Command<T>,
    ) -> Result<Vec<T>, RedisError> {
        let (request, deadline) = (&command.request, self.deadline());
        match &self.servers {
            AsyncServers::One(node) => {
                let done = node.if_known(capability, request, deadline, command.read);
                Ok(vec![done.await?])
            }
            #[cfg(feature = "cluster")]
            AsyncServers::Cluster(cluster) => {
                Box::pin(cluster.execute_on_all(request, deadline, command.read)).await
            }
        }
    }

    /// A server that has keys and is not among those that are `done`.
    pub(super) async fn next(
        &self,
        done: &[Arc<AsyncNode>],
        deadline: Deadline,
    ) -> Result<Option<Arc<AsyncNode>>, RedisError> {
        match &self.servers {
            AsyncServers::One(node) => Ok(done.is_empty().then(|| node.clone())),
            #[cfg(feature = "cluster")]
            AsyncServers::Cluster(cluster) => cluster.next(done, deadline).await,
        }
    }

    /// Whether others have taken over from `node`, which failed with `error`; the error where not.
    pub(super) async fn replaced(
        &self,
        node: &AsyncNode,
        error: RedisError,
        deadline: Deadline,
    ) -> Result<(), RedisError> {
        match &self.servers {
            AsyncServers::One(_) => Err(error),
            #[cfg(feature = "cluster")]
            AsyncServers::Cluster(cluster) => cluster.replaced(node, error, deadline).await,
        }
    }
}
