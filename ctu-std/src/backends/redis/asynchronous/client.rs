//! The requests of tasks, sent to the connection of their key.

use super::super::{
    RedisError,
    command::{Batch, Command, Layout, Place},
    node::{is_refusal, probe},
    reply::Reply,
    request::Request,
};
use super::AsyncConnector;
#[cfg(feature = "redis-aio")]
use super::AsyncExternal;
use crate::backends::net::{Connections, Deadline, Outgoing, join_all};
use ctu_core::{Capability, Error};
use std::{sync::Arc, time::Duration};

/// The server as async caches see it.
pub(in super::super) struct AsyncClient {
    server: Arc<str>,
    way: Way,
    deadline: Duration,
    scan_deadline: Duration,
}

/// The way to the server.
enum Way {
    Connections(Connections<AsyncConnector>),
    #[cfg(feature = "redis-aio")]
    External(AsyncExternal),
}

impl AsyncClient {
    pub(in super::super) fn new(
        connections: Connections<AsyncConnector>,
        server: Arc<str>,
        deadline: Duration,
        scan_deadline: Duration,
    ) -> Self {
        Self {
            server,
            way: Way::Connections(connections),
            deadline,
            scan_deadline,
        }
    }

    #[cfg(feature = "redis-aio")]
    pub(in super::super) fn external(
        external: AsyncExternal,
        server: Arc<str>,
        deadline: Duration,
        scan_deadline: Duration,
    ) -> Self {
        Self {
            server,
            way: Way::External(external),
            deadline,
            scan_deadline,
        }
    }

    /// Host and port, or path.
    pub(in super::super) fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// The deadline of an operation that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.deadline)
    }

    /// The time that the server has to list all keys.
    pub(super) fn scan_deadline(&self) -> Duration {
        self.scan_deadline
    }

    /// The distribution of keys.
    pub(super) fn layout(&self) -> Layout {
        match &self.way {
            Way::Connections(connections) => Layout::Connections(connections.len()),
            #[cfg(feature = "redis-aio")]
            Way::External(_) => Layout::Connections(1),
        }
    }

    /// Runs a command about `key`.
    pub(super) async fn execute<T>(
        &self,
        key: &[u8],
        command: &Command<T>,
    ) -> Result<T, RedisError> {
        let place = self.layout().place(key);
        let (request, deadline) = (&command.request, self.deadline());
        self.send(place, request, deadline, command.read).await
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
        let sent = parts.map(|(place, request)| self.send(*place, request, deadline, &batch.read));
        join_all(sent).await.into_iter().collect()
    }

    /// Runs a command, which needs `capability` of the server and of a proxy in front of it.
    pub(super) async fn execute_if_known<T>(
        &self,
        capability: Capability,
        command: &Command<T>,
    ) -> Result<T, RedisError> {
        let (place, deadline) = (Place::Connection(0), self.deadline());
        let done = self
            .send(place, &command.request, deadline, command.read)
            .await;
        let probe = probe();
        match done {
            Err(error) if is_refusal(&error) => {
                match self.send(place, &probe, deadline, |_| Ok(())).await {
                    Ok(()) => Err(Error::Unsupported(capability).into()),
                    Err(_) => Err(error),
                }
            }
            done => done,
        }
    }

    async fn send<T>(
        &self,
        place: Place,
        request: &Request,
        deadline: Deadline,
        read: impl Fn(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        let read = |replies| read(&mut Reply::new(replies, &self.server)?);
        match &self.way {
            Way::Connections(connections) => {
                let index = place.connection();
                let outgoing = Outgoing {
                    bytes: request.bytes(),
                    expected: request.expected(),
                    work: request.work(),
                };
                connections.run(index, outgoing, deadline, read).await
            }
            #[cfg(feature = "redis-aio")]
            Way::External(external) => {
                read(external.exchange(request, &self.server, deadline).await?)
            }
        }
    }
}
