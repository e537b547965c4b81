//! A request on its way to a peer, and the answers that come back meanwhile.
//!
//! A peer may stop reading while its answers are not read: a batch that is larger than the buffers in
//! both directions would then never be sent. So answers are read as soon as they arrive, and the rest
//! of the request is sent in between.

use super::Stream;
use std::io::{self, Read};

/// The part of a request that is not sent yet.
pub(crate) struct Unsent<'r> {
    rest: &'r [u8],
    /// The error of sending. It counts once the peer has nothing more to say: it may tell the reason
    /// before it closes the connection.
    failed: Option<io::Error>,
}

impl<'r> Unsent<'r> {
    /// All of `request`.
    pub(crate) fn new(request: &'r [u8]) -> Self {
        Self {
            rest: request,
            failed: None,
        }
    }

    /// Whether all of it is sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

impl Stream {
    /// Sends what is left of a request, until all of it is sent or the peer answers.
    pub(crate) fn send(&mut self, unsent: &mut Unsent<'_>) {
        while unsent.failed.is_none() && (!unsent.rest.is_empty() || self.has_unsent()) {
            match self.write_or_hear(unsent.rest) {
                Ok(Some(sent)) => unsent.rest = &unsent.rest[sent..],
                Ok(None) => return,
                Err(error) => unsent.failed = Some(error),
            }
        }
    }

    /// Reads the answers to a request, and sends what is left of it meanwhile.
    pub(crate) fn conversation<'c, 'r>(
        &'c mut self,
        unsent: &'c mut Unsent<'r>,
    ) -> Conversation<'c, 'r> {
        Conversation {
            stream: self,
            unsent,
        }
    }
}

/// The answers to a request, from [`Stream::conversation`].
pub(crate) struct Conversation<'c, 'r> {
    stream: &'c mut Stream,
    unsent: &'c mut Unsent<'r>,
}

impl Read for Conversation<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.send(self.unsent);
        match self.stream.read(buffer) {
            Ok(read @ 1..) => Ok(read),
            end => self.unsent.failed.take().map_or(end, Err),
        }
    }
}
