//! Faults of the network between a node and its server.

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
pub(crate) enum Fault {
    None,
    /// New and existing connections are closed.
    Refused,
    /// All bytes are lost.
    BlackHole,
    /// Requests arrive, and answers are lost.
    HalfOpen,
    /// Answers come some milliseconds later.
    Slow,
    /// Every connection ends after its first answer.
    Flapping,
}

/// A network with faults.
#[derive(Debug)]
pub(crate) struct Network {
    port: u16,
    fault: Arc<AtomicU8>,
}

impl Network {
    /// A network in front of `server`, a port on this machine. It ends with the test program.
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let fault = Arc::new(AtomicU8::new(0));
        let network = Self {
            port,
            fault: Arc::clone(&fault),
        };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is(&fault, Fault::Refused) {
                    continue;
                }
                // Where there is no server, the connection ends at once.
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) {
                    let _ = join(client, server, &fault);
                }
            }
        });
        network
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.fault.store(fault as u8, SeqCst);
    }
}

fn is(now: &AtomicU8, fault: Fault) -> bool {
    now.load(SeqCst) == fault as u8
}

fn join(client: TcpStream, server: TcpStream, fault: &Arc<AtomicU8>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let there = (client.try_clone()?, server.try_clone()?, Arc::clone(fault));
    thread::spawn(move || pass(&there.0, &there.1, &there.2, false));
    let fault = Arc::clone(fault);
    thread::spawn(move || pass(&server, &client, &fault, true));
    Ok(())
}

/// Forwards the bytes of `from`, subject to the fault.
fn pass(mut from: &TcpStream, mut to: &TcpStream, fault: &AtomicU8, answers: bool) {
    let mut buffer = [0; 1 << 14];
    while let Ok(len @ 1..) = from.read(&mut buffer) {
        if is(fault, Fault::Refused) {
            break;
        }
        if is(fault, Fault::BlackHole) || (answers && is(fault, Fault::HalfOpen)) {
            continue;
        }
        if answers && is(fault, Fault::Slow) {
            thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&buffer[..len]).is_err() || (answers && is(fault, Fault::Flapping)) {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
