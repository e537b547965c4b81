//! A connection of the pool: an own one, or that of the program.

use super::{
    RedisError, error::peer, reply::Reply, request::Request, resp::Replies, sentinel::Sentinel,
    settings::Settings,
};
#[cfg(feature = "cluster")]
use crate::backends::net::Address;
use crate::backends::net::{Connect, Connection, Deadline, NetError, Peer, Stream, Unsent};
use parking_lot::Mutex;
use redis::{ConnectionLike, Value};
use std::{io, process, sync::Arc};

/// A connection to a server.
///
/// The `redis` crate's own connection is not used for it: its timeouts count from each system call,
/// so that an operation may take for ever; it takes bytes that belong to no request for the next reply;
/// and it repeats its set-up in several round trips.
pub(super) enum Link {
    /// A connection of this crate.
    Own {
        stream: Stream,
        replies: Box<Replies>,
    },
    /// The connection of [`RedisCache::from_connection`](crate::RedisCache::from_connection). There is no
    /// other: it stays in use by later links until it is [closed](Self::close).
    External(External),
}

/// The place of a connection of any kind that the `redis` crate knows.
#[derive(Clone)]
pub(super) struct External {
    /// Empty once it broke.
    slot: Arc<Mutex<Option<Box<dyn ConnectionLike + Send>>>>,
    /// The process that it belongs to: a forked child would read the replies to its parent.
    process: u32,
}

impl Link {
    /// Opens a connection and logs in, in one round trip.
    pub(super) fn open(
        settings: &Settings,
        server: &Arc<str>,
        deadline: Deadline,
    ) -> Result<Self, RedisError> {
        let deadline = deadline.at_most(settings.endpoint.dialer.deadline);
        let stream = Stream::connect(&settings.endpoint, deadline)
            .map_err(|error| RedisError::connecting(server, deadline.total(), &error))?;
        let mut link = Self::Own {
            stream,
            replies: Box::new(Replies::new(server)),
        };
        if let Some(request) = settings.login() {
            link.exchange(&request, server, deadline)
                .map_err(|error| error.of_login(server))?;
        }
        Ok(link)
    }

    /// Sends a request and reads its replies. The first reply that is an error is the error.
    pub(super) fn exchange(
        &mut self,
        request: &Request,
        server: &Arc<str>,
        deadline: Deadline,
    ) -> Result<Reply, RedisError> {
        let unsent = self.send(request, deadline);
        Reply::new(self.receive(request, unsent, server, deadline)?, server)
    }

    /// Sends a request whose replies are to be [received](Self::receive) next: all of it, or as much as
    /// the server takes before it replies.
    pub(super) fn send<'r>(&mut self, request: &'r Request, deadline: Deadline) -> Unsent<'r> {
        let mut unsent = Unsent::new(request.bytes());
        match self {
            Self::Own { stream, .. } => stream.start(deadline).send(&mut unsent),
            // It sends and receives in one call.
            Self::External(_) => {}
        }
        unsent
    }

    /// Reads the replies to a request, and sends the rest of it meanwhile; some of the replies may be
    /// errors.
    pub(super) fn receive(
        &mut self,
        request: &Request,
        unsent: Unsent<'_>,
        server: &Arc<str>,
        deadline: Deadline,
    ) -> Result<Vec<Value>, RedisError> {
        match self {
            Self::Own { stream, replies } => {
                let peer = || peer(server);
                stream.receive(&mut **replies, &request.expected(), unsent, peer, deadline)
            }
            Self::External(external) => external.exchange(request, server, deadline),
        }
    }

    /// Prevents any further use of an external connection: it is broken, or its next reply may belong to
    /// an earlier request.
    pub(super) fn close(&mut self) {
        if let Self::External(external) = self {
            *external.slot.lock() = None;
        }
    }
}

impl External {
    /// A connection that the program opened.
    pub(super) fn new(connection: impl ConnectionLike + Send + 'static) -> Self {
        Self {
            slot: Arc::new(Mutex::new(Some(Box::new(connection)))),
            process: process::id(),
        }
    }

    fn exchange(
        &self,
        request: &Request,
        server: &Arc<str>,
        deadline: Deadline,
    ) -> Result<Vec<Value>, RedisError> {
        // Caches of clones of one builder share the connection.
        let slot = self.slot.try_lock_until(deadline.at());
        let mut slot = slot.ok_or_else(|| RedisError::timed_out(server, deadline.total()))?;
        // The slot is empty meanwhile: a panic drops the connection.
        let taken = slot.take();
        let mut connection = taken.ok_or_else(|| no_connection(server, BROKEN))?;
        let replies = connection.req_packed_commands(request.bytes(), 0, request.commands());
        *slot = Some(connection);
        drop(slot);
        let replies =
            replies.map_err(|error| RedisError::external(&error, server, deadline.total()))?;
        match replies.len() == request.commands() {
            true => Ok(replies),
            false => Err(RedisError::protocol(server, "wrong number of replies")),
        }
    }
}

const BROKEN: &str = "the connection that the cache was given is broken";

/// The reason why an external connection cannot be used, if there is one.
fn unusable(external: &External) -> Option<&'static str> {
    if external.process != process::id() {
        return Some("the connection that the cache was given belongs to another process");
    }
    external.slot.lock().is_none().then_some(BROKEN)
}

fn no_connection(server: &Arc<str>, why: &str) -> RedisError {
    let none = NetError::Unreachable {
        server: peer(server),
        kind: io::ErrorKind::NotConnected,
        why: why.into(),
    };
    none.into()
}

impl Connection for Link {
    fn is_idle(&mut self) -> bool {
        match self {
            Self::Own { stream, .. } => stream.is_idle(),
            Self::External(external) => external
                .slot
                .lock()
                .as_ref()
                .is_some_and(|connection| connection.is_open()),
        }
    }
}

/// The origin of connections.
pub(super) enum Source {
    Server(Box<Settings>),
    /// The master that sentinels name.
    Sentinel(Box<Sentinel>),
    /// There is one, and never another.
    External(External),
}

/// Opens connections to one server.
pub(super) struct Connector {
    pub(super) source: Source,
    pub(super) server: Arc<str>,
}

#[cfg(feature = "cluster")]
impl Connector {
    /// The address of the server, unless its connection is external.
    pub(super) fn address(&self) -> Option<&Address> {
        match &self.source {
            Source::Server(settings) => Some(&settings.endpoint.address),
            Source::Sentinel(_) | Source::External(_) => None,
        }
    }
}

impl Connect for Connector {
    type Connection = Link;
    type Error = RedisError;

    fn connect(&self, deadline: Deadline) -> Result<Link, RedisError> {
        match &self.source {
            Source::Server(settings) => Link::open(settings, &self.server, deadline),
            Source::Sentinel(sentinel) => sentinel.open(&self.server, deadline),
            Source::External(external) => match unusable(external) {
                Some(why) => Err(no_connection(&self.server, why)),
                None => Ok(Link::External(external.clone())),
            },
        }
    }

    fn probe(&self, link: &mut Link, deadline: Deadline) -> Result<(), RedisError> {
        let reply = link.exchange(&Request::of(&[b"PING"]), &self.server, deadline);
        match reply {
            // A user without the right to PING gets a reply as well.
            Ok(_) | Err(RedisError::Denied { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn peer(&self) -> Peer {
        peer(&self.server)
    }
}
