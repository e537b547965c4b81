//! The driver of the single flight for cached functions: it blocks threads and suspends tasks.

use crate::{
    behaviours::single_flight::{
        Alarm, DEFAULT_WAIT_LIMIT, Joined, Lead, Limit, Machine, Wait, Waited, is_within,
        task_number, thread_number, within,
    },
    stores::RandomState,
};
use alloc::sync::Arc;
use core::{
    fmt,
    future::poll_fn,
    hash::{BuildHasher, Hash},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use rustc_hash::FxBuildHasher;
use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    task::Wake,
    thread::{self, Thread},
    time::Instant,
};

/// The machine carries no results: a waiting caller finds the result in the cache.
type State = Machine<u64, (), FxBuildHasher>;

/// Limits concurrent calls for one key to one computation; the other callers wait for its result.
///
/// `#[cached(single_flight)]` creates one for its function. Functions that compute the same values
/// share one with `single_flight = FLIGHTS`:
///
/// ```
/// use ctu_core::{LruCache, SpinCache, cached, cached::SingleFlight};
///
/// static PAGES: SpinCache<LruCache<u32, u32, 8>> = SpinCache::new(LruCache::new());
/// static FLIGHTS: SingleFlight = SingleFlight::new();
///
/// #[cached(cache = PAGES, single_flight = FLIGHTS)]
/// fn page(number: u32) -> u32 {
///     number + 1
/// }
///
/// #[cached(cache = PAGES, single_flight = FLIGHTS)]
/// async fn page_async(number: u32) -> u32 {
///     number + 1
/// }
///
/// assert_eq!(page(7), 8);
/// ```
///
/// A flight belongs to a cache (by its identity) and a key: the same key of two caches is two
/// computations. A randomly seeded hash of 64 bits identifies a flight. Callers of two keys with
/// the same hash wait for one another, and then compute their own values.
///
/// Every step takes O(1) amortised, plus O(1) for each woken caller.
///
/// # Wait limit
/// A caller waits at most 10 seconds ([`with_wait_limit`](Self::with_wait_limit)). Then it computes
/// the value concurrently. The limit ends deadlocks of computations that wait for each other: two
/// that need each other's key, or one that waits for a thread, a task, or a job of its thread pool
/// (rayon) that requests the same key. A thread that requests the key of its own computation does
/// not wait at all, nor does a future within the computation of its key, unless it runs in a task of
/// its own.
///
/// A dropped future leaves the queue, and its turn goes to the next caller. One thread of the
/// process, started by the first wait of a task, wakes tasks at the limit; the tasks of a single
/// flight share one timer.
pub struct SingleFlight {
    hasher: OnceLock<RandomState>,
    machine: Mutex<State>,
    wait_limit: Duration,
    alarm: Alarm,
}

/// The permit to compute the value of a key. A drop without [`finish`](Self::finish) reports a
/// failed computation and passes the permit to the next caller.
#[derive(Debug)]
#[must_use = "the flight ends when this is dropped"]
pub struct Flight<'f> {
    flights: &'f SingleFlight,
    /// `None` if the caller already leads this flight, which continues.
    lead: Option<Lead>,
}

/// The end of a wait: `None` means no limit.
pub(super) type Deadline = Option<Instant>;

impl SingleFlight {
    /// Creates a single flight without any flights, with a wait limit of 10 seconds.
    pub const fn new() -> Self {
        Self::with_wait_limit(DEFAULT_WAIT_LIMIT)
    }

    /// Creates a single flight with a wait limit. [`Duration::ZERO`] disables waiting,
    /// [`Duration::MAX`] disables the limit.
    ///
    /// The limit should exceed the usual duration of a computation: callers that reach the limit
    /// compute the same value concurrently.
    ///
    /// ```
    /// use core::time::Duration;
    /// use ctu_core::cached::SingleFlight;
    ///
    /// static FLIGHTS: SingleFlight = SingleFlight::with_wait_limit(Duration::from_secs(2));
    /// ```
    pub const fn with_wait_limit(limit: Duration) -> Self {
        Self {
            hasher: OnceLock::new(),
            machine: Mutex::new(Machine::with_hashers(FxBuildHasher, FxBuildHasher)),
            wait_limit: limit,
            alarm: Alarm::new(),
        }
    }

    /// Blocks the thread while another caller computes `key`. Returns `None` once that caller has
    /// stored the result in the cache.
    #[doc(hidden)]
    pub fn join<K: Hash + ?Sized>(&self, key: &K) -> Option<Flight<'_>> {
        self.join_until(key, self.deadline())
    }

    /// The async form of [`join`](Self::join).
    #[doc(hidden)]
    pub async fn join_async<K: Hash + ?Sized>(&self, key: &K) -> Option<Flight<'_>> {
        self.join_until_async(key, self.deadline()).await
    }

    pub(super) fn deadline(&self) -> Deadline {
        Instant::now().checked_add(self.wait_limit)
    }

    pub(super) fn join_until<K: Hash + ?Sized>(
        &self,
        key: &K,
        deadline: Deadline,
    ) -> Option<Flight<'_>> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut waiting = match self.begin(key, thread_number()) {
            Ok(flight) => return Some(flight),
            Err(waiting) => waiting,
        };
        loop {
            match waiting.poll(&waker, deadline) {
                Poll::Ready(flight) => return flight,
                Poll::Pending => match deadline {
                    Some(deadline) => {
                        thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
                    }
                    None => thread::park(),
                },
            }
        }
    }

    pub(super) async fn join_until_async<K: Hash + ?Sized>(
        &self,
        key: &K,
        deadline: Deadline,
    ) -> Option<Flight<'_>> {
        let mut waiting = match self.begin(key, Some(task_number())) {
            Ok(flight) => return Some(flight),
            Err(waiting) => waiting,
        };
        let mut limit = self.alarm.at(deadline);
        poll_fn(|context| waiting.poll_task(context, deadline, &mut limit)).await
    }

    fn begin<K: Hash + ?Sized>(
        &self,
        key: &K,
        caller: Option<u64>,
    ) -> Result<Flight<'_>, Waiting<'_>> {
        let hash = self.hasher.get_or_init(RandomState::default).hash_one(key);
        let mut machine = self.lock();
        if is_within(|caller| machine.leads(&hash, caller)) {
            return Ok(self.flight(None));
        }
        match machine.join(&hash, caller, || hash) {
            Joined::Lead(lead) => Ok(self.flight(Some(lead))),
            Joined::Within => Ok(self.flight(None)),
            Joined::Wait(wait) => Err(Waiting {
                flights: self,
                wait: Some(wait),
            }),
        }
    }

    fn flight(&self, lead: Option<Lead>) -> Flight<'_> {
        Flight {
            flights: self,
            lead,
        }
    }

    /// Ignores poisoning: no code that panics runs under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SingleFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight")
            .field("wait_limit", &self.wait_limit)
            .finish_non_exhaustive()
    }
}

impl Default for SingleFlight {
    fn default() -> Self {
        Self::new()
    }
}

/// A place in the queue of waiting callers. A drop leaves the queue.
struct Waiting<'f> {
    flights: &'f SingleFlight,
    /// `None` once the wait is over.
    wait: Option<Wait>,
}

impl<'f> Waiting<'f> {
    fn poll(&mut self, waker: &Waker, deadline: Deadline) -> Poll<Option<Flight<'f>>> {
        let flights = self.flights;
        let Some(wait) = &self.wait else {
            return Poll::Ready(None);
        };
        let mut machine = flights.lock();
        let mut waited = machine.poll(wait, waker);
        if matches!(waited, Waited::Pending) {
            if deadline.is_none_or(|deadline| Instant::now() < deadline) {
                return Poll::Pending;
            }
            waited = machine.expire(wait);
        }
        drop(machine);
        self.wait = None;
        Poll::Ready(match waited {
            Waited::Lead(lead) => Some(flights.flight(Some(lead))),
            // The caller repeats the lookup, and joins again after a miss.
            Waited::Value(()) | Waited::Rejoin | Waited::Pending => None,
        })
    }

    /// Polls for a task, which `limit` wakes at the deadline.
    fn poll_task(
        &mut self,
        context: &mut Context<'_>,
        deadline: Deadline,
        limit: &mut Limit<'_>,
    ) -> Poll<Option<Flight<'f>>> {
        match self.poll(context.waker(), deadline) {
            Poll::Pending if limit.poll(context) => self.poll(context.waker(), deadline),
            polled => polled,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait.take() {
            let next = self.flights.lock().leave(&wait);
            next.into_iter().for_each(Waker::wake);
        }
    }
}

impl Flight<'_> {
    /// Ends the flight after the result was stored, and wakes the waiting callers.
    #[doc(hidden)]
    pub fn finish(mut self) {
        self.end(Some(()));
    }

    /// Runs a part of the computation: a call for the same key in it does not wait for itself.
    #[doc(hidden)]
    pub async fn run<F: Future>(flight: &Option<Self>, future: Pin<&mut F>) -> F::Output {
        let lead = flight.as_ref().and_then(|flight| flight.lead.as_ref());
        within(lead.and_then(Lead::caller), future).await
    }

    fn end(&mut self, value: Option<()>) {
        if let Some(lead) = self.lead.take() {
            let wakers = self.flights.lock().finish(lead, value);
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.end(None);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
