//! Background work and computations as tasks of tokio.

use super::{
    TwoLevelBuilder, TwoLevelCache, TwoLevelError,
    claim::{ClaimRequests, SharedFlights},
    claim_async::AsyncRequests,
    counts::Counted,
    levels::{Failed, Levels, Load, Owned, Recovery, Refresh},
    refresh_queue::MAX_QUEUED,
};
use crate::caches::{AsyncClaims, IsAsync};
use ctu_core::{AsyncCache, AsyncCacheExt, Cache, InMemory, IntoValue};
use parking_lot::Mutex;
use std::{
    borrow::Borrow,
    convert::Infallible,
    hash::Hash,
    panic::resume_unwind,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::Notify,
    task::{JoinHandle, yield_now},
    time::timeout,
};

/// The handle of a background task. The task starts with the first work, on the runtime of the caller that
/// has it, and ends with its cache. If that runtime has ended, the next work starts a new task.
#[derive(Default)]
pub(super) struct TaskWorker(Mutex<Option<Running>>);

struct Running {
    task: JoinHandle<()>,
    work: Arc<Notify>,
}

impl TaskWorker {
    /// Starts the task, which runs `step` until that returns a wait; `None` is a wait for new work. With
    /// `wake`, ends the wait of a task that runs already. Outside of a runtime, a later call starts the task.
    fn run<T, F>(&self, cache: &Weak<T>, step: fn(Arc<T>) -> F, wake: bool)
    where
        T: Send + Sync + 'static,
        F: Future<Output = Option<Duration>> + Send + 'static,
    {
        let mut running = self.0.lock();
        if let Some(running) = &*running
            && !running.task.is_finished()
        {
            if wake {
                running.work.notify_one();
            }
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let work = Arc::new(Notify::new());
            let task = runtime.spawn(run(cache.clone(), step, Arc::clone(&work)));
            *running = Some(Running { task, work });
        }
    }
}

async fn run<T, F>(cache: Weak<T>, step: fn(Arc<T>) -> F, work: Arc<Notify>)
where
    F: Future<Output = Option<Duration>>,
{
    // The cache is held for one step at a time, so that its drop ends the task.
    while let Some(alive) = cache.upgrade() {
        match step(alive).await {
            Some(wait) if wait.is_zero() => yield_now().await,
            Some(wait) => {
                // Either ends the wait.
                let _ = timeout(wait, work.notified()).await;
            }
            None => work.notified().await,
        }
    }
}

impl Drop for TaskWorker {
    fn drop(&mut self) {
        if let Some(running) = &*self.0.lock() {
            running.work.notify_one();
        }
    }
}

impl<A, B> Levels<A, B, IsAsync>
where
    A: Cache<Key: Hash + Eq + ToOwned<Owned: Send + Sync> + Sync, Value: Send>
        + Send
        + Sync
        + 'static,
    B: AsyncCache<Key = A::Key, Value = A::Value> + Send + 'static,
{
    /// `wake` tells of new work.
    fn recover_in_task(&self, wake: bool) {
        let step = |levels: Arc<Self>| async move { levels.recover().await };
        self.recovering.task.run(&self.me, step, wake);
    }

    /// Releases a claim whose holder was dropped. Outside of a runtime the claim ends with its lease.
    fn release_in_task(&self, key: &A::Key, holder: u64)
    where
        B: AsyncClaims + Sync,
    {
        if let (Some(levels), Ok(runtime)) = (self.me.upgrade(), Handle::try_current()) {
            let key = key.to_owned();
            runtime.spawn(async move { levels.release_at_second(key.borrow(), holder).await });
        }
    }

    fn refresh_in_task(&self) {
        let step = |levels: Arc<Self>| async move { levels.refresh_next().await };
        self.refreshing.task.run(&self.me, step, true);
    }
}

impl<A, B> TwoLevelBuilder<A, B, IsAsync>
where
    A: Cache<Key: Hash + Eq + ToOwned<Owned: Send + Sync> + Sync, Value: Send>
        + Send
        + Sync
        + 'static,
    B: AsyncCache<Key = A::Key, Value = A::Value> + Send + 'static,
{
    /// An outage of the second level is not an error: reads are misses, writes and removals are done at the
    /// first level and repeated at the second when it is back. A background task does that. It starts with
    /// the first outage, on the runtime of the operation that notices it, and ends with the cache.
    ///
    /// The rest is as of a [blocking](Self#method.resilient-1) cache. The runtime needs its timer:
    /// `enable_time`.
    pub fn resilient(mut self) -> Self {
        self.resilience();
        self.recovery = Some(Recovery {
            wake: |levels| levels.recover_in_task(true),
            revive: Some(|levels| levels.recover_in_task(false)),
        });
        self
    }

    /// An entry of the first level that a read finds with less than `share` (0 to 1) of its time left is
    /// computed anew by `load`, in a background task: the read does not wait. `None` leaves the entry.
    /// Keys are as this cache has them, with the prefixes of its wrappers.
    ///
    /// One key is computed at a time, for at most the [hard limit](Self::hard_limit).
    pub fn refresh_ahead<Fut>(
        self,
        share: f64,
        load: impl Fn(Owned<A>) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Option<A::Value>> + Send + 'static,
    {
        let each = move |keys: Vec<Owned<A>>| {
            // Each of them is alone.
            let loads: Vec<Fut> = keys.into_iter().map(&load).collect();
            async move {
                let mut values = Vec::new();
                for load in loads {
                    values.push(load.await);
                }
                values
            }
        };
        self.refresh_in_task(share, 1, each)
    }

    /// [`refresh_ahead`](Self#method.refresh_ahead) of several keys at once, as of a
    /// [blocking](Self#method.refresh_ahead_many) cache. The [hard limit](Self::hard_limit) is that of one
    /// call of `load`.
    pub fn refresh_ahead_many<Fut>(
        self,
        share: f64,
        load: impl Fn(Vec<Owned<A>>) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Vec<Option<A::Value>>> + Send + 'static,
    {
        self.refresh_in_task(share, MAX_QUEUED, load)
    }

    fn refresh_in_task<Fut>(
        mut self,
        share: f64,
        at_once: usize,
        load: impl Fn(Vec<Owned<A>>) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Vec<Option<A::Value>>> + Send + 'static,
    {
        let load = Load::Async(Box::new(move |keys| Box::pin(load(keys))));
        self.refresh = Some(Refresh::new(share, load, at_once, Levels::refresh_in_task));
        self
    }

    /// Computes a value once among all nodes, as of a [blocking](Self#method.single_flight_among_nodes-1) cache. A future
    /// that is dropped during its computation releases its claim in a task, on the runtime of the drop.
    pub fn single_flight_among_nodes(mut self, lease: Duration) -> Self
    where
        B: AsyncClaims + Sync,
    {
        self.among_nodes.shared_flights = Some(SharedFlights {
            requests: ClaimRequests::Async(AsyncRequests {
                claim: |levels, key, holder| Box::pin(levels.claim_at_second(key, holder)),
                release: |levels, key, holder| Box::pin(levels.release_at_second(key, holder)),
            }),
            release: Levels::release_in_task,
            lease,
        });
        self
    }

    /// The time after which [`get_or_spawn_with`](TwoLevelCache::get_or_spawn_with) returns a stale value
    /// while the computation goes on. There are stale values within the time of [`grace`](Self::grace).
    /// Without a limit, and without a stale value, it waits for the computation.
    pub fn soft_limit(mut self, limit: Duration) -> Self {
        self.settings.soft_limit = Some(limit);
        self
    }

    /// The time after which a computation is stopped: its future is dropped. The caller gets a stale value
    /// within the time of [`grace`](Self::grace), or [`TwoLevelError::ComputationStopped`]. The caller that
    /// has waited longest computes next.
    pub fn hard_limit(mut self, limit: Duration) -> Self {
        self.settings.hard_limit = Some(limit);
        self
    }
}

impl<A, B> TwoLevelCache<A, B, IsAsync>
where
    A: Cache<Key: Hash + Eq + ToOwned<Owned: Send + Sync> + Sync, Value: Send>
        + InMemory
        + Send
        + Sync
        + 'static,
    B: AsyncCache<Key = A::Key, Value = A::Value> + Send + 'static,
{
    /// Returns the value at `key`; on a miss, computes and stores it in a task of its own, which goes on if
    /// this future is dropped. After the [soft limit](TwoLevelBuilder::soft_limit), returns a stale value
    /// instead.
    ///
    /// [`get_or_insert_with`](AsyncCacheExt::get_or_insert_with) borrows and computes within its own future;
    /// if callers give up before the computation ends, the value is never stored. Set a
    /// [hard limit](TwoLevelBuilder::hard_limit) for a computation that may hang.
    ///
    /// ```
    /// use ctu_std::{ConcurrentCache, Ready, StdClock, TwoLevelCache};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let level = || ConcurrentCache::<u32, u32>::with_capacity(100);
    /// let cache = TwoLevelCache::builder(level(), Ready(level()))
    ///     .grace(Duration::from_secs(60), 100)
    ///     .soft_limit(Duration::from_millis(50))
    ///     .hard_limit(Duration::from_secs(5))
    ///     .build();
    /// assert_eq!(cache.get_or_spawn_with(&1, || async { 10 }).await?, 10);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`get_or_insert_with`](AsyncCacheExt::get_or_insert_with), and
    /// [`TwoLevelError::ComputationStopped`].
    ///
    /// # Panics
    /// Outside of a runtime of tokio. A panic of `make` propagates.
    pub async fn get_or_spawn_with<T, F, Fut>(
        &self,
        key: &A::Key,
        mut make: F,
    ) -> Result<A::Value, Failed<A, B, IsAsync>>
    where
        T: IntoValue<A::Value> + Send + 'static,
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
    {
        let make = move || {
            let made = make();
            async { Ok::<T, Infallible>(made.await) }
        };
        match self.get_or_try_spawn_with(key, make).await? {
            Ok(value) => Ok(value),
            Err(never) => match never {},
        }
    }

    /// [`get_or_spawn_with`](Self::get_or_spawn_with) for a computation that may fail: the inner error is that
    /// of `make`.
    ///
    /// # Errors
    /// Those of [`get_or_spawn_with`](Self::get_or_spawn_with).
    ///
    /// # Panics
    /// As [`get_or_spawn_with`](Self::get_or_spawn_with).
    pub async fn get_or_try_spawn_with<T, E, F, Fut>(
        &self,
        key: &A::Key,
        make: F,
    ) -> Result<Result<A::Value, E>, Failed<A, B, IsAsync>>
    where
        T: IntoValue<A::Value> + Send + 'static,
        E: Send + 'static,
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        if let Some(value) = self.get_first(key)? {
            return Ok(Ok(value));
        }
        let (cache, owned) = (Self::new(Arc::clone(&self.levels)), key.to_owned());
        let mut task = tokio::spawn(async move {
            let key: &A::Key = owned.borrow();
            cache.get_or_try_insert_with(key, make).await
        });
        if let Some(limit) = self.levels.settings.soft_limit {
            if let Ok(ended) = timeout(limit, &mut task).await {
                return result_of(ended);
            }
            if let Some(value) = self.levels.stale(key) {
                self.levels.count(Counted::Stale);
                return Ok(Ok(value));
            }
        }
        result_of(task.await)
    }
}

type Ended<T, A, B> = Result<T, TwoLevelError<A, B>>;

fn result_of<T, A, B>(ended: Result<Ended<T, A, B>, tokio::task::JoinError>) -> Ended<T, A, B> {
    match ended {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Its runtime ended.
            Err(_) => Err(TwoLevelError::ComputationStopped),
        },
    }
}
