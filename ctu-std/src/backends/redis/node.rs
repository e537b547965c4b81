//! One Redis server and its pool.

use super::{RedisError, link::Connector, reply::Reply, request::Request};
#[cfg(feature = "cluster")]
use super::{
    cluster::{Member, Slot},
    link::Source,
    settings::Settings,
};
#[cfg(feature = "cluster")]
use crate::backends::net::Address;
use crate::backends::net::{Deadline, Limits, NetError, Pool};
use ctu_core::{Capability, Error};
use std::sync::Arc;
#[cfg(feature = "cluster")]
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// One server, and the connections to it.
pub(super) struct Node {
    pool: Pool<Connector>,
    server: Arc<str>,
    /// Whether it failed when it was last asked.
    #[cfg(feature = "cluster")]
    failed: AtomicBool,
}

impl Node {
    pub(super) fn new(connector: Connector, limits: Limits) -> Self {
        Self {
            server: connector.server.clone(),
            pool: Pool::new(connector, limits),
            #[cfg(feature = "cluster")]
            failed: AtomicBool::new(false),
        }
    }

    /// The source of its connections.
    pub(super) fn connector(&self) -> &Connector {
        self.pool.connector()
    }

    /// Host and port, or path.
    pub(super) fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// Sends `request`, and makes `T` of the replies to its commands. If `read` fails, the reply is not that
    /// of a Redis server, and the connection is closed. A server without a script of the request gets its
    /// text.
    pub(super) fn execute<T>(
        &self,
        request: &Request,
        deadline: Deadline,
        mut read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        match self.send(request, deadline, &mut read) {
            Err(error) if error.is_missing_script() => {
                self.send(&request.with_script_texts(), deadline, &mut read)
            }
            done => done,
        }
    }

    fn send<T>(
        &self,
        request: &Request,
        deadline: Deadline,
        read: &mut impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        self.pool.run(request.work(), deadline, |link, deadline| {
            let reply = link.exchange(request, &self.server, deadline);
            let done = reply.and_then(|mut reply| read(&mut reply));
            if let Err(RedisError::Net(_)) = done {
                link.close();
            }
            done
        })
    }

    /// Runs a command for `capability` that a proxy in front of the server may not support, such as a
    /// command over all keys.
    pub(super) fn if_known<T>(
        &self,
        capability: Capability,
        deadline: Deadline,
        command: impl FnOnce() -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        match command() {
            Err(error) if is_refusal(&error) => {
                match self.execute(&probe(), deadline, |_| Ok(())) {
                    Ok(()) => Err(Error::Unsupported(capability).into()),
                    Err(_) => Err(error),
                }
            }
            done => done,
        }
    }
}

/// Whether `error` of a command may be that of a proxy: it closes the connection on a command that it
/// does not support, and replies to [`probe`].
pub(super) fn is_refusal(error: &RedisError) -> bool {
    matches!(error, RedisError::Net(NetError::Lost { .. }))
}

/// A command that every proxy supports.
pub(super) fn probe() -> Request {
    Request::of(&[b"EXISTS", b"ctu"])
}

#[cfg(feature = "cluster")]
impl Node {
    /// The connections to it.
    pub(super) fn pool(&self) -> &Pool<Connector> {
        &self.pool
    }
}

#[cfg(feature = "cluster")]
impl Member for Node {
    fn of(settings: Settings, limits: Limits) -> Self {
        let connector = Connector {
            server: settings.endpoint.address.label(),
            source: Source::Server(settings.into()),
        };
        Self::new(connector, limits)
    }

    fn server(&self) -> &Arc<str> {
        &self.server
    }

    fn address(&self) -> Option<&Address> {
        self.pool.connector().address()
    }

    /// Any connection of the pool serves any key.
    fn connection_of(&self, _: Slot) -> usize {
        0
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
