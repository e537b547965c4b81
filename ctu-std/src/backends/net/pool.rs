//! A pool of connections.
//!
//! Why not `r2d2`, the maintained one: it tells of a refused connection only when its whole timeout
//! has passed, since it retries in a background thread; it has no way to ask for a connection that
//! is certainly fresh, which repeating an operation needs; and it checks a connection by asking the
//! server. Here connections are made by the thread that needs one, within its operation's deadline.

use super::{Deadline, NetError, Peer};
use parking_lot::{Condvar, Mutex};

/// Opens connections.
pub(crate) trait Connect {
    /// What is pooled.
    type Connection: Connection;
    /// Why connecting or an operation failed.
    type Error: Failure + From<NetError>;

    /// Opens a connection, ready for use, within `deadline`.
    fn connect(&self, deadline: Deadline) -> Result<Self::Connection, Self::Error>;

    /// Whom they lead to.
    fn peer(&self) -> Peer;
}

/// A connection that waits in the pool between operations.
pub(crate) trait Connection {
    /// Whether nothing speaks against using it. Without asking the server.
    fn is_idle(&mut self) -> bool;
}

/// What a failed operation means for its connection.
pub(crate) trait Failure {
    /// What becomes of the connection.
    fn fate(&self) -> Fate;

    /// Whether what failed so on a connection that has waited is worth another try on a fresh one.
    fn again(&self, repeat: Repeat) -> bool {
        self.fate() == Fate::Lost && repeat == Repeat::Safe
    }
}

/// What becomes of a connection after an operation on it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is in order: the server answered, though not as wished.
    Keep,
    /// It is thrown away.
    Discard,
    /// It is thrown away, and was perhaps dead before the operation: worth another try on a fresh one.
    Lost,
}

/// Whether doing an operation twice is as good as doing it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It is.
    Safe,
    /// It is not: where it is unknown whether the server did it, the caller is told so.
    Never,
}

/// At most `size` connections, opened when they are needed.
pub(crate) struct Pool<C: Connect> {
    connect: C,
    size: usize,
    state: Mutex<State<C::Connection>>,
    freed: Condvar,
}

struct State<T> {
    /// The last one used comes first, so that few stay warm rather than all.
    idle: Vec<T>,
    /// How many are in use.
    used: usize,
}

impl<C: Connect> Pool<C> {
    /// A pool that has not opened any connection yet.
    pub(crate) fn new(connect: C, size: usize) -> Self {
        Self {
            connect,
            size: size.max(1),
            state: Mutex::new(State {
                idle: Vec::new(),
                used: 0,
            }),
            freed: Condvar::new(),
        }
    }

    /// What opens connections.
    #[cfg(feature = "cluster")]
    pub(crate) fn connector(&self) -> &C {
        &self.connect
    }

    /// Runs an operation on a connection, and once more on a fresh one when the pooled one turned
    /// out to be dead and the operation is safe to repeat. All of it ends by `deadline`.
    pub(crate) fn run<T>(
        &self,
        repeat: Repeat,
        deadline: Deadline,
        mut operation: impl FnMut(&mut C::Connection, Deadline) -> Result<T, C::Error>,
    ) -> Result<T, C::Error> {
        let mut lease = self.lease(deadline)?;
        if let Some(connection) = lease.pooled() {
            let done = operation(connection, deadline);
            match &done {
                Err(error) if error.again(repeat) => {}
                Err(error) if error.fate() != Fate::Keep => return done,
                _ => {
                    lease.keep();
                    return done;
                }
            }
        }
        let connection = lease.fresh(deadline)?;
        let done = operation(connection, deadline);
        if done.as_ref().map_or_else(Failure::fate, |_| Fate::Keep) == Fate::Keep {
            lease.keep();
        }
        done
    }

    /// Takes the right to use a connection, and an idle one if there is any.
    ///
    /// For what takes several connections at once; [`run`](Self::run) is for the rest.
    pub(crate) fn lease(&self, deadline: Deadline) -> Result<Lease<'_, C>, C::Error> {
        let mut state = self.state.lock();
        while state.used >= self.size {
            let timed_out = self.freed.wait_until(&mut state, deadline.at()).timed_out();
            if timed_out && state.used >= self.size {
                return Err(NetError::PoolTimedOut {
                    server: self.connect.peer(),
                    size: self.size,
                    after: deadline.total(),
                }
                .into());
            }
        }
        state.used += 1;
        let mut lease = Lease {
            pool: self,
            connection: state.idle.pop(),
            keep: false,
        };
        drop(state);
        if deadline.remaining().is_none() {
            // Nothing can be done on it, which is not its fault.
            lease.keep();
            return Err(NetError::TimedOut {
                server: self.connect.peer(),
                after: deadline.total(),
            }
            .into());
        }
        Ok(lease)
    }

    #[cfg(test)]
    fn counts(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.idle.len(), state.used)
    }
}

/// The right to use one connection. Given back on drop, the connection only if it is to be kept:
/// a panic in the operation throws it away.
pub(crate) struct Lease<'p, C: Connect> {
    pool: &'p Pool<C>,
    connection: Option<C::Connection>,
    keep: bool,
}

impl<C: Connect> Lease<'_, C> {
    /// The pooled connection, unless there is none that is fit for use.
    pub(crate) fn pooled(&mut self) -> Option<&mut C::Connection> {
        // A server that went away leaves a pool of dead ones: all of them are passed over.
        while self
            .connection
            .as_mut()
            .is_some_and(|connection| !connection.is_idle())
        {
            let next = self.pool.state.lock().idle.pop();
            self.connection = next;
        }
        self.connection.as_mut()
    }

    /// A connection that was opened just now, in place of any other.
    pub(crate) fn fresh(&mut self, deadline: Deadline) -> Result<&mut C::Connection, C::Error> {
        self.connection = None;
        let connection = self.pool.connect.connect(deadline)?;
        Ok(self.connection.insert(connection))
    }

    /// The connection that was returned last, if there is one.
    #[cfg(feature = "cluster")]
    pub(crate) fn connection(&mut self) -> Option<&mut C::Connection> {
        self.connection.as_mut()
    }

    /// Says that the connection is in order.
    pub(crate) fn keep(&mut self) {
        self.keep = true;
    }
}

impl<C: Connect> Drop for Lease<'_, C> {
    fn drop(&mut self) {
        let connection = self.connection.take();
        let mut state = self.pool.state.lock();
        state.used -= 1;
        let discarded = if self.keep {
            state.idle.extend(connection);
            None
        } else {
            connection
        };
        drop(state);
        self.pool.freed.notify_one();
        // Closing a socket is a system call: not under the lock.
        drop(discarded);
    }
}

#[cfg(test)]
mod tests;
