//! A thread in the background, from the first time there is something for it.

use crate::per_process::PerProcess;
use parking_lot::Mutex;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Weak,
    thread::{self, Thread},
    time::Duration,
};

/// The handle of the thread. The thread ends once its cache is dropped, after the operation under way. A
/// forked child has no thread of its parent, and starts its own.
#[derive(Default)]
pub(super) struct Worker {
    thread: PerProcess<Mutex<Option<Thread>>>,
    /// The task in its place over an async second level.
    #[cfg(feature = "tokio")]
    pub(super) task: super::tasks::TaskWorker,
}

impl Worker {
    /// Starts a thread as [`wake`](Self::wake) does, and does not wake it.
    pub(super) fn start<T: Send + Sync + 'static>(
        &self,
        name: &str,
        cache: &Weak<T>,
        step: fn(&T) -> Option<Duration>,
    ) {
        let mut thread = self.thread.get(|_| ()).lock();
        if thread.is_none() {
            *thread = spawn(name, cache, step);
        }
    }

    /// Lets `step` run, again and again until it returns for how long to wait: `None` for until it is
    /// woken again. Where the system has no thread to spare, the next call tries again.
    pub(super) fn wake<T: Send + Sync + 'static>(
        &self,
        name: &str,
        cache: &Weak<T>,
        step: fn(&T) -> Option<Duration>,
    ) {
        let mut thread = self.thread.get(|_| ()).lock();
        if let Some(thread) = &*thread {
            thread.unpark();
            return;
        }
        *thread = spawn(name, cache, step);
    }
}

fn spawn<T: Send + Sync + 'static>(
    name: &str,
    cache: &Weak<T>,
    step: fn(&T) -> Option<Duration>,
) -> Option<Thread> {
    let cache = cache.clone();
    let work = move || {
        // The cache is held for one step at a time, so that dropping it ends the thread.
        while let Some(alive) = cache.upgrade() {
            // A panic is the fault of a level, whose next answer may be better.
            let next = catch_unwind(AssertUnwindSafe(|| step(&alive)));
            drop(alive);
            match next.unwrap_or(Some(Duration::from_secs(1))) {
                Some(wait) if wait.is_zero() => {}
                Some(wait) => thread::park_timeout(wait),
                None => thread::park(),
            }
        }
    };
    let spawned = thread::Builder::new().name(name.into()).spawn(work);
    spawned.ok().map(|handle| handle.thread().clone())
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(thread) = &*self.thread.get(|_| ()).lock() {
            thread.unpark();
        }
    }
}
