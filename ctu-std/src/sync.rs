//! The locks of the single flight and of two levels: the operating system's, and in unit tests
//! those of shuttle, which explores the interleavings of threads.

#[cfg(test)]
pub(crate) use explored::{
    AtomicU64, Condvar, Mutex, MutexGuard, enter, is_within, me, wait, wait_until,
};
#[cfg(not(test))]
pub(crate) use system::{
    AtomicU64, Condvar, Mutex, MutexGuard, enter, is_within, me, wait, wait_until,
};

#[cfg(not(test))]
mod system {
    pub(crate) use ctu_core::single_flight::{enter, is_within};
    pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
    pub(crate) use std::sync::atomic::AtomicU64;
    use std::time::Instant;

    /// Gives the lock back until `condvar` is notified.
    pub(crate) fn wait<'a, T>(
        condvar: &Condvar,
        mut guard: MutexGuard<'a, T>,
    ) -> MutexGuard<'a, T> {
        condvar.wait(&mut guard);
        guard
    }

    /// The same as [`wait`], at most until the `deadline`.
    pub(crate) fn wait_until<'a, T>(
        condvar: &Condvar,
        mut guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> MutexGuard<'a, T> {
        match deadline {
            Some(deadline) => drop(condvar.wait_until(&mut guard, deadline)),
            None => condvar.wait(&mut guard),
        }
        guard
    }

    /// The number of this thread, or 0 of one that is ending.
    pub(crate) fn me() -> u64 {
        ctu_core::single_flight::thread_number().unwrap_or(0)
    }
}

#[cfg(test)]
mod explored {
    pub(crate) use shuttle::sync::{Condvar, MutexGuard, atomic::AtomicU64};
    use std::{
        cell::RefCell,
        hash::{DefaultHasher, Hash, Hasher},
        sync::PoisonError,
        time::Instant,
    };

    shuttle::thread_local! {
        /// The computations that a thread of shuttle polls a part of. The threads of shuttle may share one
        /// thread of the operating system.
        static POLLED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    }

    pub(crate) struct Entered;

    pub(crate) fn enter(caller: u64) -> Entered {
        let _ = POLLED.try_with(|polled| polled.borrow_mut().push(caller));
        Entered
    }

    impl Drop for Entered {
        fn drop(&mut self) {
            let _ = POLLED.try_with(|polled| polled.borrow_mut().pop());
        }
    }

    pub(crate) fn is_within(is: impl Fn(u64) -> bool) -> bool {
        let polled = POLLED.try_with(|polled| polled.borrow().iter().any(|caller| is(*caller)));
        polled.unwrap_or(false) || is(me())
    }

    /// As parking_lot's, not poisoned by a panic.
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn into_inner(self) -> T {
            self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Shuttle knows no time: no deadline passes during a wait.
    pub(crate) fn wait_until<'a, T>(
        condvar: &Condvar,
        guard: MutexGuard<'a, T>,
        _: Option<Instant>,
    ) -> MutexGuard<'a, T> {
        wait(condvar, guard)
    }

    pub(crate) fn me() -> u64 {
        let mut hasher = DefaultHasher::new();
        shuttle::thread::current().id().hash(&mut hasher);
        hasher.finish()
    }
}
