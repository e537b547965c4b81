//! One connection through a proxy.

use super::{
    Shared,
    faults::{NetworkFault, Step, StreamFault},
};
use socket2::SockRef;
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Requests,
    Replies,
}

#[derive(Debug)]
pub(super) struct Connection {
    client: TcpStream,
    server: TcpStream,
    is_selected: AtomicBool,
    loses_requests: AtomicBool,
    loses_replies: AtomicBool,
}

impl Connection {
    pub(super) fn new(client: TcpStream, server: TcpStream) -> io::Result<Self> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        Ok(Self {
            client,
            server,
            is_selected: AtomicBool::new(false),
            loses_requests: AtomicBool::new(false),
            loses_replies: AtomicBool::new(false),
        })
    }

    pub(super) fn is_selected(&self) -> bool {
        self.is_selected.load(Relaxed)
    }

    pub(super) fn select(&self) {
        self.is_selected.store(true, Relaxed);
    }

    fn lost(&self, direction: Direction) -> &AtomicBool {
        match direction {
            Direction::Requests => &self.loses_requests,
            Direction::Replies => &self.loses_replies,
        }
    }

    /// Loses every further byte of a direction.
    pub(super) fn lose(&self, direction: Direction) {
        self.lost(direction).store(true, Relaxed);
    }

    pub(super) fn loses(&self, direction: Direction) -> bool {
        self.lost(direction).load(Relaxed)
    }

    /// Closes both sides, so that both directions end.
    pub(super) fn close(&self) -> io::Result<()> {
        let closed = self.client.shutdown(Shutdown::Both);
        self.server.shutdown(Shutdown::Both).and(closed)
    }

    /// Forwards the bytes of one direction until it ends, and closes the connection.
    pub(super) fn run(&self, direction: Direction, shared: &Shared) {
        // An error is the end of the connection.
        let _ = self.forward(direction, shared);
        match direction {
            Direction::Requests => drop(self.server.shutdown(Shutdown::Both)),
            // The bytes on their way to the client arrive, and the other direction ends.
            Direction::Replies => {
                let _ = self.client.shutdown(Shutdown::Read);
                let _ = self.server.shutdown(Shutdown::Both);
            }
        }
    }

    fn forward(&self, direction: Direction, shared: &Shared) -> io::Result<()> {
        let (mut from, mut to) = match direction {
            Direction::Requests => (&self.client, &self.server),
            Direction::Replies => (&self.server, &self.client),
        };
        let mut buffer = vec![0; 1 << 16];
        let mut total = 0;
        loop {
            let len = from.read(&mut buffer)?;
            if len == 0 {
                return to.shutdown(Shutdown::Both);
            }
            total += len;
            let bytes = &buffer[..len];
            let mut state = shared.state.lock();
            let step = state.step(self, direction, total, bytes);
            // A wait is registered before the release that ends it.
            let (released, closed) = (state.released, state.closed);
            drop(state);
            match step {
                Step::Lose => {}
                Step::Pass => to.write_all(bytes)?,
                Step::Delay(time) => {
                    shared.wait(time, |state| {
                        state.closed == closed
                            && matches!(state.fault, Some(NetworkFault::Delay(_)))
                    });
                    to.write_all(bytes)?;
                }
                Step::PassAndClose => {
                    to.write_all(bytes)?;
                    return self.close();
                }
                Step::Close => return self.close(),
                Step::Reset => {
                    self.reset_client()?;
                    return to.shutdown(Shutdown::Both);
                }
                Step::Fail(passed, StreamFault::Insert(inserted)) => {
                    to.write_all(&[&bytes[..passed], inserted, &bytes[passed..]].concat())?;
                }
                Step::Fail(passed, fault) => {
                    let (before, after) = bytes.split_at(passed);
                    to.write_all(before)?;
                    match fault {
                        StreamFault::Close => return self.close(),
                        StreamFault::Reset => {
                            // The bytes that were sent before arrive: the reset is sent when the socket is dropped.
                            self.reset_client()?;
                            return to.shutdown(Shutdown::Read);
                        }
                        StreamFault::BlackHole => self.lose(direction),
                        StreamFault::Hold => {
                            shared.wait(Duration::MAX, |state| {
                                state.closed == closed && state.released == released
                            });
                            to.write_all(after)?;
                        }
                        StreamFault::Insert(_) => {}
                    }
                }
            }
        }
    }

    /// Makes the end of the connection to the client a reset.
    fn reset_client(&self) -> io::Result<()> {
        SockRef::from(&self.client).set_linger(Some(Duration::ZERO))
    }
}
