//! One connection that many callers share: requests are pipelined.

use super::{
    super::{Deadline, NetError, Parser, Peer},
    driver::Driver,
    sent::Sent,
    stream::{AsyncStream, DirectWriter},
};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    io, mem,
    sync::Arc,
    task::Waker,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, futures::Notified, oneshot},
    time::timeout_at,
};

/// Bytes of requests that wait to be sent; callers wait while there are more.
const MAX_QUEUED: usize = 4 << 20;
/// The time without a request after which a caller looks at the connection before it writes.
const IDLE: Duration = Duration::from_millis(1);

/// A parser whose replies can go to other tasks.
pub(crate) trait SharedParser:
    Parser<Expected: Copy + Send, Reply: Send, Error: Clone + Send + Sync> + Send + 'static
{
}

impl<P> SharedParser for P where
    P: Parser<Expected: Copy + Send, Reply: Send, Error: Clone + Send + Sync> + Send + 'static
{
}

/// A connection that many tasks share.
///
/// It is closed when the last handle is dropped and the replies to all requests are read.
pub(crate) struct Multiplexed<P: SharedParser>(Arc<Handle<P>>);

/// The last handle ends the driver.
struct Handle<P: SharedParser>(Arc<Shared<P>>);

/// The parts of a connection that its callers and its driver share.
pub(super) struct Shared<P: SharedParser> {
    pub(super) peer: Peer,
    state: Mutex<State<P>>,
    writer: DirectWriter,
    /// Notified when there is room for requests, and at the end of the connection.
    room: Notify,
}

struct State<P: SharedParser> {
    /// The bytes of requests that the driver has not taken yet.
    requests: Vec<u8>,
    /// The calls that the driver has not taken yet, in the order of their requests.
    calls: Vec<Call<P>>,
    /// The number of all calls without a reply, those that the driver has taken included.
    in_flight: usize,
    /// The number of all calls. They end in their order.
    queued: u64,
    /// The tasks that wait for the end of a call, by its number.
    waiting: Vec<(u64, oneshot::Sender<()>)>,
    /// When replies arrived last.
    last_reply: Instant,
    /// Whether at most one call was in flight when replies arrived last.
    is_quiet: bool,
    /// The driver looks at deadlines at this instant, or earlier.
    watched: Option<Instant>,
    /// Whether the last handle is dropped.
    closing: bool,
    /// The error of all further calls.
    closed: Option<P::Error>,
    driver: Option<Waker>,
}

/// The result of a call.
type Reply<P> = Result<<P as Parser>::Reply, <P as Parser>::Error>;

/// A request without a reply.
pub(super) struct Call<P: SharedParser> {
    pub(super) expected: P::Expected,
    pub(super) deadline: Deadline,
    /// The number of reads of the driver before this call.
    pub(super) reads: u64,
    /// `None` once the caller has its result. The reply that comes then is dropped.
    pub(super) caller: Option<oneshot::Sender<Reply<P>>>,
}

impl<P: SharedParser> Call<P> {
    /// Gives the caller its result, unless the caller is gone or has one.
    pub(super) fn end(&mut self, reply: Reply<P>) {
        if let Some(caller) = self.caller.take() {
            // A caller that was dropped needs no reply.
            let _ = caller.send(reply);
        }
    }
}

/// The error of a call.
pub(crate) enum CallError<E> {
    /// The connection was closed before the request was queued: nothing was sent.
    Closed,
    /// The call failed.
    Failed(E),
}

enum Queued<P: SharedParser> {
    /// With the number of the call.
    Yes(oneshot::Receiver<Reply<P>>, u64),
    /// There is no room, or the driver has to meet the end of the connection first.
    Wait,
    Closed,
}

impl<P: SharedParser> Multiplexed<P> {
    /// Starts the driver of `stream` on the current runtime.
    pub(crate) fn start(stream: AsyncStream, parser: P, peer: Peer) -> Self {
        let shared = Arc::new(Shared {
            peer,
            state: Mutex::new(State {
                requests: Vec::new(),
                calls: Vec::new(),
                in_flight: 0,
                queued: 0,
                waiting: Vec::new(),
                last_reply: Instant::now(),
                is_quiet: true,
                watched: None,
                closing: false,
                closed: None,
                driver: None,
            }),
            writer: stream.direct_writer(),
            room: Notify::new(),
        });
        tokio::spawn(Driver::new(stream, parser, shared.clone()).run());
        Self(Arc::new(Handle(shared)))
    }

    /// Sends `request` and returns the reply to it.
    ///
    /// Dropping the future is safe at any point: a request that is queued is sent as a whole, and the
    /// reply to it is dropped.
    pub(crate) async fn call(
        &self,
        request: &[u8],
        expected: P::Expected,
        deadline: Deadline,
    ) -> Result<P::Reply, CallError<P::Error>> {
        self.call_and(request, expected, deadline, drop).await
    }

    /// [`call`](Self::call), which passes the request to `sent` once it is queued.
    pub(super) async fn call_and(
        &self,
        request: &[u8],
        expected: P::Expected,
        deadline: Deadline,
        sent: impl FnOnce(Sent<P>),
    ) -> Result<P::Reply, CallError<P::Error>> {
        let shared = &*self.0.0;
        let reply = loop {
            // Before the attempt: it then gets every later notification.
            let room = shared.room.notified();
            match shared.queue(request, expected, deadline) {
                Queued::Yes(reply, number) => {
                    sent(self.sent(number));
                    break reply;
                }
                Queued::Closed => return Err(CallError::Closed),
                Queued::Wait => shared.wait(room, deadline).await?,
            }
        };
        match reply.await {
            Ok(reply) => reply.map_err(CallError::Failed),
            // The runtime of the driver has ended.
            Err(_) => Err(CallError::Failed(shared.lost(io::ErrorKind::NotConnected))),
        }
    }

    /// The last request that was queued; `None` if there is none under way.
    pub(super) fn last_sent(&self) -> Option<Sent<P>> {
        let state = self.0.0.state.lock();
        let number = (state.in_flight > 0).then_some(state.queued)?;
        drop(state);
        Some(self.sent(number))
    }

    fn sent(&self, number: u64) -> Sent<P> {
        Sent::new(Arc::downgrade(&self.0.0), number)
    }

    /// The error of a call on a connection that belongs to its caller alone.
    pub(crate) fn error(&self, error: CallError<P::Error>) -> P::Error {
        match error {
            CallError::Failed(error) => error,
            CallError::Closed => self.0.0.error(),
        }
    }

    /// Whether no further request can be sent.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.0.state.lock().closed.is_some()
    }

    /// Closes the connection: its replies are no longer those to its requests.
    pub(crate) fn close(&self) {
        let shared = &self.0.0;
        shared.close(shared.lost(io::ErrorKind::ConnectionAborted));
    }

    /// Whether both are the same connection.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<P: SharedParser> State<P> {
    /// The number of the last call that has ended.
    fn ended(&self) -> u64 {
        self.queued - self.in_flight as u64
    }

    fn has_ended(&self, number: u64) -> bool {
        self.closed.is_some() || number <= self.ended()
    }
}

impl<P: SharedParser> Clone for Multiplexed<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: SharedParser> Drop for Handle<P> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.closing = true;
        let driver = state.driver.take();
        drop(state);
        driver.into_iter().for_each(Waker::wake);
    }
}

impl<P: SharedParser> Shared<P> {
    /// The signal of the end of a call, which drops its sender; `None` after that.
    pub(super) fn end_of(&self, number: u64) -> Option<oneshot::Receiver<()>> {
        let mut state = self.state.lock();
        if state.has_ended(number) {
            return None;
        }
        let (sender, end) = oneshot::channel();
        // Without those of callers that were dropped.
        state.waiting.retain(|(_, waiting)| !waiting.is_closed());
        state.waiting.push((number, sender));
        Some(end)
    }

    /// Whether a call has its reply, or can get none any more.
    pub(super) fn has_ended(&self, number: u64) -> bool {
        self.state.lock().has_ended(number)
    }

    fn queue(&self, request: &[u8], expected: P::Expected, deadline: Deadline) -> Queued<P> {
        let mut state = self.state.lock();
        if state.closed.is_some() {
            return Queued::Closed;
        }
        if state.in_flight == 0 && state.last_reply.elapsed() >= IDLE && !self.writer.is_idle() {
            // The peer closed the connection, or sent bytes that belong to no request, and the driver had
            // no turn since. It closes the connection then, with the reason that the peer may have sent.
            return Queued::Wait;
        }
        if !state.requests.is_empty() && state.requests.len() + request.len() > MAX_QUEUED {
            return Queued::Wait;
        }
        let (caller, reply) = oneshot::channel();
        state.calls.push(Call {
            expected,
            deadline,
            reads: 0,
            caller: Some(caller),
        });
        state.in_flight += 1;
        state.queued += 1;
        let number = state.queued;
        // A lone caller writes at once: the driver needs no turn before that. Several callers have the
        // driver send their requests in one system call.
        let written = match state.in_flight {
            1 if state.is_quiet => self.writer.write_now(request),
            _ => 0,
        };
        state.requests.extend_from_slice(&request[written..]);
        let is_watched = state.watched.is_some_and(|at| at <= deadline.at());
        let driver = match state.requests.is_empty() && is_watched {
            // The reply wakes it.
            true => None,
            false => state.driver.take(),
        };
        drop(state);
        driver.into_iter().for_each(Waker::wake);
        Queued::Yes(reply, number)
    }

    async fn wait(
        &self,
        room: Notified<'_>,
        deadline: Deadline,
    ) -> Result<(), CallError<P::Error>> {
        let waited = timeout_at(deadline.at().into(), room).await;
        waited.map_err(|_| {
            let busy = NetError::PoolTimedOut {
                server: self.peer.clone(),
                size: None,
                after: deadline.total(),
            };
            CallError::Failed(busy.into())
        })
    }

    /// Moves queued requests and calls to the driver, which the next ones wake. `None` at the end of the
    /// connection; otherwise the instant by which the driver has to look at deadlines.
    pub(super) fn take(
        &self,
        requests: &mut Vec<u8>,
        calls: &mut VecDeque<Call<P>>,
        waker: &Waker,
    ) -> Option<Option<Instant>> {
        let mut state = self.state.lock();
        if state.closed.is_some() || (state.closing && state.in_flight == 0) {
            return None;
        }
        let watched = state.calls.iter().map(|call| call.deadline.at()).min();
        state.watched = [state.watched, watched].into_iter().flatten().min();
        calls.extend(state.calls.drain(..));
        let has_room = requests.is_empty() && !state.requests.is_empty();
        if has_room {
            mem::swap(requests, &mut state.requests);
        }
        match &mut state.driver {
            Some(driver) => driver.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        let watched = state.watched;
        drop(state);
        if has_room {
            self.room.notify_waiters();
        }
        Some(watched)
    }

    /// Takes in that so many calls got their replies.
    pub(super) fn ended(&self, calls: usize) {
        let mut state = self.state.lock();
        state.last_reply = Instant::now();
        state.is_quiet = state.in_flight <= 1;
        state.in_flight -= calls;
        if !state.waiting.is_empty() {
            let ended = state.ended();
            // Their drop ends the waits.
            state.waiting.retain(|(number, _)| *number > ended);
        }
    }

    /// Takes in the instant at which the driver looks at deadlines next.
    pub(super) fn watch(&self, at: Option<Instant>) {
        self.state.lock().watched = at;
    }

    /// Closes the connection: every call without a reply fails with `error`, unless it is closed
    /// already.
    pub(super) fn close(&self, error: P::Error) {
        let mut state = self.state.lock();
        let error = state.closed.get_or_insert(error).clone();
        let calls = mem::take(&mut state.calls);
        let requests = mem::take(&mut state.requests);
        let waiting = mem::take(&mut state.waiting);
        let driver = state.driver.take();
        drop(state);
        drop(waiting);
        for mut call in calls {
            call.end(Err(error.clone()));
        }
        drop(requests);
        self.room.notify_waiters();
        driver.into_iter().for_each(Waker::wake);
    }

    /// The error of calls that the driver has taken and that have no reply at the end of the connection.
    pub(super) fn error(&self) -> P::Error {
        let closed = self.state.lock().closed.clone();
        closed.unwrap_or_else(|| self.lost(io::ErrorKind::NotConnected))
    }

    pub(super) fn lost(&self, kind: io::ErrorKind) -> P::Error {
        let server = self.peer.clone();
        NetError::Lost { server, kind }.into()
    }
}
