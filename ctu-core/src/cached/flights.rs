use crate::stores::RandomState;
use alloc::{
    collections::btree_map::{BTreeMap, Entry},
    sync::Arc,
    vec::Vec,
};
use core::{
    future::poll_fn,
    hash::{BuildHasher, Hash},
    task::{Context, Poll, Waker},
};
use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    task::Wake,
    thread::{self, Thread, ThreadId},
};

/// One computation a key, however many ask: who comes while a key is computed waits for that.
///
/// `#[cached(single_flight)]` makes one for its function. Functions that compute the same things share
/// one by `single_flight = FLIGHTS`:
///
/// ```
/// use ctu_core::cached::Flights;
///
/// static FLIGHTS: Flights = Flights::new();
///
/// let flight = FLIGHTS.board("page 7");
/// // Compute page 7 and store it. Who boards for it meanwhile waits for this to end.
/// drop(flight);
/// ```
///
/// A function boards by its cache (its [`address`](crate::Cache::address)) and its key: the same key of two caches is two
/// computations. Both are told apart from others by 64 bits of their hash, seeded at random: two that agree in these wait for
/// one another and are computed each for itself.
///
/// Boarding and landing take O(log n) steps of n flights, and one for each who waits for the same.
///
/// # Who waits for ever
/// A thread never waits for itself. A task does: its flights have no owner, so an `async fn` must not await its own value of the
/// same key. A future that has boarded and is then neither polled nor dropped keeps all others waiting. And two
/// computations that wait for each other's keys do, as they would call each other for ever.
#[derive(Debug)]
pub struct Flights {
    hasher: OnceLock<RandomState>,
    /// By hash.
    inner: Mutex<BTreeMap<u64, InFlight>>,
}

#[derive(Debug)]
struct InFlight {
    /// Of a blocking flight.
    thread: Option<ThreadId>,
    waiting: Vec<Waker>,
}

/// The right to compute a key. Ends, however the computation ends, when it is dropped.
#[derive(Debug)]
#[must_use = "the flight ends when this is dropped"]
pub struct Flight<'f> {
    /// `None` where the thread had boarded before: that flight goes on.
    flights: Option<&'f Flights>,
    hash: u64,
}

impl Flights {
    /// No flights.
    pub const fn new() -> Self {
        Self {
            hasher: OnceLock::new(),
            inner: Mutex::new(BTreeMap::new()),
        }
    }

    /// Waits, blocking the thread, until nobody else computes `key`.
    pub fn board<K: Hash + ?Sized>(&self, key: &K) -> Flight<'_> {
        let hash = self.hash(key);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match self.poll(hash, Some(thread::current().id()), &mut context) {
                Poll::Ready(flight) => return flight,
                Poll::Pending => thread::park(),
            }
        }
    }

    /// Waits, without blocking the thread, until nobody else computes `key`.
    pub async fn board_async<K: Hash + ?Sized>(&self, key: &K) -> Flight<'_> {
        let hash = self.hash(key);
        poll_fn(|context| self.poll(hash, None, context)).await
    }

    fn hash<K: Hash + ?Sized>(&self, key: &K) -> u64 {
        self.hasher.get_or_init(RandomState::default).hash_one(key)
    }

    fn poll(
        &self,
        hash: u64,
        thread: Option<ThreadId>,
        context: &mut Context<'_>,
    ) -> Poll<Flight<'_>> {
        let mut inner = self.lock();
        let flight = match inner.entry(hash) {
            Entry::Occupied(flight) => flight.into_mut(),
            Entry::Vacant(place) => {
                place.insert(InFlight {
                    thread,
                    waiting: Vec::new(),
                });
                let flights = Some(self);
                return Poll::Ready(Flight { flights, hash });
            }
        };
        if thread.is_some() && flight.thread == thread {
            let flights = None;
            return Poll::Ready(Flight { flights, hash });
        }
        if !flight
            .waiting
            .iter()
            .any(|waker| waker.will_wake(context.waker()))
        {
            flight.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Nothing that panics runs under this lock, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, InFlight>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Flights {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let Some(flights) = self.flights else {
            return;
        };
        let landed = flights.lock().remove(&self.hash);
        for waker in landed.into_iter().flat_map(|flight| flight.waiting) {
            waker.wake();
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
