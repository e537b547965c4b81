//! `FaultProxy`.

mod connection;
mod faults;
#[cfg(test)]
mod tests;

pub use faults::{NetworkFault, StreamFault};

use connection::{Connection, Direction};
use faults::State;
use parking_lot::{Condvar, Mutex};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// A TCP proxy before a server, which fails on command: an outage of the network in a test, with a real server.
///
/// A program under test connects to the [`address`](Self::address) of the proxy in place of that of its server. TLS
/// passes through: the client names the server by `tls_server_name`. The nodes of a Redis Cluster, and the masters
/// that Redis Sentinel names, have addresses of their own, so their clients go around a proxy.
///
/// ```
/// use ctu_std::test_util::{FaultProxy, NetworkFault};
/// use std::{io::{Read, Write}, net::{TcpListener, TcpStream}, thread};
///
/// // In production: Redis. This server answers each connection with one word.
/// let server = TcpListener::bind("127.0.0.1:0")?;
/// let proxy = FaultProxy::new(server.local_addr()?)?;
/// thread::spawn(move || {
///     for client in server.incoming().flatten() {
///         let _ = (&client).write_all(b"hello");
///     }
/// });
/// let answer = || {
///     let mut text = String::new();
///     TcpStream::connect(proxy.address())?.read_to_string(&mut text)?;
///     std::io::Result::Ok(text)
/// };
/// assert_eq!(answer()?, "hello");
///
/// proxy.fail(NetworkFault::Closed);
/// assert_ne!(answer().unwrap_or_default(), "hello");
///
/// proxy.work();
/// assert_eq!(answer()?, "hello");
/// # std::io::Result::Ok(())
/// ```
///
/// The example `rehearsal` of this package takes a service through each fault of the network before a real Redis.
///
/// A drop of the proxy closes its connections.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The addresses of the server, which are tried in this order.
    server: Mutex<Vec<SocketAddr>>,
    state: Mutex<State>,
    changed: Condvar,
}

impl FaultProxy {
    /// Starts a proxy before `server`, on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The name of the server has no address, or no port is free.
    pub fn new(server: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server: Mutex::new(addresses(server)?),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        thread::Builder::new()
            .name("ctu-fault-proxy".into())
            .spawn(move || accept(&listener, &accepting))?;
        Ok(Self { address, shared })
    }

    /// The address for clients.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port for clients, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Fails all connections in this way, until [`work`](Self::work).
    pub fn fail(&self, fault: NetworkFault) {
        self.change(|state| {
            state.fault = Some(fault);
            // Limited to some connections, it closes them at their next byte.
            if fault == NetworkFault::Closed && state.selected.is_none() {
                state.close_all();
            }
        });
    }

    /// Ends the fault of [`fail`](Self::fail).
    pub fn work(&self) {
        self.change(|state| state.fault = None);
    }

    /// Limits [`fail`](Self::fail) to the connections with `word` in a request from now on.
    ///
    /// The word `TRACKING` selects the connections on which Redis reports changed keys, and leaves those of reads and
    /// writes alone.
    pub fn select(&self, word: &'static [u8]) {
        self.change(|state| state.selected = Some(word));
    }

    /// Closes all connections once, as a restart of the server does.
    pub fn close_connections(&self) {
        self.change(State::close_all);
    }

    /// Leads new connections to another server, as a name does after a failover.
    ///
    /// # Errors
    /// The name of the server has no address.
    pub fn set_server(&self, server: impl ToSocketAddrs) -> io::Result<()> {
        *self.shared.server.lock() = addresses(server)?;
        Ok(())
    }

    /// Fails one connection once, after this number of bytes of replies of all connections.
    pub fn fail_reply_after(&self, bytes: usize, fault: StreamFault) {
        self.change(|state| state.replies.next = Some((bytes, fault)));
    }

    /// Fails one connection once, after this number of bytes of requests of all connections.
    pub fn fail_request_after(&self, bytes: usize, fault: StreamFault) {
        self.change(|state| state.requests.next = Some((bytes, fault)));
    }

    /// Whether the faults of [`fail_reply_after`](Self::fail_reply_after) and
    /// [`fail_request_after`](Self::fail_request_after) have happened.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let state = self.shared.state.lock();
        state.replies.next.is_none() && state.requests.next.is_none()
    }

    /// Lets the bytes pass that wait by [`StreamFault::Hold`].
    pub fn release(&self) {
        self.change(|state| state.released += 1);
    }

    /// Resets each connection after this number of bytes of its requests, as a server does that refuses large values.
    pub fn limit_requests(&self, bytes: usize) {
        self.change(|state| state.requests.limit = Some(bytes));
    }

    /// Resets each connection after this number of bytes of its replies.
    pub fn limit_replies(&self, bytes: usize) {
        self.change(|state| state.replies.limit = Some(bytes));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.state.lock());
        self.shared.changed.notify_all();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.change(|state| {
            state.has_ended = true;
            state.close_all();
        });
        // The thread that accepts connections wakes, and ends.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

impl State {
    fn close_all(&mut self) {
        self.closed += 1;
        for (_, connection) in self.open.drain() {
            // An error is that of a side that is closed already.
            let _ = connection.close();
        }
    }
}

impl Shared {
    /// Waits while `holds`, for at most `time`.
    fn wait(&self, time: Duration, holds: impl Fn(&State) -> bool) {
        let mut state = self.state.lock();
        let holds = |state: &mut State| holds(state);
        match Instant::now().checked_add(time) {
            Some(end) => drop(self.changed.wait_while_until(&mut state, holds, end)),
            None => self.changed.wait_while(&mut state, holds),
        }
    }
}

fn addresses(server: impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = server.to_socket_addrs()?.collect();
    if found.is_empty() {
        let message = "the name of the server has no address";
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    Ok(found)
}

/// Accepts connections until the proxy is dropped.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for (id, client) in listener.incoming().enumerate() {
        let Ok(client) = client else { continue };
        if shared.state.lock().has_ended {
            return;
        }
        // Without a server, the connection is closed at once.
        let addresses = shared.server.lock().clone();
        if let Ok(server) = TcpStream::connect(&addresses[..]) {
            let _ = join(id, client, server, shared);
        }
    }
}

/// Forwards both directions of a connection, in a thread each.
fn join(id: usize, client: TcpStream, server: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let connection = Arc::new(Connection::new(client, server)?);
    let mut state = shared.state.lock();
    let is_closed = state.fault == Some(NetworkFault::Closed) && state.selected.is_none();
    if is_closed || state.has_ended {
        return Ok(());
    }
    state.open.insert(id, Arc::clone(&connection));
    drop(state);
    let closing = Arc::clone(&connection);
    for direction in [Direction::Requests, Direction::Replies] {
        let (connection, shared) = (Arc::clone(&connection), Arc::clone(shared));
        let run = move || {
            connection.run(direction, &shared);
            shared.state.lock().open.remove(&id);
        };
        let thread = thread::Builder::new().name("ctu-fault-proxy".into());
        if let Err(error) = thread.spawn(run) {
            return closing.close().and(Err(error));
        }
    }
    Ok(())
}
