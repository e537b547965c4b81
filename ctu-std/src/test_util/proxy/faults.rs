//! The faults of a proxy, and the decision about each part of a stream.

use super::connection::{Connection, Direction};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// A fault of the network, from [`FaultProxy::fail`](super::FaultProxy::fail) until
/// [`FaultProxy::work`](super::FaultProxy::work).
///
/// A connection that has lost bytes stays without an answer until one side closes it, also after `work`.
///
/// ```
/// use ctu_std::test_util::{FaultProxy, NetworkFault};
/// use std::{io::Read, net::{TcpListener, TcpStream}};
///
/// let server = TcpListener::bind("127.0.0.1:0")?;
/// let proxy = FaultProxy::new(server.local_addr()?)?;
/// proxy.fail(NetworkFault::BlackHole);
/// let mut client = TcpStream::connect(proxy.address())?;
/// // The connection is open. A server that is down closes it.
/// proxy.fail(NetworkFault::Closed);
/// assert_eq!(client.read(&mut [0]).unwrap_or(0), 0);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NetworkFault {
    /// Open connections are closed at once, and new ones as soon as they are accepted: a server that is down.
    Closed,
    /// Connections stay open, and no byte passes: a network that drops all packets, or a server that hangs.
    BlackHole,
    /// Requests reach the server, and its replies are lost: the effect of a write is unknown to its caller.
    RepliesLost,
    /// Replies arrive later by this time: a slow network.
    Delay(Duration),
    /// Each connection is closed after the first bytes of a reply: a network that flaps.
    ClosedAfterReply,
}

/// A fault of one connection at an exact byte: [`FaultProxy::fail_reply_after`](super::FaultProxy::fail_reply_after).
///
/// ```
/// use ctu_std::test_util::{FaultProxy, StreamFault};
/// use std::{io::{Read, Write}, net::{TcpListener, TcpStream}, thread};
///
/// let server = TcpListener::bind("127.0.0.1:0")?;
/// let proxy = FaultProxy::new(server.local_addr()?)?;
/// thread::spawn(move || server.accept()?.0.write_all(b"hello"));
/// proxy.fail_reply_after(2, StreamFault::Close);
/// let mut reply = Vec::new();
/// TcpStream::connect(proxy.address())?.read_to_end(&mut reply)?;
/// assert_eq!(reply, b"he");
/// assert!(proxy.has_failed());
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamFault {
    /// The connection is closed in order.
    Close,
    /// The connection is reset.
    Reset,
    /// The connection stays open, and no further byte passes in this direction.
    BlackHole,
    /// Further bytes wait for [`FaultProxy::release`](super::FaultProxy::release).
    Hold,
    /// These bytes follow in the same packet, as of a server that sends a reply without a request.
    Insert(&'static [u8]),
}

/// The state of a proxy.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) fault: Option<NetworkFault>,
    /// The word of the connections that `fault` is limited to.
    pub(super) selected: Option<&'static [u8]>,
    pub(super) requests: Planned,
    pub(super) replies: Planned,
    pub(super) released: usize,
    /// The number of times that all connections were closed.
    pub(super) closed: usize,
    /// Whether the proxy is dropped.
    pub(super) has_ended: bool,
    pub(super) open: HashMap<usize, Arc<Connection>>,
}

/// The planned faults of one direction.
#[derive(Debug, Default)]
pub(super) struct Planned {
    /// The next fault, and the number of bytes before it.
    pub(super) next: Option<(usize, StreamFault)>,
    /// The number of bytes after which each connection is reset.
    pub(super) limit: Option<usize>,
}

/// The treatment of bytes that have arrived.
pub(super) enum Step {
    /// They are lost.
    Lose,
    Pass,
    /// They pass after this time, or once the fault ends.
    Delay(Duration),
    /// They pass, and the connection is closed.
    PassAndClose,
    /// They are lost, and the connection is closed.
    Close,
    /// They are lost, and the connection is reset.
    Reset,
    /// As many of them pass, and the fault follows.
    Fail(usize, StreamFault),
}

impl State {
    /// The fault of the network for a connection.
    fn fault_of(&self, connection: &Connection) -> Option<NetworkFault> {
        let concerns = self.selected.is_none() || connection.is_selected();
        self.fault.filter(|_| concerns)
    }

    /// Decides about `bytes`, the last ones of `total` in their direction of `connection`.
    pub(super) fn step(
        &mut self,
        connection: &Connection,
        direction: Direction,
        total: usize,
        bytes: &[u8],
    ) -> Step {
        let is_request = direction == Direction::Requests;
        if is_request && self.selected.is_some_and(|word| contains(bytes, word)) {
            connection.select();
        }
        let fault = self.fault_of(connection);
        match fault {
            Some(NetworkFault::BlackHole) => {
                connection.lose(Direction::Requests);
                connection.lose(Direction::Replies);
            }
            Some(NetworkFault::RepliesLost) if !is_request => connection.lose(direction),
            Some(NetworkFault::Closed) => return Step::Close,
            _ => {}
        }
        if connection.loses(direction) {
            return Step::Lose;
        }
        let planned = match direction {
            Direction::Requests => &mut self.requests,
            Direction::Replies => &mut self.replies,
        };
        if planned.limit.is_some_and(|limit| total > limit) {
            return Step::Reset;
        }
        if let Some((passed, fault)) = planned.advance(bytes.len()) {
            return Step::Fail(passed, fault);
        }
        match fault {
            Some(NetworkFault::Delay(time)) if !is_request => Step::Delay(time),
            Some(NetworkFault::ClosedAfterReply) if !is_request => Step::PassAndClose,
            _ => Step::Pass,
        }
    }
}

impl Planned {
    /// Counts `len` bytes. Takes the fault that is due among them, with the number of bytes before it.
    fn advance(&mut self, len: usize) -> Option<(usize, StreamFault)> {
        let (left, fault) = self.next.as_mut()?;
        // Inserted bytes may follow the last one; any other fault waits for a byte that it concerns.
        if *left < len || (*left == len && matches!(fault, StreamFault::Insert(_))) {
            return self.next.take();
        }
        *left -= len;
        None
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    word.is_empty() || bytes.windows(word.len()).any(|part| part == word)
}
