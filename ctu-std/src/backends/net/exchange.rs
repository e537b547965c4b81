//! The blocking driver: sends a request, and feeds the bytes that come back to a [`Parser`].
//!
//! A peer may stop reading while its replies are not read: a batch that is larger than the buffers in
//! both directions would then never be sent. So replies are read as soon as they arrive, and the rest
//! of the request is sent in between.

use super::{ConnectionError, Deadline, Disposition, NetError, Parser, Peer, Stream};
use std::io::{self, Read};

/// The part of a request that is not sent yet.
pub(crate) struct Unsent<'r> {
    rest: &'r [u8],
    /// The error of sending. It counts once the peer sends nothing more: a peer may send the reason
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
    fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

impl Stream {
    /// Sends the rest of a request, until all of it is sent or the peer replies.
    pub(crate) fn send(&mut self, unsent: &mut Unsent<'_>) {
        while unsent.failed.is_none() && (!unsent.rest.is_empty() || self.has_unsent()) {
            match self.write_or_peek(unsent.rest) {
                Ok(Some(sent)) => unsent.rest = &unsent.rest[sent..],
                Ok(None) => return,
                Err(error) => unsent.failed = Some(error),
            }
        }
    }

    /// Sends all of `bytes`, which are few: the peer does not have to read them now.
    #[cfg(feature = "redis")]
    pub(crate) fn send_all(&mut self, bytes: &[u8], deadline: Deadline) -> io::Result<()> {
        let mut unsent = Unsent::new(bytes);
        self.start(deadline).send(&mut unsent);
        match unsent.failed {
            Some(error) => Err(error),
            None if unsent.is_empty() => Ok(()),
            // The peer sends and does not read.
            None => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    /// Reads bytes into `room`. `None` if none arrive by `deadline`.
    #[cfg(feature = "redis")]
    pub(crate) fn read_by(
        &mut self,
        room: &mut [u8],
        deadline: Deadline,
    ) -> io::Result<Option<usize>> {
        match self.start(deadline).read(room) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => Ok(Some(read)),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the replies to a request, and sends the rest of it meanwhile.
    pub(crate) fn receive<P: Parser>(
        &mut self,
        parser: &mut P,
        expected: &P::Expected,
        mut unsent: Unsent<'_>,
        peer: impl Fn() -> Peer,
        deadline: Deadline,
    ) -> Result<P::Reply, P::Error> {
        let reply = loop {
            match parser.next(expected) {
                Ok(None) => {}
                Ok(Some(reply)) => break Ok(reply),
                Err(error) if error.disposition() == Disposition::Reuse => break Err(error),
                Err(error) => return Err(error),
            }
            let read = self.read_meanwhile(parser.room(), &mut unsent);
            let read = read.map_err(|error| NetError::talking(peer(), deadline.total(), &error))?;
            parser.filled(read);
        };
        match parser.is_drained() && unsent.is_empty() {
            true => reply,
            false => Err(NetError::unasked_bytes(peer()).into()),
        }
    }

    /// Reads at least a byte into `room`, and sends the rest of a request meanwhile.
    fn read_meanwhile(&mut self, room: &mut [u8], unsent: &mut Unsent<'_>) -> io::Result<usize> {
        self.send(unsent);
        let end = match self.read(room) {
            Ok(0) => io::ErrorKind::UnexpectedEof.into(),
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        Err(unsent.failed.take().unwrap_or(end))
    }
}
