use super::{
    MemCachedError,
    answers::{Answers, Item},
    error::peer,
    requests::{self, Request},
};
use crate::backends::net::{
    Connect, Connection, Deadline, Endpoint, NO_SENSE, NetError, Parser, Peer, Stream, Unsent,
};
use std::sync::Arc;

/// A connection to a server.
pub(super) struct Link {
    stream: Stream,
    answers: Answers,
}

impl Link {
    /// Sends `request` and decodes its answer.
    pub(super) fn exchange<T>(
        &mut self,
        request: &Request<impl Fn(Vec<Item>) -> Option<T>>,
        server: &Arc<str>,
        deadline: Deadline,
    ) -> Result<T, MemCachedError> {
        let unsent = Unsent::new(&request.bytes);
        let answer = self.stream.start(deadline).receive(
            &mut self.answers,
            &request.expected,
            unsent,
            || peer(server),
            deadline,
        )?;
        let malformed = || NetError::malformed(peer(server), NO_SENSE).into();
        request.decode(answer).ok_or_else(malformed)
    }
}

impl Connection for Link {
    fn is_idle(&mut self) -> bool {
        self.answers.is_drained() && self.stream.is_idle()
    }
}

/// Opens connections to one server.
pub(super) struct Connector {
    pub(super) endpoint: Endpoint,
    /// The largest value that is read, in bytes.
    pub(super) max_value: usize,
    pub(super) server: Arc<str>,
}

impl Connect for Connector {
    type Connection = Link;
    type Error = MemCachedError;

    fn connect(&self, deadline: Deadline) -> Result<Link, MemCachedError> {
        let deadline = deadline.at_most(self.endpoint.dialer.deadline);
        match Stream::connect(&self.endpoint, deadline) {
            Ok(stream) => Ok(Link {
                stream,
                answers: Answers::new(&self.server, self.max_value),
            }),
            Err(error) => Err(MemCachedError::connecting(
                &self.server,
                deadline.total(),
                &error,
            )),
        }
    }

    fn probe(&self, link: &mut Link, deadline: Deadline) -> Result<(), MemCachedError> {
        link.exchange(&requests::version(), &self.server, deadline)
    }

    fn peer(&self) -> Peer {
        peer(&self.server)
    }
}
