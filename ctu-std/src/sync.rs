//! The locks of the single flight and of two levels: the operating system's, and in unit tests those of
//! shuttle, which tries the orders in which threads can meet.

#[cfg(test)]
pub(crate) use explored::{Condvar, Mutex, me, wait};
#[cfg(not(test))]
pub(crate) use system::{Condvar, Mutex, me, wait};

#[cfg(not(test))]
mod system {
    pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
    use std::{
        cell::Cell,
        sync::atomic::{AtomicU64, Ordering},
    };

    /// Gives the lock back until `condvar` is notified.
    pub(crate) fn wait<'a, T>(
        condvar: &Condvar,
        mut guard: MutexGuard<'a, T>,
    ) -> MutexGuard<'a, T> {
        condvar.wait(&mut guard);
        guard
    }

    /// A number of this thread's own. 0 for one that is ending.
    pub(crate) fn me() -> u64 {
        static LAST: AtomicU64 = AtomicU64::new(0);
        thread_local!(static ME: Cell<u64> = const { Cell::new(0) });
        let me = ME.try_with(|me| {
            if me.get() == 0 {
                me.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
            }
            me.get()
        });
        me.unwrap_or(0)
    }
}

#[cfg(test)]
mod explored {
    pub(crate) use shuttle::sync::{Condvar, MutexGuard};
    use std::{
        hash::{DefaultHasher, Hash, Hasher},
        sync::PoisonError,
    };

    /// As parking_lot's, not poisoned by a panic.
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn me() -> u64 {
        let mut hasher = DefaultHasher::new();
        shuttle::thread::current().id().hash(&mut hasher);
        hasher.finish()
    }
}
