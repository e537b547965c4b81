//! The connections that tasks share to one server.

use super::{
    super::{
        Attempts, ConnectionError, Deadline, Disposition, LARGE, Limits, NetError, Parser, Peer,
        Work,
    },
    entry::{Entry, Opening},
    large_reads::{LargeReads, ReadId},
    large_writes::LargeWrites,
    multiplexed::{CallError, Multiplexed, SharedParser},
    sent::Sent,
};
use crate::random::Random;
use parking_lot::Mutex;
use std::{
    hash::{BuildHasher, RandomState},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::{self, Handle},
    sync::watch,
    time::timeout_at,
};

/// Opens connections for async callers.
pub(crate) trait AsyncConnect: Send + Sync + 'static {
    /// The parser of the replies.
    type Parser: SharedParser;

    /// Opens a connection, ready for use, on the current runtime.
    fn connect(
        &self,
    ) -> impl Future<Output = Result<Multiplexed<Self::Parser>, ErrorOf<Self>>> + Send;

    /// Whether the server replies to a request whose reply is always small.
    fn probe(
        &self,
        connection: &Multiplexed<Self::Parser>,
        deadline: Deadline,
    ) -> impl Future<Output = bool> + Send;

    /// The server that connections lead to.
    fn peer(&self) -> Peer;
}

type ReplyOf<C> = <<C as AsyncConnect>::Parser as Parser>::Reply;
type ExpectedOf<C> = <<C as AsyncConnect>::Parser as Parser>::Expected;
type ErrorOf<C> = <<C as AsyncConnect>::Parser as Parser>::Error;

/// A few connections to one server, opened when they are needed. Small writes of a key are always on the
/// same one, so that the server runs them in their order, also if the caller of the first is dropped.
///
/// Reads may be on any: an operation that has ended was run by the server before the next one is sent. So
/// reads of values that were large at the last time have the last connection, if there are several, and
/// small values do not wait behind them. Nor behind large writes, which have it as well, in the order that
/// [`LargeWrites`] keeps.
///
/// A connection belongs to the runtime on which it was opened, and only callers on that runtime use it:
/// a runtime that has ended, or that nothing drives, holds up no other.
pub(crate) struct Connections<C: AsyncConnect> {
    connect: Arc<C>,
    slots: Arc<[Slot<C::Parser>]>,
    /// For each slot whether a transfer that may be large lost a connection, and no operation of the slot
    /// succeeded since.
    lost: Box<[AtomicBool]>,
    max_age: Option<Duration>,
    large_reads: LargeReads,
    large_writes: LargeWrites<C::Parser>,
}

type Slot<P> = Mutex<Vec<(runtime::Id, Entry<P>)>>;

impl<C: AsyncConnect> Connections<C> {
    /// Connections that are not opened yet.
    pub(crate) fn new(connect: C, limits: Limits) -> Self {
        let count = limits.shared_connections();
        Self {
            connect: Arc::new(connect),
            slots: (0..count).map(|_| Slot::default()).collect(),
            lost: (0..count).map(|_| AtomicBool::new(false)).collect(),
            max_age: limits.max_connection_age,
            large_reads: LargeReads::new(),
            large_writes: LargeWrites::new(),
        }
    }

    /// The number of connections for keys.
    pub(crate) fn len(&self) -> usize {
        (self.slots.len() - 1).max(1)
    }

    /// Sends a request on the connection at `index`, or on that of large values, and makes `T` of the
    /// replies, by `deadline`. As the blocking pool, retries once on a fresh connection if the failure is
    /// worth it. `read` fails if no such server sends such replies.
    pub(crate) async fn run<T>(
        &self,
        index: usize,
        request: Outgoing<'_, ExpectedOf<C>>,
        deadline: Deadline,
        read: impl Fn(ReplyOf<C>) -> Result<T, ErrorOf<C>>,
    ) -> Result<T, ErrorOf<C>> {
        let large = self.slots.len() - 1;
        let route = |index, home| Route { index, home };
        if !request.work.is_read() {
            let is_large = request.bytes.len() >= LARGE;
            let route = route(if is_large { large } else { index }, Some(index));
            return self.run_on(route, request, deadline, read).await;
        }
        let id = ReadId::of(request.bytes);
        let is_large = self.large_reads.expects(id, request.bytes);
        let route = route(if is_large { large } else { index }, None);
        let read = |reply| {
            self.large_reads.note(id, C::Parser::size(&reply));
            read(reply)
        };
        self.run_on(route, request, deadline, read).await
    }

    async fn run_on<T>(
        &self,
        route: Route,
        request: Outgoing<'_, ExpectedOf<C>>,
        deadline: Deadline,
        read: impl Fn(ReplyOf<C>) -> Result<T, ErrorOf<C>>,
    ) -> Result<T, ErrorOf<C>> {
        let index = route.index;
        let mut attempts = Attempts::new(request.work);
        let (done, is_fresh, connection) = self.attempt(route, &request, deadline, &read).await?;
        let (done, connection) = match done {
            Err(error) if !is_fresh && attempts.retry_after(&error) => {
                self.settle::<()>(&connection, Err(error)).ok();
                self.forget(index, &connection);
                let (done, _, fresh) = self.attempt(route, &request, deadline, &read).await?;
                if attempts.outdate_others(&done) {
                    self.retire_others(&fresh);
                }
                (done, fresh)
            }
            done => (done, connection),
        };
        let done = self.settle(&connection, done);
        let lost = &self.lost[index];
        match &done {
            Err(error) if attempts.may_be_too_large(error) => {
                let before = lost.load(Relaxed);
                self.lost.iter().for_each(|lost| lost.store(true, Relaxed));
                let is_suspect = before || attempts.has_lost_a_connection();
                match is_suspect && attempts.is_repeatable() {
                    true => self.isolate(&request, deadline, read).await.unwrap_or(done),
                    false => done,
                }
            }
            Ok(_) if lost.load(Relaxed) => {
                lost.store(false, Relaxed);
                done
            }
            _ => done,
        }
    }

    /// Sends a request, whose connection was lost twice, on a connection of its own: other requests on
    /// a shared one may have caused the loss. [`NetError::EntryRefused`] if that is lost as well and
    /// the server answers a probe. `None` without a connection.
    async fn isolate<T>(
        &self,
        request: &Outgoing<'_, ExpectedOf<C>>,
        deadline: Deadline,
        read: impl Fn(ReplyOf<C>) -> Result<T, ErrorOf<C>>,
    ) -> Option<Result<T, ErrorOf<C>>> {
        let at = deadline.at().into();
        let own = timeout_at(at, self.connect.connect()).await.ok()?.ok()?;
        let reply = own.call(request.bytes, request.expected, deadline).await;
        let done = reply.map_err(|error| own.error(error)).and_then(read);
        if done.as_ref().map_err(ConnectionError::disposition).err() != Some(Disposition::Lost) {
            return Some(done);
        }
        let own = timeout_at(at, self.connect.connect()).await.ok()?.ok()?;
        let is_answered = self.connect.probe(&own, deadline).await;
        let server = self.connect.peer();
        is_answered.then(|| Err(NetError::EntryRefused { server }.into()))
    }

    /// Sends a request on its connection, which is opened if there is none. Also returns whether it was
    /// opened for this request.
    async fn attempt<T>(
        &self,
        route: Route,
        request: &Outgoing<'_, ExpectedOf<C>>,
        deadline: Deadline,
        read: impl Fn(ReplyOf<C>) -> Result<T, ErrorOf<C>>,
    ) -> Result<(Result<T, ErrorOf<C>>, bool, Multiplexed<C::Parser>), ErrorOf<C>> {
        let Route { index, home } = route;
        loop {
            let (connection, is_fresh) = self.connection(index, deadline).await?;
            self.wait_for_earlier_writes(route, deadline).await?;
            let sent = |sent| {
                if let (Some(home), Ok(runtime)) = (home, Handle::try_current())
                    && home != index
                {
                    self.large_writes.add(runtime.id(), home, sent);
                }
            };
            let reply = connection.call_and(request.bytes, request.expected, deadline, sent);
            let done = match reply.await {
                Ok(reply) => read(reply),
                Err(CallError::Failed(error)) => Err(error),
                // A server that closes each connection at once must not be called in a loop.
                Err(error @ CallError::Closed) if is_fresh => Err(connection.error(error)),
                // Nothing was sent, so that this is no attempt.
                Err(CallError::Closed) => {
                    self.forget(index, &connection);
                    continue;
                }
            };
            return Ok((done, is_fresh, connection));
        }
    }

    /// Waits until no write is under way that has to come before this request.
    async fn wait_for_earlier_writes(
        &self,
        route: Route,
        deadline: Deadline,
    ) -> Result<(), ErrorOf<C>> {
        let (Some(home), Ok(runtime)) = (route.home, Handle::try_current()) else {
            return Ok(());
        };
        let earlier = match home == route.index {
            true => self.large_writes.under_way(runtime.id(), home),
            false => self.last_sent(runtime.id(), home),
        };
        match earlier {
            Some(earlier) if !earlier.ended(deadline).await => Err(self.timed_out(deadline)),
            _ => Ok(()),
        }
    }

    /// The last request under way on the connection at `index`.
    fn last_sent(&self, runtime: runtime::Id, index: usize) -> Option<Sent<C::Parser>> {
        let entries = self.slots[index].lock();
        match entries.iter().find(|(own, _)| *own == runtime)? {
            (_, Entry::Open(open)) => open.connection.last_sent(),
            // Its callers have sent nothing.
            (_, Entry::Opening(_)) => None,
        }
    }

    /// Ends the use of a connection by an operation that ended so.
    fn settle<T>(
        &self,
        connection: &Multiplexed<C::Parser>,
        done: Result<T, ErrorOf<C>>,
    ) -> Result<T, ErrorOf<C>> {
        match done.as_ref().map_err(ConnectionError::disposition) {
            Ok(_) | Err(Disposition::Reuse | Disposition::Replaced) => {}
            Err(Disposition::Close | Disposition::Lost) => connection.close(),
            // A connection with late replies goes on; one without any is closed, and the others may
            // lead to the same dead end.
            Err(Disposition::Silent) if connection.is_closed() => self.retire(),
            Err(Disposition::Silent) => {}
        }
        done
    }

    /// The connection at `index` on the current runtime, and whether it was opened for this caller.
    async fn connection(
        &self,
        index: usize,
        deadline: Deadline,
    ) -> Result<(Multiplexed<C::Parser>, bool), ErrorOf<C>> {
        let Ok(runtime) = Handle::try_current() else {
            return Err(self.unreachable("there is no tokio runtime"));
        };
        let mut opening = match self.slot(index, &runtime) {
            Entry::Open(Opening { connection, .. }) => return Ok((connection, false)),
            Entry::Opening(opening) => opening,
        };
        let opened = opening.wait_for(Option::is_some);
        let opened = match timeout_at(deadline.at().into(), opened).await {
            Ok(Ok(opened)) => opened.clone(),
            Ok(Err(_)) => None,
            Err(_) => return Err(self.timed_out(deadline)),
        };
        match opened {
            Some(opened) => opened.map(|connection| (connection, true)),
            None => Err(self.unreachable("its runtime ended")),
        }
    }

    /// The entry at `index` for this runtime; a new attempt to connect if there is none.
    fn slot(&self, index: usize, runtime: &Handle) -> Entry<C::Parser> {
        let slot = &self.slots[index];
        let mut entries = slot.lock();
        let id = runtime.id();
        if let Some((_, entry)) = entries.iter().find(|(own, _)| *own == id)
            && entry.is_usable()
        {
            return entry.clone();
        }
        let mut retired = Vec::new();
        entries.retain_mut(|(own, entry)| {
            let keep = *own != id && !entry.is_over();
            if !keep {
                retired.push(entry.clone());
            }
            keep
        });
        let (opened, opening) = watch::channel(None);
        let entry = Entry::Opening(opening);
        entries.push((id, entry.clone()));
        drop(entries);
        drop(retired);
        let (connect, slots, expires) = (self.connect.clone(), self.slots.clone(), self.expiry());
        runtime.spawn(async move {
            let connected = connect.connect().await;
            let mut entries = slots[index].lock();
            // Unless the connections were retired meanwhile.
            let is_own = |(own, entry): &&mut (runtime::Id, Entry<C::Parser>)| {
                *own == id && matches!(entry, Entry::Opening(_))
            };
            if let Some((_, entry)) = entries.iter_mut().find(is_own)
                && let Ok(connection) = &connected
            {
                let connection = connection.clone();
                *entry = Entry::Open(Opening {
                    connection,
                    expires,
                });
            }
            drop(entries);
            let _ = opened.send(Some(connected));
        });
        entry
    }

    /// Has later operations open another connection in place of this one.
    fn forget(&self, index: usize, connection: &Multiplexed<C::Parser>) {
        let is_it = |entry: &Entry<C::Parser>| match entry {
            Entry::Open(open) => open.connection.is(connection),
            Entry::Opening(_) => false,
        };
        self.slots[index].lock().retain(|(_, entry)| !is_it(entry));
    }

    /// Has later operations open other connections. Requests under way get their replies.
    fn retire(&self) {
        for slot in &*self.slots {
            slot.lock().clear();
        }
    }

    /// The same for all connections but one.
    fn retire_others(&self, kept: &Multiplexed<C::Parser>) {
        for slot in &*self.slots {
            slot.lock().retain(|(_, entry)| match entry {
                Entry::Open(open) => open.connection.is(kept),
                Entry::Opening(_) => true,
            });
        }
    }

    /// The end of a connection that is opened now: after three quarters of the age to all of it, so that
    /// connections that were opened together do not end together.
    fn expiry(&self) -> Option<Instant> {
        let age = self.max_age?;
        let roll = RandomState::new().hash_one(());
        let less = age / 4 * (Random::new(roll).next() >> 48) as u32 / (1 << 16);
        Instant::now().checked_add(age - less)
    }

    fn timed_out(&self, deadline: Deadline) -> ErrorOf<C> {
        let late = NetError::TimedOut {
            server: self.connect.peer(),
            after: deadline.total(),
        };
        late.into()
    }

    fn unreachable(&self, why: &str) -> ErrorOf<C> {
        let none = NetError::Unreachable {
            server: self.connect.peer(),
            kind: io::ErrorKind::NotConnected,
            why: why.to_owned(),
        };
        none.into()
    }
}

/// The connections of a request.
#[derive(Clone, Copy)]
struct Route {
    /// The index of its connection.
    index: usize,
    /// The index of the connection of its keys, for a write.
    home: Option<usize>,
}

/// A request on its way to [`Connections::run`].
pub(crate) struct Outgoing<'r, E> {
    pub(crate) bytes: &'r [u8],
    pub(crate) expected: E,
    pub(crate) work: Work,
}
