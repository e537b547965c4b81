//! A network that fails on demand, between a cache and a real server.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// What happens to one connection, once so many bytes went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is closed in order.
    Cut,
    /// It is closed with a reset.
    Reset,
    /// It stays open, and nothing comes through any more.
    BlackHole,
    /// What follows comes through when [`release`](Proxy::release) says so.
    Hold,
    /// Something nobody asked for follows, in the same packet.
    Insert(&'static [u8]),
}

/// Passes connections on to a server, and lets the next that it is told to fail.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    faults: Arc<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    /// After how many bytes of requests, and of replies.
    asks: Mutex<Option<(usize, Fault)>>,
    answers: Mutex<Option<(usize, Fault)>>,
    /// How many holds were released.
    released: Mutex<usize>,
    release: Condvar,
}

impl Proxy {
    /// Starts one in front of `server`, a port on this machine. It ends with the test program.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let faults: Arc<Faults> = Arc::default();
        let proxy = Self {
            port,
            faults: faults.clone(),
        };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Where there is no server, the connection ends at once.
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) {
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

    /// Lets `fault` happen once: to the connection that the reply byte after so many belongs to.
    pub fn fail_after(&self, bytes: usize, fault: Fault) {
        *lock(&self.faults.answers) = Some((bytes, fault));
    }

    /// The same with a byte of a request.
    pub fn fail_request_after(&self, bytes: usize, fault: Fault) {
        *lock(&self.faults.asks) = Some((bytes, fault));
    }

    /// Whether the faults that were asked for have happened.
    pub fn has_failed(&self) -> bool {
        lock(&self.faults.answers).is_none() && lock(&self.faults.asks).is_none()
    }

    /// Lets through what one connection holds.
    pub fn release(&self) {
        *lock(&self.faults.released) += 1;
        self.faults.release.notify_all();
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
    thread::spawn(move || {
        let _ = pump(&asks, &asked, &asks, &of_requests.asks, &of_requests);
        let _ = asked.shutdown(Shutdown::Both);
    });
    let of_replies = faults.clone();
    thread::spawn(move || {
        let _ = pump(&server, &client, &client, &of_replies.answers, &of_replies);
        // Wakes the other thread, so that both close.
        let _ = client.shutdown(Shutdown::Read);
        let _ = server.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// Passes on what comes `from` one side `to` the other, one of which is the client.
fn pump(
    mut from: &TcpStream,
    mut to: &TcpStream,
    client: &TcpStream,
    next: &Mutex<Option<(usize, Fault)>>,
    faults: &Faults,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let len = from.read(&mut buffer)?;
        if len == 0 {
            return to.shutdown(Shutdown::Both);
        }
        let mut due = lock(next);
        let (sent, fault) = match &mut *due {
            Some((left, fault))
                if *left < len || matches!(fault, Fault::Insert(_) if *left == len) =>
            {
                let (left, fault) = (*left, *fault);
                // Nobody may release before it is known what to wait for.
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
                // What was sent before would be thrown away with the connection.
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
