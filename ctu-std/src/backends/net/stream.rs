use super::{
    Address, Deadline, Endpoint,
    resolve::resolve,
    socket::{Heard, TimedSocket},
};
use std::{
    io::{self, Read, Write},
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
    /// Connects within `deadline`, which also counts for what is read and written next.
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

    /// Starts an operation: sends `request`, whose answer has to come by `deadline` as well.
    pub(crate) fn send(&mut self, request: &[u8], deadline: Deadline) -> io::Result<()> {
        self.set_deadline(deadline);
        self.write_all(request)?;
        self.flush()
    }

    fn set_deadline(&mut self, deadline: Deadline) {
        match &mut self.0 {
            Kind::Plain(socket) => socket.set_deadline(deadline),
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream.sock.set_deadline(deadline),
        }
    }

    /// Whether nothing speaks against sending a request now: the peer has not closed the connection
    /// and has sent nothing that nobody asked for. One system call.
    pub(crate) fn is_idle(&mut self) -> bool {
        match &mut self.0 {
            Kind::Plain(socket) => socket.heard() == Heard::Nothing,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => super::tls::is_idle(stream),
        }
    }
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
            Kind::Tls(stream) => stream
                .read(buffer)
                .map_err(|error| super::tls::reason(stream, error)),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Plain(socket) => socket.write(bytes),
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream
                .write(bytes)
                .map_err(|error| super::tls::reason(stream, error)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::Plain(socket) => socket.flush(),
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream
                .flush()
                .map_err(|error| super::tls::reason(stream, error)),
        }
    }
}
