//! A network that fails on demand, between a cache and a real server.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// What happens to one connection, once so many bytes of replies went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is closed in order.
    Cut,
    /// It is closed with a reset.
    Reset,
    /// It stays open, and nothing comes back any more.
    BlackHole,
    /// Something nobody asked for follows, in the same packet.
    Insert(&'static [u8]),
}

/// Passes connections on to a server, and lets the next that it is told to fail.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    next: Arc<Mutex<Option<(usize, Fault)>>>,
}

impl Proxy {
    /// Starts one in front of `server`, a port on this machine. It ends with the test program.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let next = Arc::default();
        let proxy = Self {
            port,
            next: Arc::clone(&next),
        };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Where there is no server, the connection ends at once.
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) {
                    let _ = connect(client, server, Arc::clone(&next));
                }
            }
        });
        proxy
    }

    /// Its address, as of a Redis server.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets `fault` happen once: to the connection that the reply byte after so many belongs to.
    pub fn fail_after(&self, bytes: usize, fault: Fault) {
        *lock(&self.next) = Some((bytes, fault));
    }

    /// Whether the fault that was asked for has happened.
    pub fn has_failed(&self) -> bool {
        lock(&self.next).is_none()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(
    client: TcpStream,
    server: TcpStream,
    next: Arc<Mutex<Option<(usize, Fault)>>>,
) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut asks, mut asked) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut asks, &mut asked);
        let _ = asked.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let _ = answer(&client, &server, &next);
        // Wakes the other thread, so that both close.
        let _ = client.shutdown(Shutdown::Read);
        let _ = server.shutdown(Shutdown::Both);
    });
    Ok(())
}

fn answer(
    mut client: &TcpStream,
    mut server: &TcpStream,
    next: &Mutex<Option<(usize, Fault)>>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let len = server.read(&mut buffer)?;
        if len == 0 {
            return client.shutdown(Shutdown::Both);
        }
        let mut due = lock(next);
        let (sent, fault) = match &mut *due {
            Some((left, fault))
                if *left < len || matches!(fault, Fault::Insert(_) if *left == len) =>
            {
                let (left, fault) = (*left, *fault);
                *due = None;
                (left, Some(fault))
            }
            Some((left, _)) => {
                *left -= len;
                (len, None)
            }
            None => (len, None),
        };
        drop(due);
        if let Some(Fault::Insert(bytes)) = fault {
            client.write_all(&[&buffer[..sent], bytes, &buffer[sent..len]].concat())?;
            continue;
        }
        client.write_all(&buffer[..sent])?;
        match fault {
            None | Some(Fault::Insert(_)) => {}
            Some(Fault::Cut) => return client.shutdown(Shutdown::Both),
            Some(Fault::Reset) => {
                // What was sent before would be thrown away with the connection.
                return socket2::SockRef::from(client).set_linger(Some(Duration::ZERO));
            }
            Some(Fault::BlackHole) => while server.read(&mut buffer)? > 0 {},
        }
    }
}
