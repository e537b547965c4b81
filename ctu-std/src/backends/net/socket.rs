//! A blocking socket with a deadline for every system call.

use super::Deadline;
#[cfg(unix)]
use socket2::SockAddr;
use socket2::{Domain, Socket, TcpKeepalive, Type};
#[cfg(unix)]
use std::path::Path;
use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    time::Duration,
};

/// How far a system call may outlast the deadline; it saves two system calls an operation.
const SLACK: Duration = Duration::from_millis(1);

/// A write to a connection that the peer has closed is an error, and no signal: a program that has set
/// SIGPIPE to its default, or that is not written in Rust, would be killed by it.
#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// Apple's systems have an option of the socket in its place; others have no such signal.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: i32 = 0;

/// A socket each of whose reads and writes ends by the deadline of the operation under way.
///
/// Timeouts of the operating system count from each system call, so a peer that sends a byte now
/// and then would hold an operation for ever: here they shrink as the operation goes on.
pub(super) struct TimedSocket {
    socket: Socket,
    deadline: Deadline,
    /// The present timeouts of the socket.
    reading: Option<Duration>,
    writing: Option<Duration>,
}

impl TimedSocket {
    /// A new socket, which is not connected yet.
    fn open(domain: Domain, deadline: Deadline) -> io::Result<Self> {
        let socket = Socket::new(domain, Type::STREAM, None)?;
        #[cfg(target_vendor = "apple")]
        socket.set_nosigpipe(true)?;
        Ok(Self {
            socket,
            deadline,
            reading: None,
            writing: None,
        })
    }

    /// Connects over TCP.
    pub(super) fn connect_tcp(
        address: SocketAddr,
        keep_alive: Option<Duration>,
        deadline: Deadline,
    ) -> io::Result<Self> {
        let left = deadline.remaining().ok_or(io::ErrorKind::TimedOut)?;
        let connected = Self::open(Domain::for_address(address), deadline)?;
        connected.socket.connect_timeout(&address.into(), left)?;
        connected.socket.set_tcp_nodelay(true)?;
        if let Some(idle) = keep_alive {
            let probes = TcpKeepalive::new().with_time(idle);
            connected.socket.set_tcp_keepalive(&probes)?;
        }
        Ok(connected)
    }

    /// Starts an operation.
    pub(super) fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// Connects to a socket in the file system, when its server has room for one more.
    ///
    /// socket2's `connect_timeout` is no help: a full queue is an error at once to a socket that does
    /// not block, and nothing tells when there is room.
    #[cfg(unix)]
    pub(super) fn connect_unix(path: &Path, deadline: Deadline) -> io::Result<Self> {
        let address = SockAddr::unix(path)?;
        let mut connected = Self::open(Domain::UNIX, deadline)?;
        let socket = &connected.socket;
        within(
            deadline,
            &mut connected.writing,
            |left| socket.set_write_timeout(Some(left)),
            || socket.connect(&address),
        )?;
        Ok(connected)
    }

    /// Writes a part of `bytes` and returns its length; `None` where the peer says something first.
    /// Waits for either.
    #[cfg(unix)]
    pub(super) fn write_or_peek(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        loop {
            match self.write_now(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                written => return written.map(Some),
            }
            if self.wait()? == Ready::Read {
                return Ok(None);
            }
        }
    }

    /// The system has no such wait: writing waits for the peer.
    #[cfg(not(unix))]
    pub(super) fn write_or_peek(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        self.write(bytes).map(Some)
    }

    /// Writes as much of `bytes` as there is room for now.
    #[cfg(unix)]
    fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        self.socket
            .send_with_flags(bytes, libc::MSG_DONTWAIT | NO_SIGNAL)
    }

    /// Waits until the peer has said something or there is room to write.
    #[cfg(unix)]
    fn wait(&self) -> io::Result<Ready> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        loop {
            let left = self.deadline.remaining().ok_or(io::ErrorKind::TimedOut)?;
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut sockets = [PollFd::new(&self.socket, PollFlags::IN | PollFlags::OUT)];
            match poll(&mut sockets, Some(&left)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            // The end of a connection is something to read, too.
            return Ok(match sockets[0].revents() == PollFlags::OUT {
                true => Ready::Write,
                false => Ready::Read,
            });
        }
    }

    /// For a wait until the peer has sent bytes or closed the connection.
    #[cfg(all(unix, feature = "cluster"))]
    pub(super) fn poll_fd(&self) -> rustix::event::PollFd<'_> {
        use rustix::event::{PollFd, PollFlags};
        PollFd::new(&self.socket, PollFlags::IN)
    }

    /// Whether the peer has sent bytes that were not read. One system call.
    pub(super) fn peek(&self) -> Pending {
        peek(&self.socket)
    }
}

/// Whether bytes have arrived that were not read. One system call.
#[cfg(unix)]
fn peek(socket: &Socket) -> Pending {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    match socket.recv_with_flags(&mut byte, flags) {
        Ok(1..) => Pending::Bytes,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Pending::None,
        Ok(0) | Err(_) => Pending::End,
    }
}

/// Elsewhere a stale connection is found by using it.
#[cfg(not(unix))]
fn peek(_: &Socket) -> Pending {
    Pending::None
}

/// Whether the peer has neither closed the connection nor sent bytes that were not read. One system
/// call.
#[cfg(feature = "tokio")]
pub(super) fn is_idle(socket: &Socket) -> bool {
    peek(socket) == Pending::None
}

#[cfg(feature = "tls")]
impl TimedSocket {
    /// The socket, whose writes do not wait.
    #[cfg(unix)]
    pub(super) fn without_wait(&self) -> impl Write + '_ {
        WithoutWait(self)
    }

    /// The system has no such wait: writing waits for the peer.
    #[cfg(not(unix))]
    pub(super) fn without_wait(&mut self) -> impl Write + '_ {
        self
    }

    /// Whether there is room to write rather than something to read. Waits for either.
    #[cfg(unix)]
    pub(super) fn has_room(&self) -> io::Result<bool> {
        Ok(self.wait()? == Ready::Write)
    }

    #[cfg(not(unix))]
    pub(super) fn has_room(&self) -> io::Result<bool> {
        Ok(true)
    }

    /// The bytes that the peer has sent, regardless of the deadline: does not wait where [`peek`](Self::peek)
    /// says that there is something.
    pub(super) fn at_hand(&self) -> impl Read + '_ {
        &self.socket
    }
}

/// The readiness of a socket.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    Read,
    Write,
}

/// The bytes that a peer has sent and that were not read.
#[cfg_attr(not(unix), allow(dead_code))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    None,
    Bytes,
    /// The peer has closed the connection.
    End,
}

/// Runs one system call: with a timeout of at most the remaining time, again when it was
/// interrupted or its timeout was shorter than that.
fn within<T>(
    deadline: Deadline,
    set: &mut Option<Duration>,
    arm: impl Fn(Duration) -> io::Result<()>,
    mut call: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    loop {
        let left = deadline.remaining().ok_or(io::ErrorKind::TimedOut)?;
        if set.is_none_or(|set| set > left.saturating_add(SLACK)) {
            // The system counts in microseconds, and takes 0 for no timeout.
            arm(left.max(Duration::from_micros(1)))?;
            *set = Some(left);
        }
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                // Longer next time, unless nothing is left.
                *set = None;
            }
            done => return done,
        }
    }
}

impl Read for TimedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let socket = &self.socket;
        within(
            self.deadline,
            &mut self.reading,
            |left| socket.set_read_timeout(Some(left)),
            || (&*socket).read(buffer),
        )
    }
}

impl Write for TimedSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let socket = &self.socket;
        within(
            self.deadline,
            &mut self.writing,
            |left| socket.set_write_timeout(Some(left)),
            || socket.send_with_flags(bytes, NO_SIGNAL),
        )
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(all(unix, feature = "tls"))]
struct WithoutWait<'s>(&'s TimedSocket);

#[cfg(all(unix, feature = "tls"))]
impl Write for WithoutWait<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_now(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
