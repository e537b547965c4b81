//! A pool of connections.
//!
//! Why not `r2d2`, the maintained one: it tells of a refused connection only when its whole timeout
//! has passed, since it retries in a background thread; it has no way to ask for a connection that
//! is certainly fresh, which a retry needs; it is not fair; and it checks a connection by a request to
//! the server. Here connections are opened by the thread that needs one, within the deadline of its
//! operation.

mod state;

use super::{Attempts, ConnectionError, Deadline, Disposition, Limits, NetError, Peer, Work};
use crate::{per_process::PerProcess, random::Random};
use parking_lot::Mutex;
use state::{Pooled, State, Ticket, Turn};
use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Opens connections.
pub(crate) trait Connect {
    /// The type of the connections.
    type Connection: Connection;
    /// Why connecting or an operation failed.
    type Error: ConnectionError + From<NetError>;

    /// Opens a connection, ready for use, within `deadline`.
    fn connect(&self, deadline: Deadline) -> Result<Self::Connection, Self::Error>;

    /// Asks the server for a reply that is always small and always allowed.
    fn probe(
        &self,
        connection: &mut Self::Connection,
        deadline: Deadline,
    ) -> Result<(), Self::Error>;

    /// The server that connections lead to.
    fn peer(&self) -> Peer;

    /// The time by which connections age. Tests have their own.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// A connection that waits in the pool between operations.
pub(crate) trait Connection {
    /// Whether it can be used, as far as can be told without a request to the server.
    fn is_idle(&mut self) -> bool;
}

/// A limited number of connections, opened when they are needed. Callers are served in the order in
/// which they come.
///
/// A forked child has a pool of its own: connections of another process are never used.
pub(crate) struct Pool<C: Connect> {
    connect: C,
    size: usize,
    /// How old a connection gets at most, before jitter.
    max_age: Option<Duration>,
    seed: u64,
    rolls: AtomicU64,
    /// Whether a transfer that may be large lost its connection, and no operation succeeded since.
    lost: AtomicBool,
    state: PerProcess<Mutex<State<C::Connection>>>,
}

impl<C: Connect> Pool<C> {
    /// A pool that has not opened any connection yet.
    pub(crate) fn new(connect: C, limits: Limits) -> Self {
        Self {
            connect,
            size: limits.pool_size(),
            max_age: limits.max_connection_age,
            seed: RandomState::new().hash_one(()),
            rolls: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            state: PerProcess::new(),
        }
    }

    /// The connector of the pool.
    #[cfg(feature = "redis")]
    pub(crate) fn connector(&self) -> &C {
        &self.connect
    }

    /// Runs an operation on a connection, and once more on a fresh one where the failure on a pooled
    /// one is worth it. All of it ends by `deadline`. A loss that is the fault of the entry is
    /// [`NetError::EntryRefused`].
    pub(crate) fn run<T>(
        &self,
        work: impl Into<Work>,
        deadline: Deadline,
        mut operation: impl FnMut(&mut C::Connection, Deadline) -> Result<T, C::Error>,
    ) -> Result<T, C::Error> {
        let mut attempts = Attempts::new(work);
        let mut lease = self.lease(deadline)?;
        if let Some(connection) = lease.pooled() {
            match operation(connection, deadline) {
                Err(error) if attempts.retry_after(&error) => {}
                done => {
                    let done = lease.diagnose(done, &attempts, deadline);
                    return lease.settle(done);
                }
            }
        }
        let done = operation(lease.fresh(deadline)?, deadline);
        let done = lease.diagnose(done, &attempts, deadline);
        if attempts.outdate_others(&done) {
            lease.outdate_others();
        }
        lease.settle(done)
    }

    /// Closes all connections: idle ones now, those in use when they are returned. For when the server
    /// is known to have been replaced.
    pub(crate) fn retire(&self) {
        let retired = self.state().lock().retire();
        // Closing a socket is a system call: not under the lock.
        drop(retired);
    }

    /// Takes the permit to use a connection, and an idle one if there is any. Callers that have to
    /// wait get it in the order in which they came.
    ///
    /// For operations that need several connections at once; [`run`](Self::run) is for the rest.
    pub(crate) fn lease(&self, deadline: Deadline) -> Result<Lease<'_, C>, C::Error> {
        let state = self.state();
        let turn = state.lock().enter(self.size);
        let (connection, queued) = match turn {
            Turn::Now(connection) => (connection, false),
            Turn::Later(ticket) => {
                let handed = self.wait(state, &ticket, deadline);
                (handed.ok_or_else(|| self.busy(deadline))?, true)
            }
        };
        let left = deadline.remaining();
        let mut lease = Lease {
            pool: self,
            state,
            connection,
            keep: false,
            deadline,
            rushed: queued && left.unwrap_or_default() < deadline.total() / 2,
        };
        if left.is_some() {
            return Ok(lease);
        }
        // Nothing can be done on it, which is not its fault.
        lease.keep = true;
        Err(match queued {
            true => self.busy(deadline),
            false => NetError::TimedOut {
                server: self.connect.peer(),
                after: deadline.total(),
            }
            .into(),
        })
    }

    /// Waits for a permit, and the connection that may come with it; `None` where none comes in time.
    fn wait(
        &self,
        state: &Mutex<State<C::Connection>>,
        ticket: &Ticket<C::Connection>,
        deadline: Deadline,
    ) -> Option<Option<Pooled<C::Connection>>> {
        let left = deadline.remaining().unwrap_or_default();
        if let Ok(handed) = ticket.handed.recv_timeout(left) {
            return Some(handed);
        }
        match state.lock().leave(ticket) {
            true => None,
            // It was handed over in this very moment.
            false => ticket.handed.try_recv().ok(),
        }
    }

    fn busy(&self, deadline: Deadline) -> C::Error {
        let busy = NetError::PoolTimedOut {
            server: self.connect.peer(),
            size: Some(self.size),
            after: deadline.total(),
        };
        busy.into()
    }

    fn state(&self) -> &Mutex<State<C::Connection>> {
        self.state.get(|inherited| {
            // Closed without a word to the server, which serves the parent on them. Where a thread of
            // the parent held the lock, they stay open until this process ends.
            if let Some(mut inherited) = inherited.try_lock() {
                drop(inherited.retire());
            }
        })
    }

    /// When a connection that is opened now is too old: after three quarters of the age to all of it,
    /// so that connections that were opened together do not end together.
    fn expiry(&self) -> Option<Instant> {
        let age = self.max_age?;
        let roll = self.seed ^ self.rolls.fetch_add(1, Relaxed).rotate_left(32);
        let less = age / 4 * (Random::new(roll).next() >> 48) as u32 / (1 << 16);
        self.connect.now().checked_add(age - less)
    }

    #[cfg(test)]
    fn counts(&self) -> (usize, usize) {
        self.state().lock().counts()
    }
}

/// The permit to use one connection. Returned on drop, with the connection only if that is to be kept:
/// a panic in the operation closes it.
pub(crate) struct Lease<'p, C: Connect> {
    pool: &'p Pool<C>,
    state: &'p Mutex<State<C::Connection>>,
    connection: Option<Pooled<C::Connection>>,
    keep: bool,
    deadline: Deadline,
    /// Whether more than half of the deadline passed in the queue of the pool.
    rushed: bool,
}

impl<C: Connect> Lease<'_, C> {
    /// The pooled connection, unless there is none that is fit for use.
    pub(crate) fn pooled(&mut self) -> Option<&mut C::Connection> {
        // A server that went away leaves a pool of dead ones: all of them are passed over.
        while let Some(pooled) = &mut self.connection {
            let is_old = pooled
                .expires
                .is_some_and(|expires| expires <= self.pool.connect.now());
            if !is_old && pooled.connection.is_idle() {
                break;
            }
            let another = self.state.lock().another();
            self.connection = another;
        }
        self.connection()
    }

    /// A connection that was opened just now, in place of any other.
    pub(crate) fn fresh(&mut self, deadline: Deadline) -> Result<&mut C::Connection, C::Error> {
        self.connection = None;
        let generation = self.state.lock().generation();
        let connection = match self.pool.connect.connect(deadline) {
            Ok(connection) => connection,
            Err(error) => return Err(self.blame(error)),
        };
        let pooled = Pooled {
            connection: Box::new(connection),
            generation,
            expires: self.pool.expiry(),
        };
        Ok(&mut self.connection.insert(pooled).connection)
    }

    /// The connection that was returned last, if there is one.
    pub(crate) fn connection(&mut self) -> Option<&mut C::Connection> {
        self.connection
            .as_mut()
            .map(|pooled| &mut *pooled.connection)
    }

    /// Closes all connections of the pool but this one.
    fn outdate_others(&mut self) {
        let mut state = self.state.lock();
        let retired = state.retire();
        if let Some(pooled) = &mut self.connection {
            pooled.generation = state.generation();
        }
        drop(state);
        drop(retired);
    }

    /// The outcome of an operation, with [`NetError::EntryRefused`] for a second loss in a row of a
    /// transfer that may be large, if the server then answers a probe on a fresh connection.
    ///
    /// The earlier loss of another operation counts as well: without a pooled connection there is one
    /// attempt each.
    pub(crate) fn diagnose<T>(
        &mut self,
        done: Result<T, C::Error>,
        attempts: &Attempts,
        deadline: Deadline,
    ) -> Result<T, C::Error> {
        let pool = self.pool;
        if let Err(error) = &done
            && attempts.may_be_too_large(error)
            && (pool.lost.swap(true, Relaxed) || attempts.has_lost_a_connection())
            && self.is_answered(deadline)
        {
            let server = pool.connect.peer();
            return Err(NetError::EntryRefused { server }.into());
        }
        // A write of a shared line slows down other processors.
        if done.is_ok() && pool.lost.load(Relaxed) {
            pool.lost.store(false, Relaxed);
        }
        done
    }

    /// Whether the server answers a probe on a fresh connection, which replaces that of the lease.
    fn is_answered(&mut self, deadline: Deadline) -> bool {
        let connect = &self.pool.connect;
        let fresh = self.fresh(deadline);
        fresh.is_ok_and(|connection| connect.probe(connection, deadline).is_ok())
    }

    /// Ends the use of the connection by an operation that ended so.
    pub(crate) fn settle<T>(&mut self, done: Result<T, C::Error>) -> Result<T, C::Error> {
        let done = done.map_err(|error| self.blame(error));
        self.end(
            done.as_ref()
                .map_or_else(ConnectionError::disposition, |_| Disposition::Reuse),
        );
        done
    }

    /// Ends the use of the connection, with this disposition.
    pub(crate) fn end(&mut self, disposition: Disposition) {
        match disposition {
            Disposition::Reuse | Disposition::Replaced => self.keep = true,
            Disposition::Close | Disposition::Lost => {}
            Disposition::Silent => self.pool.retire(),
        }
    }

    /// The error as it is told. Where an operation spent most of its time in the queue, a late answer is
    /// not the fault of the server.
    pub(crate) fn blame(&self, error: C::Error) -> C::Error {
        match self.rushed && error.disposition() == Disposition::Silent {
            true => self.pool.busy(self.deadline),
            false => error,
        }
    }
}

impl<C: Connect> Drop for Lease<'_, C> {
    fn drop(&mut self) {
        let connection = self.connection.take();
        let (returned, discarded) = match self.keep {
            true => (connection, None),
            false => (None, connection),
        };
        let outdated = self.state.lock().give_back(returned);
        // Closing a socket is a system call: not under the lock.
        drop((discarded, outdated));
    }
}

#[cfg(test)]
mod tests;
