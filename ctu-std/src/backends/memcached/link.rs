use super::{MemCachedError, error::peer};
use crate::backends::net::{
    Connect, Connection, Deadline, Endpoint, Failure, Fate, Peer, Reader, Stream, Unsent,
};
use ctu_core::Error;
use std::{io, sync::Arc};

/// A connection to a server.
pub(super) struct Link {
    stream: Stream,
    reader: Reader,
    /// The largest value that is read, in bytes.
    max_value: usize,
}

impl Link {
    /// Sends `request` and has `read` make `T` of the answers, all of which it has to read.
    pub(super) fn exchange<T>(
        &mut self,
        request: &[u8],
        server: &Arc<str>,
        deadline: Deadline,
        read: impl FnOnce(&mut Answers<'_, '_>) -> Result<T, MemCachedError>,
    ) -> Result<T, MemCachedError> {
        self.stream.start(deadline);
        let mut unsent = Unsent::new(request);
        let done = read(&mut Answers {
            link: self,
            unsent: &mut unsent,
            server,
            deadline,
        });
        // After an error that ends the connection, the rest of the answer is not read.
        let in_order = done.as_ref().map_or_else(Failure::fate, |_| Fate::Keep) == Fate::Keep;
        if in_order && !(self.reader.is_drained() && unsent.is_empty()) {
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
pub(super) struct Answers<'l, 'r> {
    link: &'l mut Link,
    unsent: &'l mut Unsent<'r>,
    server: &'l Arc<str>,
    deadline: Deadline,
}

impl Answers<'_, '_> {
    /// The next line. One that reports an error is that error.
    pub(super) fn line(&mut self) -> Result<&[u8], MemCachedError> {
        // Nothing is an empty line.
        Ok(self.line_or(b"")?.unwrap_or_default())
    }

    /// The next line, `None` where it is `expected`. One that reports an error is that error.
    pub(super) fn line_or(&mut self, expected: &[u8]) -> Result<Option<&[u8]>, MemCachedError> {
        let mut source = self.link.stream.conversation(self.unsent);
        let line = match self.link.reader.line(&mut source) {
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
        let max = self.link.max_value;
        if len > max {
            return Err(Error::StoredTooLong { len, max }.into());
        }
        let mut source = self.link.stream.conversation(self.unsent);
        let bytes = self.link.reader.bytes(&mut source, len);
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
                reader: Reader::default(),
                max_value: self.max_value,
            }),
            Err(error) => Err(MemCachedError::connecting(
                &self.server,
                deadline.total(),
                &error,
            )),
        }
    }

    fn probe(&self, link: &mut Link, deadline: Deadline) -> Result<(), MemCachedError> {
        link.exchange(b"version\r\n", &self.server, deadline, |answers| {
            answers.one(|line| line.starts_with(b"VERSION ").then_some(()))
        })
    }

    fn peer(&self) -> Peer {
        peer(&self.server)
    }
}
