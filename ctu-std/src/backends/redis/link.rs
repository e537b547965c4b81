use super::{
    RedisError,
    error::peer,
    reply::Reply,
    request::Request,
    resp::{Replies, Unreadable},
    sentinel::Sentinel,
    settings::Settings,
};
#[cfg(feature = "cluster")]
use crate::backends::net::Address;
use crate::backends::net::{Connect, Connection, Deadline, NetError, Peer, Stream, Unsent};
use ctu_core::Error;
use parking_lot::Mutex;
use redis::{ConnectionLike, Value};
use std::{io, process, sync::Arc, time::Duration};

/// A connection to a server.
///
/// The `redis` crate's own connection is not used for it: its timeouts count from each system call,
/// so that an operation may take for ever; it takes bytes that nobody asked for as the next reply;
/// and it repeats its set-up in several round trips.
pub(super) enum Link {
    Own {
        stream: Stream,
        replies: Replies,
    },
    /// One that the user had already. There is no other in its place: it stays until it is
    /// [closed](Self::close), whatever becomes of the link.
    Given(Given),
}

/// The place of a connection of any kind that the `redis` crate knows.
#[derive(Clone)]
pub(super) struct Given {
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
            replies: Replies::default(),
        };
        if let Some(request) = login(settings) {
            link.exchange(&request, server, deadline)
                .map_err(|error| match error {
                    // "ERR AUTH called without any password configured", and a database that is not.
                    RedisError::Server { message, .. } if message.contains("AUTH") => {
                        RedisError::Auth {
                            server: server.clone(),
                        }
                    }
                    error => error,
                })?;
        }
        Ok(link)
    }

    /// Sends a request and reads its replies. The first of them that is an error is the error.
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
            Self::Given(_) => {}
        }
        unsent
    }

    /// Reads the replies to a request, and sends what is left of it meanwhile; some of the replies may be
    /// errors.
    pub(super) fn receive(
        &mut self,
        request: &Request,
        unsent: Unsent<'_>,
        server: &Arc<str>,
        deadline: Deadline,
    ) -> Result<Vec<Value>, RedisError> {
        let commands = request.commands();
        let values = match self {
            Self::Own { stream, replies } => {
                own(stream, replies, request, unsent, server, deadline)?
            }
            Self::Given(Given { slot, .. }) => {
                // Out of its place meanwhile: a panic throws it away.
                let taken = slot.lock().take();
                let mut connection = taken.ok_or_else(|| no_connection(server, BROKEN))?;
                let values = connection.req_packed_commands(request.bytes(), 0, commands);
                *slot.lock() = Some(connection);
                values.map_err(|error| given(&error, server, deadline.total()))?
            }
        };
        if values.len() == commands {
            Ok(values)
        } else {
            Err(RedisError::protocol(server, "wrong number of replies"))
        }
    }

    /// Sees to it that one that was given is used no more: it is broken, or nobody knows what it says next.
    pub(super) fn close(&mut self) {
        if let Self::Given(given) = self {
            *given.slot.lock() = None;
        }
    }
}

const BROKEN: &str = "the connection that the cache was given is broken";

/// Why a connection that was given cannot be used, if it cannot.
fn unusable(given: &Given) -> Option<&'static str> {
    if given.process != process::id() {
        return Some("the connection that the cache was given belongs to another process");
    }
    given.slot.lock().is_none().then_some(BROKEN)
}

fn no_connection(server: &Arc<str>, why: &str) -> RedisError {
    let none = NetError::Unreachable {
        server: peer(server),
        kind: io::ErrorKind::NotConnected,
        why: why.into(),
    };
    none.into()
}

fn login(settings: &Settings) -> Option<Request> {
    let mut request = Request::batch();
    match (&settings.user, &settings.password) {
        (Some(user), password) => {
            // Who has none is still somebody else than who does not log in.
            let password = password.as_deref().unwrap_or_default();
            request.add(&[b"AUTH", user.as_bytes(), password.as_bytes()]);
        }
        (None, Some(password)) => request.add(&[b"AUTH", password.as_bytes()]),
        (None, None) => {}
    }
    if let Some(name) = &settings.client_name {
        request.add(&[b"CLIENT", b"SETNAME", name.as_bytes()]);
    }
    if settings.database != 0 {
        request.add(&[b"SELECT", settings.database.to_string().as_bytes()]);
    }
    (request.commands() > 0).then_some(request)
}

fn own(
    stream: &mut Stream,
    replies: &mut Replies,
    request: &Request,
    mut unsent: Unsent<'_>,
    server: &Arc<str>,
    deadline: Deadline,
) -> Result<Vec<Value>, RedisError> {
    let mut source = stream.conversation(&mut unsent);
    let mut values = Vec::with_capacity(request.commands().min(1024));
    while values.len() < request.commands() {
        let value = match replies.read(&mut source, request.bounds()) {
            Ok(value) => value,
            Err(Unreadable::Io(error)) => {
                return Err(RedisError::talking(server, deadline.total(), &error));
            }
            Err(Unreadable::TooLong { len, max }) => {
                return Err(Error::StoredTooLong { len, max }.into());
            }
        };
        if let Value::ServerError(error) = &value {
            let error = RedisError::reported(server, error);
            if error.is_last() {
                return Err(error);
            }
        }
        values.push(value);
    }
    if replies.is_drained() && unsent.is_empty() {
        Ok(values)
    } else {
        Err(RedisError::protocol(
            server,
            "it says more than it was asked",
        ))
    }
}

fn given(error: &redis::RedisError, server: &Arc<str>, after: Duration) -> RedisError {
    if error.is_timeout() {
        return RedisError::timed_out(server, after);
    }
    if error.is_io_error() || error.is_connection_dropped() {
        let lost = NetError::Lost {
            server: peer(server),
            kind: io::ErrorKind::ConnectionAborted,
        };
        return lost.into();
    }
    match error.clone().into_server_errors() {
        Some(errors) if !errors.is_empty() => RedisError::reported(server, &errors[0].1),
        _ => RedisError::protocol(server, "its answer makes no sense"),
    }
}

impl Connection for Link {
    fn is_idle(&mut self) -> bool {
        match self {
            Self::Own { stream, .. } => stream.is_idle(),
            Self::Given(given) => given
                .slot
                .lock()
                .as_ref()
                .is_some_and(|given| given.is_open()),
        }
    }
}

/// Where connections come from.
pub(super) enum Source {
    Server(Box<Settings>),
    /// The master that sentinels name.
    Sentinel(Box<Sentinel>),
    /// There is one, and never another.
    Given(Given),
}

impl Source {
    /// One that there is already.
    pub(super) fn given(connection: Box<dyn ConnectionLike + Send>) -> Self {
        Self::Given(Given {
            slot: Arc::new(Mutex::new(Some(connection))),
            process: process::id(),
        })
    }
}

/// Opens connections to one server.
pub(super) struct Connector {
    pub(super) source: Source,
    pub(super) server: Arc<str>,
}

#[cfg(feature = "cluster")]
impl Connector {
    /// The address of the server, unless its connection was given.
    pub(super) fn address(&self) -> Option<&Address> {
        match &self.source {
            Source::Server(settings) => Some(&settings.endpoint.address),
            Source::Sentinel(_) | Source::Given(_) => None,
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
            Source::Given(given) => match unusable(given) {
                Some(why) => Err(no_connection(&self.server, why)),
                None => Ok(Link::Given(given.clone())),
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
