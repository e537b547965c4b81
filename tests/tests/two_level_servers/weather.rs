//! What happens between a node and its server.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Weather {
    Fair,
    /// Connections are closed as soon as they are made, and those that there are.
    Refused,
    /// Whatever is sent is lost.
    BlackHole,
    /// Requests arrive, and answers are lost.
    HalfOpen,
    /// Answers come some milliseconds later.
    Slow,
    /// Every connection ends after its first answer.
    Flapping,
}

/// A network with weather.
#[derive(Debug)]
pub(crate) struct Network {
    port: u16,
    weather: Arc<AtomicU8>,
}

impl Network {
    /// One in front of `server`, a port on this machine. It ends with the test program.
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let weather = Arc::new(AtomicU8::new(0));
        let network = Self {
            port,
            weather: Arc::clone(&weather),
        };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is(&weather, Weather::Refused) {
                    continue;
                }
                // Where there is no server, the connection ends at once.
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) {
                    let _ = join(client, server, &weather);
                }
            }
        });
        network
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.weather.store(weather as u8, SeqCst);
    }
}

fn is(now: &AtomicU8, weather: Weather) -> bool {
    now.load(SeqCst) == weather as u8
}

fn join(client: TcpStream, server: TcpStream, weather: &Arc<AtomicU8>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let there = (
        client.try_clone()?,
        server.try_clone()?,
        Arc::clone(weather),
    );
    thread::spawn(move || pass(&there.0, &there.1, &there.2, false));
    let weather = Arc::clone(weather);
    thread::spawn(move || pass(&server, &client, &weather, true));
    Ok(())
}

/// Passes on what `from` sends, as the weather lets it.
fn pass(mut from: &TcpStream, mut to: &TcpStream, weather: &AtomicU8, answers: bool) {
    let mut buffer = [0; 1 << 14];
    while let Ok(len @ 1..) = from.read(&mut buffer) {
        if is(weather, Weather::Refused) {
            break;
        }
        if is(weather, Weather::BlackHole) || (answers && is(weather, Weather::HalfOpen)) {
            continue;
        }
        if answers && is(weather, Weather::Slow) {
            thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&buffer[..len]).is_err() || (answers && is(weather, Weather::Flapping)) {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
