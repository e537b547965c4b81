//! TCP, Unix sockets and TLS on tokio.

use super::super::{Address, Deadline, Endpoint, resolve::resolve, socket::is_idle};
use socket2::{SockRef, TcpKeepalive};
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
#[cfg(feature = "tls")]
use tokio::io::AsyncWrite;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::{TcpStream, tcp},
    task,
    time::timeout_at,
};
#[cfg(unix)]
use tokio::{
    net::{UnixStream, unix},
    time::sleep,
};

#[cfg(feature = "tls")]
type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// The pause before another attempt to connect to a Unix socket whose queue is full: the system has no
/// notification of a free place.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(1);

/// A connection to a server over TCP, TLS or a Unix socket.
pub(crate) enum AsyncStream {
    Tcp(tcp::OwnedReadHalf, Arc<tcp::OwnedWriteHalf>),
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream>),
    #[cfg(unix)]
    Unix(unix::OwnedReadHalf, Arc<unix::OwnedWriteHalf>),
}

/// The write half of a plain socket, for callers of an idle connection.
pub(super) enum DirectWriter {
    /// The driver alone writes.
    #[cfg(feature = "tls")]
    None,
    Tcp(Arc<tcp::OwnedWriteHalf>),
    #[cfg(unix)]
    Unix(Arc<unix::OwnedWriteHalf>),
}

impl AsyncStream {
    /// Connects within `deadline`.
    pub(crate) async fn connect(endpoint: &Endpoint, deadline: Deadline) -> io::Result<Self> {
        let connect = Self::connect_now(endpoint, deadline);
        let connected = timeout_at(deadline.at().into(), connect).await;
        connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn connect_now(endpoint: &Endpoint, deadline: Deadline) -> io::Result<Self> {
        let Endpoint { address, dialer } = endpoint;
        match address {
            Address::Tcp(host, port) => {
                let stream = connect_tcp(host, *port, dialer.keep_alive, deadline).await?;
                let (read, write) = stream.into_split();
                Ok(Self::Tcp(read, Arc::new(write)))
            }
            #[cfg(feature = "tls")]
            Address::Tls(host, port) => {
                let stream = connect_tcp(host, *port, dialer.keep_alive, deadline).await?;
                let name = dialer.tls.name(host)?;
                // The authorities of the system are files.
                let tls = dialer.tls.clone();
                let config = task::spawn_blocking(move || tls.config()).await;
                let config = config.map_err(io::Error::other)??;
                let connector = tokio_rustls::TlsConnector::from(config);
                let stream = connector.connect(name, stream).await?;
                Ok(Self::Tls(Box::new(stream)))
            }
            #[cfg(unix)]
            Address::Unix(path) => loop {
                match UnixStream::connect(path).await {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        sleep(FULL_QUEUE_PAUSE).await;
                    }
                    connected => {
                        let (read, write) = connected?.into_split();
                        return Ok(Self::Unix(read, Arc::new(write)));
                    }
                }
            },
        }
    }

    pub(super) fn direct_writer(&self) -> DirectWriter {
        match self {
            Self::Tcp(_, write) => DirectWriter::Tcp(write.clone()),
            #[cfg(feature = "tls")]
            Self::Tls(_) => DirectWriter::None,
            #[cfg(unix)]
            Self::Unix(_, write) => DirectWriter::Unix(write.clone()),
        }
    }

    /// Reads at least a byte; 0 at the end of the connection.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(room);
        let read = match self {
            Self::Tcp(stream, _) => Pin::new(stream).poll_read(context, &mut room),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => {
                let read = Pin::new(stream).poll_read(context, &mut room);
                read.map_err(super::super::tls::refusal)
            }
            #[cfg(unix)]
            Self::Unix(stream, _) => Pin::new(stream).poll_read(context, &mut room),
        };
        ready!(read)?;
        Poll::Ready(Ok(room.filled().len()))
    }

    /// Writes a part of `bytes`.
    pub(super) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let written = match self {
                Self::Tcp(_, write) => {
                    let stream: &TcpStream = (**write).as_ref();
                    ready!(stream.poll_write_ready(context))?;
                    stream.try_write(bytes)
                }
                #[cfg(feature = "tls")]
                Self::Tls(stream) => return Pin::new(stream).poll_write(context, bytes),
                #[cfg(unix)]
                Self::Unix(_, write) => {
                    let stream: &UnixStream = (**write).as_ref();
                    ready!(stream.poll_write_ready(context))?;
                    stream.try_write(bytes)
                }
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    /// Sends the bytes that the TLS session has taken and not sent.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
            _ => {
                let _ = context;
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl DirectWriter {
    /// Whether the peer has neither closed the connection nor sent bytes that were not read, as far as
    /// that is known. One system call.
    pub(super) fn is_idle(&self) -> bool {
        match self {
            #[cfg(feature = "tls")]
            Self::None => true,
            Self::Tcp(write) => {
                let stream: &TcpStream = (**write).as_ref();
                is_idle(&SockRef::from(stream))
            }
            #[cfg(unix)]
            Self::Unix(write) => {
                let stream: &UnixStream = (**write).as_ref();
                is_idle(&SockRef::from(stream))
            }
        }
    }

    /// Writes as much of `bytes` as there is room for now. 0 where that is unknown, and after an error:
    /// the driver then meets it.
    pub(super) fn write_now(&self, bytes: &[u8]) -> usize {
        let written = match self {
            #[cfg(feature = "tls")]
            Self::None => return 0,
            Self::Tcp(stream) => stream.try_write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.try_write(bytes),
        };
        written.unwrap_or(0)
    }
}

/// Connects to the first address of `host` that accepts; none of them takes the time of the rest.
async fn connect_tcp(
    host: &str,
    port: u16,
    keep_alive: Option<Duration>,
    deadline: Deadline,
) -> io::Result<TcpStream> {
    let host = host.to_owned();
    // The resolver of the system blocks.
    let addresses = task::spawn_blocking(move || resolve(&host, port, deadline)).await;
    let addresses = addresses.map_err(io::Error::other)??;
    let mut failed = io::ErrorKind::TimedOut.into();
    for (tried, address) in addresses.iter().enumerate() {
        let part = deadline.share(addresses.len() - tried);
        match timeout_at(part.at().into(), connect_tcp_to(*address, keep_alive)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed = error,
            Err(_) => failed = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failed)
}

async fn connect_tcp_to(
    address: SocketAddr,
    keep_alive: Option<Duration>,
) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    if let Some(idle) = keep_alive {
        let probes = TcpKeepalive::new().with_time(idle);
        SockRef::from(&stream).set_tcp_keepalive(&probes)?;
    }
    Ok(stream)
}
