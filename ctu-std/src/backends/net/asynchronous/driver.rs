//! The task that writes requests to a connection and reads the replies.

use super::{
    super::{ConnectionError, Disposition, NetError},
    multiplexed::{Call, Shared, SharedParser},
    stream::AsyncStream,
};
use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use tokio::time::{Sleep, sleep_until};

/// The bytes that the driver reads before other tasks have a turn.
const TURN: usize = 128 << 10;

/// The task that reads and writes one connection.
///
/// It always reads, also while its writing is blocked: a server may stop reading until its replies are
/// read.
pub(super) struct Driver<P: SharedParser> {
    stream: AsyncStream,
    parser: P,
    shared: Arc<Shared<P>>,
    /// The requests under way, and the number of their bytes that are sent.
    requests: Vec<u8>,
    sent: usize,
    /// Whether other tasks had a turn to add their requests to these.
    has_yielded: bool,
    /// The calls without a reply, the oldest first.
    calls: VecDeque<Call<P>>,
    /// Replies on their way to these calls.
    replies: Vec<Result<P::Reply, P::Error>>,
    /// The number of reads.
    reads: u64,
}

impl<P: SharedParser> Driver<P> {
    pub(super) fn new(stream: AsyncStream, parser: P, shared: Arc<Shared<P>>) -> Self {
        Self {
            stream,
            parser,
            shared,
            requests: Vec::new(),
            sent: 0,
            has_yielded: false,
            calls: VecDeque::new(),
            replies: Vec::new(),
            reads: 0,
        }
    }

    /// Runs until the end of the connection.
    pub(super) async fn run(mut self) {
        let mut alarm = pin!(sleep_until(Instant::now().into()));
        let end = poll_fn(|context| self.poll(context, alarm.as_mut())).await;
        if let Some(error) = end {
            self.shared.close(error);
        }
    }

    /// `Ready` at the end of the connection, with its error unless the connection is closed already.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        mut alarm: Pin<&mut Sleep>,
    ) -> Poll<Option<P::Error>> {
        let lost = |driver: &Self, error: &io::Error| {
            let server = driver.shared.peer.clone();
            let lost = NetError::talking(server, Default::default(), error);
            Poll::Ready(Some(lost.into()))
        };
        let mut in_turn = 0;
        loop {
            let mut has_progress = false;
            match self.stream.poll_read(context, self.parser.room()) {
                Poll::Pending => {}
                Poll::Ready(Ok(0)) => return lost(self, &io::ErrorKind::UnexpectedEof.into()),
                Poll::Ready(Ok(read)) => {
                    self.parser.filled(read);
                    in_turn += read;
                    self.reads += 1;
                    has_progress = true;
                }
                Poll::Ready(Err(error)) => return lost(self, &error),
            }
            let waker = context.waker();
            let known = self.calls.len();
            let Some(watched) = self.shared.take(&mut self.requests, &mut self.calls, waker) else {
                return Poll::Ready(None);
            };
            for call in self.calls.range_mut(known..) {
                call.reads = self.reads;
            }
            if has_progress && let Err(error) = self.hand_out() {
                return Poll::Ready(Some(error));
            }
            match self.poll_send(context) {
                Ok(sent) => has_progress |= sent,
                Err(error) => return lost(self, &error),
            }
            if let Some(at) = watched
                && let Err(error) = self.watch(at, context, alarm.as_mut())
            {
                return Poll::Ready(Some(error));
            }
            if has_progress && in_turn >= TURN {
                // A large reply takes long: small ones on other connections do not wait for all of it.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !has_progress {
                return Poll::Pending;
            }
        }
    }

    /// Gives callers the replies that have arrived.
    fn hand_out(&mut self) -> Result<(), P::Error> {
        while let Some(call) = self.calls.get(self.replies.len()) {
            match self.parser.next(&call.expected) {
                Ok(Some(reply)) => self.replies.push(Ok(reply)),
                Ok(None) => break,
                Err(error) if error.disposition() == Disposition::Reuse => {
                    self.replies.push(Err(error));
                }
                Err(error) => {
                    self.end_calls();
                    // The error is that of one reply. For the other calls the connection is lost.
                    if let Some(mut call) = self.calls.pop_front() {
                        call.end(Err(error));
                    }
                    return Err(self.shared.lost(io::ErrorKind::ConnectionAborted));
                }
            }
        }
        if self.calls.is_empty() {
            let lost = || self.shared.lost(io::ErrorKind::InvalidData);
            return Err(self.parser.farewell().unwrap_or_else(lost));
        }
        if self.replies.len() == self.calls.len() && !self.parser.is_drained() {
            // Bytes that belong to no request. They may have come before any of the replies.
            let error: P::Error = NetError::unasked_bytes(self.shared.peer.clone()).into();
            for reply in &mut self.replies {
                *reply = Err(error.clone());
            }
            self.end_calls();
            return Err(self.shared.lost(io::ErrorKind::InvalidData));
        }
        self.end_calls();
        Ok(())
    }

    /// Gives calls the replies to them.
    fn end_calls(&mut self) {
        let count = self.replies.len();
        if count == 0 {
            return;
        }
        // Before the callers run: the next request of a lone caller then finds an idle connection.
        self.shared.ended(count);
        for (mut call, reply) in self.calls.drain(..count).zip(self.replies.drain(..)) {
            call.end(reply);
        }
    }

    /// Sends requests as far as there is room. Whether any byte was sent.
    fn poll_send(&mut self, context: &mut Context<'_>) -> io::Result<bool> {
        if self.sent == 0 && !self.requests.is_empty() && !self.has_yielded {
            // Tasks that are ready add their requests to the same system call.
            self.has_yielded = true;
            context.waker().wake_by_ref();
            return Ok(false);
        }
        let mut has_sent = false;
        while self.sent < self.requests.len() {
            match self.stream.poll_write(context, &self.requests[self.sent..]) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(sent)) => {
                    self.sent += sent;
                    has_sent = true;
                }
                // The server may have sent the reason before it closed the connection.
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        if self.sent == self.requests.len() {
            self.requests.clear();
            self.sent = 0;
            self.has_yielded = false;
        }
        match self.stream.poll_flush(context) {
            Poll::Ready(Err(error)) => Err(error),
            _ => Ok(has_sent),
        }
    }

    /// Looks at the deadlines of calls at the instant `at`.
    fn watch(
        &mut self,
        at: Instant,
        context: &mut Context<'_>,
        mut alarm: Pin<&mut Sleep>,
    ) -> Result<(), P::Error> {
        if alarm.deadline() != at.into() {
            alarm.as_mut().reset(at.into());
        }
        while alarm.as_mut().poll(context).is_ready() {
            self.time_out(Instant::now())?;
            let next = self.calls.iter().filter(|call| call.caller.is_some());
            let next = next.map(|call| call.deadline.at()).min();
            // The oldest call also decides about the connection.
            let oldest = self.calls.front().map(|call| call.last_chance());
            let next = [next, oldest].into_iter().flatten().min();
            self.shared.watch(next);
            match next {
                Some(next) => alarm.as_mut().reset(next.into()),
                None => break,
            }
        }
        Ok(())
    }

    /// Ends calls whose deadline is over, and the connection if nothing has arrived for a whole deadline
    /// of the oldest call.
    fn time_out(&mut self, now: Instant) -> Result<(), P::Error> {
        let is_silent = |call: &Call<P>| {
            let is_late = call.deadline.at() <= now;
            is_late && call.reads == self.reads || call.last_chance() <= now
        };
        let silent = self.calls.front().is_some_and(is_silent);
        let lost = silent.then(|| self.shared.lost(io::ErrorKind::TimedOut));
        if let Some(lost) = &lost {
            // Before the callers run: their next requests need another connection.
            self.shared.close(lost.clone());
        }
        for call in &mut self.calls {
            if call.deadline.at() <= now {
                let late = NetError::TimedOut {
                    server: self.shared.peer.clone(),
                    after: call.deadline.total(),
                };
                call.end(Err(late.into()));
            }
        }
        lost.map_or(Ok(()), Err)
    }
}

impl<P: SharedParser> Call<P> {
    /// The instant at which the connection ends unless this call has its reply: a reply without an end
    /// would hold all later ones up.
    fn last_chance(&self) -> Instant {
        let at = self.deadline.at();
        at.checked_add(self.deadline.total()).unwrap_or(at)
    }
}

impl<P: SharedParser> Drop for Driver<P> {
    /// Also when the runtime ends.
    fn drop(&mut self) {
        let error = self.shared.error();
        self.shared.close(error.clone());
        for mut call in self.calls.drain(..) {
            call.end(Err(error.clone()));
        }
    }
}
