//! TCP, Unix sockets and TLS with deadlines.

use super::{
    Address, Deadline, Endpoint,
    resolve::resolve,
    socket::{Pending, TimedSocket},
};
use std::{
    io::{self, Read},
    time::Duration,
};

/// A connection to a server over TCP, TLS or a Unix socket, each of whose operations has a deadline.
pub(crate) struct Stream(Kind);

enum Kind {
    Plain(TimedSocket),
    #[cfg(feature = "tls")]
    Tls(Box<super::tls::TlsStream>),
}

impl Stream {
    /// Connects within `deadline`, which also limits the next reads and writes.
    pub(crate) fn connect(endpoint: &Endpoint, deadline: Deadline) -> io::Result<Self> {
        let Endpoint { address, dialer } = endpoint;
        match address {
            Address::Tcp(host, port) => {
                let socket = tcp(host, *port, dialer.keep_alive, deadline)?;
                Ok(Self(Kind::Plain(socket)))
            }
            #[cfg(feature = "tls")]
            Address::Tls(host, port) => {
                let socket = tcp(host, *port, dialer.keep_alive, deadline)?;
                let stream = dialer.tls.open(host, socket)?;
                Ok(Self(Kind::Tls(Box::new(stream))))
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                let socket = TimedSocket::connect_unix(path, deadline)?;
                Ok(Self(Kind::Plain(socket)))
            }
        }
    }

    /// Starts an operation, which ends by `deadline`.
    pub(crate) fn start(&mut self, deadline: Deadline) -> &mut Self {
        match &mut self.0 {
            Kind::Plain(socket) => socket.set_deadline(deadline),
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream.sock.set_deadline(deadline),
        }
        self
    }

    /// Writes a part of `bytes` and returns its length; `None` where the peer says something first.
    pub(super) fn write_or_peek(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        match &mut self.0 {
            Kind::Plain(socket) => socket.write_or_peek(bytes),
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => super::tls::write_or_peek(stream, bytes),
        }
    }

    /// Whether bytes that were written wait to be sent.
    pub(super) fn has_unsent(&self) -> bool {
        match &self.0 {
            Kind::Plain(_) => false,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream.conn.wants_write(),
        }
    }

    /// Whether nothing speaks against sending a request now: the peer has not closed the connection
    /// and has sent no bytes without a request. One system call.
    pub(crate) fn is_idle(&mut self) -> bool {
        match &mut self.0 {
            Kind::Plain(socket) => socket.peek() == Pending::None,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => super::tls::is_idle(stream),
        }
    }
}

/// Waits up to `wait` until the peer of one of `streams` has sent bytes or closed its connection. May return
/// earlier.
#[cfg(all(unix, feature = "cluster"))]
pub(crate) fn wait_for_any(mut streams: Vec<&mut Stream>, wait: Duration) -> io::Result<()> {
    use rustix::event::{Timespec, poll};
    // TLS may have bytes that the socket has not.
    if streams.iter_mut().any(|stream| !stream.is_idle()) {
        return Ok(());
    }
    let sockets = streams.iter().map(|stream| match &stream.0 {
        Kind::Plain(socket) => socket.poll_fd(),
        #[cfg(feature = "tls")]
        Kind::Tls(stream) => stream.sock.poll_fd(),
    });
    let mut sockets: Vec<_> = sockets.collect();
    let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
    match poll(&mut sockets, Some(&wait)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The system has no such wait.
#[cfg(all(not(unix), feature = "cluster"))]
pub(crate) fn wait_for_any(_: Vec<&mut Stream>, _: Duration) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Connects to the first address of `host` that answers; none of them takes the time of the rest.
fn tcp(
    host: &str,
    port: u16,
    keep_alive: Option<Duration>,
    deadline: Deadline,
) -> io::Result<TimedSocket> {
    let addresses = resolve(host, port, deadline)?;
    let mut failed = None;
    for (tried, address) in addresses.iter().enumerate() {
        let part = deadline.share(addresses.len() - tried);
        match TimedSocket::connect_tcp(*address, keep_alive, part) {
            Ok(mut socket) => {
                socket.set_deadline(deadline);
                return Ok(socket);
            }
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| io::ErrorKind::TimedOut.into()))
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Plain(socket) => socket.read(buffer),
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => super::tls::read(stream, buffer),
        }
    }
}
