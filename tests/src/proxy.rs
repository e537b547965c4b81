//! A network that fails on demand, between a cache and a real server.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU16, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

/// A fault of one connection, after a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An orderly close.
    Cut,
    /// A reset.
    Reset,
    /// A black hole: it stays open, and no byte passes.
    BlackHole,
    /// Further bytes are held until [`release`](Proxy::release).
    Hold,
    /// Unsolicited bytes follow in the same packet.
    Insert(&'static [u8]),
}

/// Forwards connections to a server and injects faults.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    /// The port of the server that new connections lead to.
    server: Arc<AtomicU16>,
    faults: Arc<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    asks: Direction,
    answers: Direction,
    /// The number of released holds.
    released: Mutex<usize>,
    release: Condvar,
    /// Whether tracking connections are black holes.
    no_tracking: AtomicBool,
}

/// The state of one connection.
#[derive(Debug, Default)]
struct Passed {
    /// Whether it is a tracking connection.
    is_tracking: AtomicBool,
    /// Whether bytes were swallowed: no further byte passes.
    is_dead: AtomicBool,
}

/// The faults of requests or of replies.
#[derive(Debug, Default)]
struct Direction {
    /// The next fault, and the number of bytes before it.
    next: Mutex<Option<(usize, Fault)>>,
    /// The number of bytes after which each connection is reset.
    limit: Mutex<Option<usize>>,
}

impl Proxy {
    /// Starts a proxy before `server`, a port of this machine. It ends with the test program.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let faults: Arc<Faults> = Arc::default();
        let server = Arc::new(AtomicU16::new(server));
        let proxy = Self {
            port,
            server: server.clone(),
            faults: faults.clone(),
        };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Without a server, the connection ends at once.
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server.load(Relaxed)))
                {
                    let _ = connect(client, server, &faults);
                }
            }
        });
        proxy
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets new connections lead to another server, as a name does after a failover.
    pub fn lead_to(&self, server: u16) {
        self.server.store(server, Relaxed);
    }

    /// Injects `fault` once, into the connection with the reply byte after that number.
    pub fn fail_after(&self, bytes: usize, fault: Fault) {
        *lock(&self.faults.answers.next) = Some((bytes, fault));
    }

    /// The same for a byte of a request.
    pub fn fail_request_after(&self, bytes: usize, fault: Fault) {
        *lock(&self.faults.asks.next) = Some((bytes, fault));
    }

    /// Resets each connection after that number of bytes of requests.
    pub fn limit_requests(&self, bytes: usize) {
        *lock(&self.faults.asks.limit) = Some(bytes);
    }

    /// The same for bytes of replies.
    pub fn limit_replies(&self, bytes: usize) {
        *lock(&self.faults.answers.limit) = Some(bytes);
    }

    /// Makes black holes of the tracking connections (`CLIENT TRACKING`) alone, until the call with
    /// `false`. A connection that lost bytes stays one.
    pub fn swallow_tracking(&self, swallows: bool) {
        self.faults.no_tracking.store(swallows, Relaxed);
    }

    /// Whether all injected faults have happened.
    pub fn has_failed(&self) -> bool {
        lock(&self.faults.answers.next).is_none() && lock(&self.faults.asks.next).is_none()
    }

    /// Releases the held bytes of one connection.
    pub fn release(&self) {
        *lock(&self.faults.released) += 1;
        self.faults.release.notify_all();
    }
}

impl Passed {
    /// Whether `bytes`, which have arrived, are swallowed.
    fn swallows(&self, bytes: &[u8], faults: &Faults) -> bool {
        const COMMAND: &[u8] = b"TRACKING";
        if bytes.windows(COMMAND.len()).any(|part| part == COMMAND) {
            self.is_tracking.store(true, Relaxed);
        }
        if self.is_tracking.load(Relaxed) && faults.no_tracking.load(Relaxed) {
            self.is_dead.store(true, Relaxed);
        }
        self.is_dead.load(Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(client: TcpStream, server: TcpStream, faults: &Arc<Faults>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (asks, asked) = (client.try_clone()?, server.try_clone()?);
    let of_requests = faults.clone();
    let passed: Arc<Passed> = Arc::default();
    let requests = passed.clone();
    thread::spawn(move || {
        let _ = pump(
            &asks,
            &asked,
            &asks,
            &of_requests.asks,
            &of_requests,
            &requests,
        );
        let _ = asked.shutdown(Shutdown::Both);
    });
    let of_replies = faults.clone();
    thread::spawn(move || {
        let _ = pump(
            &server,
            &client,
            &client,
            &of_replies.answers,
            &of_replies,
            &passed,
        );
        // Wakes the other thread, so that both close.
        let _ = client.shutdown(Shutdown::Read);
        let _ = server.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// Forwards bytes `from` one side `to` the other; one of them is the client.
fn pump(
    mut from: &TcpStream,
    mut to: &TcpStream,
    client: &TcpStream,
    direction: &Direction,
    faults: &Faults,
    passed: &Passed,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        let len = from.read(&mut buffer)?;
        if len == 0 {
            return to.shutdown(Shutdown::Both);
        }
        total += len;
        if passed.swallows(&buffer[..len], faults) {
            continue;
        }
        if lock(&direction.limit).is_some_and(|limit| total > limit) {
            socket2::SockRef::from(client).set_linger(Some(Duration::ZERO))?;
            return to.shutdown(Shutdown::Both);
        }
        let mut due = lock(&direction.next);
        let (sent, fault) = match &mut *due {
            Some((left, fault))
                if *left < len || matches!(fault, Fault::Insert(_) if *left == len) =>
            {
                let (left, fault) = (*left, *fault);
                // The hold is registered before a release can happen.
                let released = *lock(&faults.released);
                *due = None;
                (left, Some((fault, released)))
            }
            Some((left, _)) => {
                *left -= len;
                (len, None)
            }
            None => (len, None),
        };
        drop(due);
        if let Some((Fault::Insert(bytes), _)) = fault {
            to.write_all(&[&buffer[..sent], bytes, &buffer[sent..len]].concat())?;
            continue;
        }
        to.write_all(&buffer[..sent])?;
        match fault {
            None | Some((Fault::Insert(_), _)) => {}
            Some((Fault::Cut, _)) => {
                client.shutdown(Shutdown::Both)?;
                return to.shutdown(Shutdown::Both);
            }
            Some((Fault::Reset, _)) => {
                // A reset now would discard bytes sent before.
                socket2::SockRef::from(client).set_linger(Some(Duration::ZERO))?;
                return to.shutdown(Shutdown::Read);
            }
            Some((Fault::BlackHole, _)) => while from.read(&mut buffer)? > 0 {},
            Some((Fault::Hold, before)) => {
                let mut released = lock(&faults.released);
                while *released == before {
                    let woken = faults.release.wait(released);
                    released = woken.unwrap_or_else(PoisonError::into_inner);
                }
                drop(released);
                to.write_all(&buffer[sent..len])?;
            }
        }
    }
}
