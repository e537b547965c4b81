use super::{MemCachedError, error::peer};
use crate::backends::net::{
    Connect, Connection, Deadline, Endpoint, Failure, Fate, NetError, Peer, Reader, Stream,
};
use std::{io, sync::Arc};

/// What an item may be long (`-I` is at most 1 GiB).
const LONGEST: usize = 1 << 30;

/// A connection to a server.
pub(super) struct Link {
    stream: Stream,
    reader: Reader,
}

impl Link {
    /// Sends `request` and lets `read` make `T` of what comes back. All of that has to be read then.
    pub(super) fn exchange<T>(
        &mut self,
        request: &[u8],
        server: &Arc<str>,
        deadline: Deadline,
        read: impl FnOnce(&mut Answers<'_>) -> Result<T, MemCachedError>,
    ) -> Result<T, MemCachedError> {
        let sent = self.stream.send(request, deadline);
        let mut answers = Answers {
            link: self,
            server,
            deadline,
        };
        if let Err(error) = sent {
            // The server may have said why before it closed.
            return Err(match answers.line() {
                Err(error @ MemCachedError::Net(NetError::TooManyClients { .. })) => error,
                _ => answers.failed(&error),
            });
        }
        let done = read(&mut answers);
        // After an error that ends the connection, what is left of the answer is nobody's.
        let in_order = done.as_ref().map_or_else(Failure::fate, |_| Fate::Keep) == Fate::Keep;
        if in_order && !self.reader.is_drained() {
            return Err(MemCachedError::protocol(
                server,
                "it says more than it was asked",
            ));
        }
        done
    }
}

impl Connection for Link {
    fn is_idle(&mut self) -> bool {
        self.reader.is_drained() && self.stream.is_idle()
    }
}

/// What a server answers to one request, from the first line on.
pub(super) struct Answers<'l> {
    link: &'l mut Link,
    server: &'l Arc<str>,
    deadline: Deadline,
}

impl Answers<'_> {
    /// The next line. One that reports an error is that error.
    pub(super) fn line(&mut self) -> Result<&[u8], MemCachedError> {
        // Nothing is an empty line.
        Ok(self.line_or(b"")?.unwrap_or_default())
    }

    /// The next line, `None` where it is `expected`. One that reports an error is that error.
    pub(super) fn line_or(&mut self, expected: &[u8]) -> Result<Option<&[u8]>, MemCachedError> {
        let line = match self.link.reader.line(&mut self.link.stream) {
            Ok(line) => self.link.reader.at(line),
            Err(error) => return Err(self.failed(&error)),
        };
        if line == expected {
            return Ok(None);
        }
        match MemCachedError::reported(self.server, line) {
            Some(error) => Err(error),
            None => Ok(Some(line)),
        }
    }

    /// The answers to `count` commands, each read by `read`. The first error that stands for an
    /// answer is the error, once all of them are read.
    pub(super) fn each<T>(
        &mut self,
        count: usize,
        mut read: impl FnMut(&mut Self, usize) -> Result<T, MemCachedError>,
    ) -> Result<Vec<T>, MemCachedError> {
        let mut all = Vec::with_capacity(count);
        let mut refused = None;
        for index in 0..count {
            match read(self, index) {
                Ok(one) => all.push(one),
                Err(error) if error.fate() == Fate::Keep => {
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        match refused {
            Some(error) => Err(error),
            None => Ok(all),
        }
    }

    /// The next `len` bytes, which a line end follows.
    pub(super) fn bytes(&mut self, len: usize) -> Result<Vec<u8>, MemCachedError> {
        if len > LONGEST {
            return Err(self.surprise());
        }
        let bytes = self.link.reader.bytes(&mut self.link.stream, len);
        bytes.map_err(|error| self.failed(&error))
    }

    /// What no Memcached server answers to this.
    pub(super) fn surprise(&self) -> MemCachedError {
        MemCachedError::protocol(self.server, "its answer makes no sense")
    }

    fn failed(&self, error: &io::Error) -> MemCachedError {
        MemCachedError::talking(self.server, self.deadline.total(), error)
    }
}

/// Opens connections to one server.
pub(super) struct Connector {
    pub(super) endpoint: Endpoint,
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
                reader: Reader::default(),
            }),
            Err(error) => Err(MemCachedError::connecting(
                &self.server,
                deadline.total(),
                &error,
            )),
        }
    }

    fn peer(&self) -> Peer {
        peer(&self.server)
    }
}
