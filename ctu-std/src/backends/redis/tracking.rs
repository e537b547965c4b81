//! The tracking connection: a server reports changed keys on it (`CLIENT TRACKING`, RESP3).
//!
//! It is a connection of its own beside the pool, in broadcasting mode: the server reports the changes of
//! all clients to all keys with the prefix, and keeps no list of keys that this client has read. A
//! subscription to a channel puts the connection in the class `pubsub`, whose output buffer is limited by
//! default: a client that does not read is disconnected and costs the server no more memory.

use super::{
    RedisError,
    bounds::Bounds,
    error::peer,
    link::Link,
    node::{Node, is_refusal, probe},
    reply::Reply,
    request::Request,
    resp::Replies,
    tags::generation_keys,
};
use crate::{
    backends::net::{Connect as _, Deadline, NetError, Parser as _, Stream},
    caches::{Tracker, TrackingConnection, TrackingError, TrackingMessage},
};
use ctu_core::CacheError as _;
use redis::{PushKind, Value};
use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

/// The channel of the subscription. Nothing is published there.
const CHANNEL: &[u8] = b"ctu";

/// The reply to HELLO: a few fields, and the modules of the server.
const HELLO: Bounds = Bounds {
    string: 1024,
    strings: 64 << 10,
    elements: 4096,
};

/// A push: the changed keys of one cycle of the server, also those that other programs wrote.
const PUSH: Bounds = Bounds {
    string: 512 << 20,
    strings: 1 << 30,
    elements: 1 << 24,
};

/// The hash of keys on the server. Clones give the same marks.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(RandomState);

impl Marks {
    pub(super) fn of(&self, key: &[u8]) -> u64 {
        self.0.hash_one(key)
    }
}

/// The ping of a tracking connection.
#[derive(Clone, Debug)]
pub(super) enum Beat {
    Ping,
    /// `EXISTS` of this key.
    #[cfg(feature = "cluster")]
    Exists(Vec<u8>),
}

/// The settings of tracking connections.
pub(super) struct TrackerSettings {
    pub(super) marks: Marks,
    /// The beginning of the tracked keys. Empty for all keys.
    pub(super) prefix: Vec<u8>,
    /// Whether the cache has tags.
    pub(super) has_tags: bool,
    /// The longest time of a request.
    pub(super) deadline: Duration,
}

/// Opens tracking connections to the server of a pool.
pub(super) struct RedisTracker {
    pub(super) node: Arc<Node>,
    pub(super) settings: TrackerSettings,
}

/// The tracker of a cache whose servers cannot be tracked.
#[cfg(feature = "tokio")]
pub(super) struct NoTracker(pub(super) &'static str);

#[cfg(feature = "tokio")]
impl Tracker for NoTracker {
    fn open(&self) -> Result<Box<dyn TrackingConnection>, TrackingError> {
        Err(TrackingError::Refused(self.0.into()))
    }
}

impl Tracker for RedisTracker {
    fn open(&self) -> Result<Box<dyn TrackingConnection>, TrackingError> {
        Ok(Box::new(self.settings.open(&self.node, Beat::Ping)?))
    }
}

/// The reason why no tracking connection is open.
enum Unopened {
    Error(RedisError),
    Refused(&'static str),
}

impl From<RedisError> for Unopened {
    fn from(error: RedisError) -> Self {
        Self::Error(error)
    }
}

/// An error that stays is a refusal.
pub(super) fn sorted(error: &RedisError) -> TrackingError {
    match error.is_outage() {
        true => TrackingError::Lost(error.to_string()),
        false => TrackingError::Refused(error.to_string()),
    }
}

impl TrackerSettings {
    /// Opens a connection to `node`.
    pub(super) fn open(&self, node: &Node, beat: Beat) -> Result<RedisTracking, TrackingError> {
        match self.connect(node, beat) {
            Ok(connection) => Ok(connection),
            Err(Unopened::Error(error)) => Err(sorted(&error)),
            Err(Unopened::Refused(reason)) => Err(TrackingError::Refused(reason.into())),
        }
    }

    fn connect(&self, node: &Node, beat: Beat) -> Result<RedisTracking, Unopened> {
        let server = node.server();
        let deadline = Deadline::after(self.deadline);
        let Link::Own { stream, .. } = node.connector().connect(deadline)? else {
            return Err(Unopened::Refused(
                "a cache on an external connection has no tracking connection",
            ));
        };
        let mut tracking = RedisTracking {
            stream,
            replies: Replies::resp3(server),
            server: server.clone(),
            marks: self.marks.clone(),
            generations: self.has_tags.then(|| generation_keys(&self.prefix)),
            deadline: self.deadline,
            beat,
        };
        match tracking.hello(deadline) {
            // A proxy that does not know the command closes the connection.
            Err(Unopened::Error(error)) if is_refusal(&error) => {
                match node.execute(&probe(), deadline, |_| Ok(())) {
                    Ok(()) => return Err(Unopened::Refused("the server does not know HELLO")),
                    Err(_) => return Err(error.into()),
                }
            }
            done => done?,
        }
        tracking.subscribe(&self.prefix, deadline)?;
        Ok(tracking)
    }
}

/// A connection on which the server reports changed keys.
pub(super) struct RedisTracking {
    stream: Stream,
    replies: Replies,
    server: Arc<str>,
    marks: Marks,
    /// The beginning of the keys of tags.
    generations: Option<Vec<u8>>,
    deadline: Duration,
    beat: Beat,
}

impl RedisTracking {
    /// Switches to RESP3, and checks that the server is a master: a replica reports a change later than
    /// the master acknowledges it.
    fn hello(&mut self, deadline: Deadline) -> Result<(), Unopened> {
        self.send(&Request::of(&[b"HELLO", b"3"]), deadline)?;
        let hello = self.wait(HELLO, deadline)?;
        let mut reply = Reply::new(vec![hello], &self.server)?;
        let Value::Map(fields) = reply.value()? else {
            return Err(reply.unexpected().into());
        };
        let field = |name: &[u8]| {
            let is_named = |key: &Value| matches!(key, Value::BulkString(key) if key == name);
            let found = fields.iter().find(|(key, _)| is_named(key));
            found.map(|(_, value)| value)
        };
        if field(b"proto") != Some(&Value::Int(3)) {
            return Err(Unopened::Refused("the server does not speak RESP3"));
        }
        match field(b"role") {
            Some(Value::BulkString(role)) if role == b"master" => Ok(()),
            _ => Err(RedisError::ReadOnly {
                server: self.server.clone(),
            }
            .into()),
        }
    }

    /// Subscribes to the changes of all keys that begin with `prefix`.
    fn subscribe(&mut self, prefix: &[u8], deadline: Deadline) -> Result<(), Unopened> {
        let mut request = Request::batch();
        match prefix {
            b"" => request.add(&[b"CLIENT", b"TRACKING", b"ON", b"BCAST"]),
            prefix => request.add(&[b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"PREFIX", prefix]),
        }
        request.add(&[b"SUBSCRIBE", CHANNEL]);
        self.send(&request, deadline)?;
        let (mut is_tracked, mut is_subscribed) = (false, false);
        while !is_tracked || !is_subscribed {
            match self.wait(PUSH, deadline)? {
                Value::Okay if !is_tracked => is_tracked = true,
                Value::Push {
                    kind: PushKind::Subscribe,
                    ..
                } => is_subscribed = true,
                // Of a change before the first lease.
                Value::Push { .. } => {}
                value => {
                    let reply = Reply::new(vec![value], &self.server)?;
                    return Err(reply.unexpected().into());
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, request: &Request, deadline: Deadline) -> Result<(), RedisError> {
        let sent = self.stream.send_all(request.bytes(), deadline);
        sent.map_err(|error| NetError::talking(peer(&self.server), deadline.total(), &error).into())
    }

    /// The next message, which arrives by `deadline`.
    fn wait(&mut self, bounds: Bounds, deadline: Deadline) -> Result<Value, RedisError> {
        loop {
            if let Some(message) = self.replies.message(bounds)? {
                return Ok(message);
            }
            if !self.read(deadline)? {
                return Err(RedisError::timed_out(&self.server, deadline.total()));
            }
        }
    }

    /// Reads bytes that arrive by `deadline`. Returns whether there were any.
    fn read(&mut self, deadline: Deadline) -> Result<bool, RedisError> {
        let read = self.stream.read_by(self.replies.room(), deadline);
        let read =
            read.map_err(|error| NetError::talking(peer(&self.server), deadline.total(), &error))?;
        self.replies.filled(read.unwrap_or(0));
        Ok(read.is_some())
    }

    fn pass_on(
        &self,
        message: Value,
        each: &mut dyn FnMut(TrackingMessage),
    ) -> Result<(), RedisError> {
        match message {
            Value::Push {
                kind: PushKind::Invalidate,
                mut data,
            } => match data.pop() {
                Some(Value::Array(keys)) => {
                    for key in keys {
                        let Value::BulkString(key) = key else {
                            return Err(self.odd());
                        };
                        let (mark, tags) = (self.marks.of(&key), self.generations.as_ref());
                        each(match tags.is_some_and(|tags| key.starts_with(tags)) {
                            true => TrackingMessage::TagChanged(mark),
                            false => TrackingMessage::Changed(mark),
                        });
                    }
                }
                Some(Value::Nil) => each(TrackingMessage::AllChanged),
                _ => return Err(self.odd()),
            },
            Value::Push { .. } => {}
            Value::SimpleString(pong) if pong == "PONG" && matches!(self.beat, Beat::Ping) => {
                each(TrackingMessage::Pong);
            }
            #[cfg(feature = "cluster")]
            Value::Int(_) if matches!(self.beat, Beat::Exists(_)) => each(TrackingMessage::Pong),
            value => {
                Reply::new(vec![value], &self.server)?;
                return Err(self.odd());
            }
        }
        Ok(())
    }

    /// Passes on the messages that have arrived. Returns whether there were any.
    fn pass_on_all(&mut self, each: &mut dyn FnMut(TrackingMessage)) -> Result<bool, RedisError> {
        let mut any = false;
        while let Some(message) = self.replies.message(PUSH)? {
            any = true;
            self.pass_on(message, each)?;
        }
        Ok(any)
    }

    fn odd(&self) -> RedisError {
        RedisError::protocol(
            &self.server,
            "an unexpected message on a tracking connection",
        )
    }

    fn receive(
        &mut self,
        wait: Duration,
        each: &mut dyn FnMut(TrackingMessage),
    ) -> Result<(), RedisError> {
        // Some may have arrived together with the last ones of the subscription.
        if !self.pass_on_all(each)? && self.read(Deadline::after(wait))? {
            self.pass_on_all(each)?;
        }
        Ok(())
    }
}

#[cfg(feature = "cluster")]
impl RedisTracking {
    /// Host and port.
    pub(super) fn server(&self) -> &Arc<str> {
        &self.server
    }

    pub(super) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Passes on the messages that have arrived, without a wait. Returns whether there were any.
    pub(super) fn receive_now(
        &mut self,
        each: &mut dyn FnMut(TrackingMessage),
    ) -> Result<bool, RedisError> {
        let mut any = self.pass_on_all(each)?;
        if !self.stream.is_idle() {
            self.read(Deadline::after(self.deadline))?;
            any |= self.pass_on_all(each)?;
        }
        Ok(any)
    }
}

impl TrackingConnection for RedisTracking {
    fn ping(&mut self) -> Result<(), TrackingError> {
        let ping = match &self.beat {
            Beat::Ping => Request::of(&[b"PING"]),
            #[cfg(feature = "cluster")]
            Beat::Exists(key) => Request::of(&[b"EXISTS", key]),
        };
        let sent = self.send(&ping, Deadline::after(self.deadline));
        sent.map_err(|error| sorted(&error))
    }

    fn receive(
        &mut self,
        wait: Duration,
        each: &mut dyn FnMut(TrackingMessage),
    ) -> Result<(), TrackingError> {
        let received = self.receive(wait, each);
        received.map_err(|error| sorted(&error))
    }
}
