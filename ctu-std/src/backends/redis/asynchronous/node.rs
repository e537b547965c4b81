//! One Redis server and the connections that tasks share to it.

#[cfg(feature = "redis-aio")]
use super::AsyncExternal;
use super::{
    super::{
        RedisError,
        command::Layout,
        node::{is_refusal, probe},
        reply::Reply,
        request::Request,
    },
    AsyncConnector,
};
#[cfg(feature = "cluster")]
use super::{
    super::{
        cluster::{Member, Slot},
        settings::Settings,
    },
    AsyncSource,
};
#[cfg(feature = "cluster")]
use crate::backends::net::Address;
use crate::backends::net::{Connections, Deadline, Limits, Outgoing};
use ctu_core::{Capability, Error};
use redis::Value;
use std::sync::Arc;
#[cfg(feature = "cluster")]
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// One server, and the connections to it.
pub(in super::super) struct AsyncNode {
    way: Way,
    server: Arc<str>,
    #[cfg(feature = "cluster")]
    address: Option<Address>,
    /// Whether the last request failed.
    #[cfg(feature = "cluster")]
    failed: AtomicBool,
}

/// The way to the server.
enum Way {
    Connections(Connections<AsyncConnector>),
    #[cfg(feature = "redis-aio")]
    External(AsyncExternal),
}

impl AsyncNode {
    pub(in super::super) fn new(connector: AsyncConnector, limits: Limits) -> Self {
        Self::by(
            connector.server.clone(),
            Way::Connections(Connections::new(connector, limits)),
        )
    }

    #[cfg(feature = "redis-aio")]
    pub(in super::super) fn external(external: AsyncExternal) -> Self {
        Self::by("an external connection".into(), Way::External(external))
    }

    fn by(server: Arc<str>, way: Way) -> Self {
        Self {
            way,
            server,
            #[cfg(feature = "cluster")]
            address: None,
            #[cfg(feature = "cluster")]
            failed: AtomicBool::new(false),
        }
    }

    /// Host and port, or path.
    pub(in super::super) fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// The distribution of keys to the connections.
    pub(super) fn layout(&self) -> Layout {
        match &self.way {
            Way::Connections(connections) => Layout::Connections(connections.len()),
            #[cfg(feature = "redis-aio")]
            Way::External(_) => Layout::Connections(1),
        }
    }

    /// Sends `request` on the connection at `index`, and makes `T` of the replies to its commands. If `read`
    /// fails, the replies are not those of a Redis server, and the connection is closed. A server without a
    /// script of the request gets its text.
    pub(super) async fn execute<T>(
        &self,
        index: usize,
        request: &Request,
        deadline: Deadline,
        read: impl Fn(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        let read = |replies| read(&mut Reply::new(replies, &self.server)?);
        match self.exchange(index, request, deadline, &read).await {
            Err(error) if error.is_missing_script() => {
                // In a box: futures of requests without scripts stay small.
                let whole = Box::new(request.with_script_texts());
                Box::pin(self.exchange(index, &whole, deadline, &read)).await
            }
            done => done,
        }
    }

    /// The same with all replies at once, errors of commands included.
    pub(super) async fn exchange<T>(
        &self,
        index: usize,
        request: &Request,
        deadline: Deadline,
        read: impl Fn(Vec<Value>) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        match &self.way {
            Way::Connections(connections) => {
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

    /// Runs a command for `capability` that a proxy in front of the server may not support, such as a
    /// command over all keys.
    pub(super) async fn if_known<T>(
        &self,
        capability: Capability,
        request: &Request,
        deadline: Deadline,
        read: impl Fn(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        match self.execute(0, request, deadline, read).await {
            Err(error) if is_refusal(&error) => {
                match self.execute(0, &probe(), deadline, |_| Ok(())).await {
                    Ok(()) => Err(Error::Unsupported(capability).into()),
                    Err(_) => Err(error),
                }
            }
            done => done,
        }
    }
}

#[cfg(feature = "cluster")]
impl Member for AsyncNode {
    fn of(settings: Settings, limits: Limits) -> Self {
        let address = settings.endpoint.address.clone();
        let connector = AsyncConnector {
            server: address.label(),
            source: AsyncSource::Server(settings.into()),
        };
        Self {
            address: Some(address),
            ..Self::new(connector, limits)
        }
    }

    fn server(&self) -> &Arc<str> {
        &self.server
    }

    fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// The keys of a slot are always on the same connection.
    fn connection_of(&self, slot: Slot) -> usize {
        match self.layout() {
            Layout::Connections(count) => usize::from(slot.number()) % count.max(1),
            Layout::Slots => 0,
        }
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    fn set_failed(&self, failed: bool) {
        // A write of a shared cache line slows down other processors.
        if self.has_failed() != failed {
            self.failed.store(failed, Relaxed);
        }
    }
}
