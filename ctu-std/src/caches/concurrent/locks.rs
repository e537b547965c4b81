//! The locks of the cache. In the unit tests that explore interleavings, shuttle chooses the thread
//! that takes a lock next.

#[cfg(test)]
pub(super) use explored::{Mutex, RwLock, explored_thread};
#[cfg(not(test))]
pub(super) use parking_lot::{Mutex, RwLock};
pub(super) use parking_lot::{RwLockReadGuard, RwLockWriteGuard};

#[cfg(test)]
mod explored {
    use super::{RwLockReadGuard, RwLockWriteGuard};
    use parking_lot::MutexGuard;
    use shuttle::{
        current::try_get_current_task,
        thread::{sleep, yield_now},
    };
    use std::time::Duration;

    /// The number of this thread in an exploration, from 1 on. `None` in other tests.
    pub(in super::super) fn explored_thread() -> Option<u32> {
        let task: usize = try_get_current_task()?.into();
        Some(task as u32 + 1)
    }

    /// Lets other threads run first in an exploration.
    fn switch() -> bool {
        let is_explored = explored_thread().is_some();
        if is_explored {
            sleep(Duration::ZERO);
        }
        is_explored
    }

    /// Takes a lock. A thread of shuttle must not block the thread of the operating system, which
    /// runs the others, too.
    fn take<G>(lock: impl FnOnce() -> G, attempt: impl Fn() -> Option<G>) -> G {
        if !switch() {
            return lock();
        }
        loop {
            match attempt() {
                Some(guard) => return guard,
                None => yield_now(),
            }
        }
    }

    pub(in super::super) struct Mutex<T>(parking_lot::Mutex<T>);

    impl<T> Mutex<T> {
        pub(in super::super) const fn new(value: T) -> Self {
            Self(parking_lot::Mutex::new(value))
        }

        pub(in super::super) fn lock(&self) -> MutexGuard<'_, T> {
            take(|| self.0.lock(), || self.0.try_lock())
        }

        pub(in super::super) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            switch();
            self.0.try_lock()
        }
    }

    pub(in super::super) struct RwLock<T>(parking_lot::RwLock<T>);

    impl<T> RwLock<T> {
        pub(in super::super) const fn new(value: T) -> Self {
            Self(parking_lot::RwLock::new(value))
        }

        pub(in super::super) fn read(&self) -> RwLockReadGuard<'_, T> {
            take(|| self.0.read(), || self.0.try_read())
        }

        pub(in super::super) fn try_read_recursive(&self) -> Option<RwLockReadGuard<'_, T>> {
            switch();
            self.0.try_read_recursive()
        }

        pub(in super::super) fn write(&self) -> RwLockWriteGuard<'_, T> {
            take(|| self.0.write(), || self.0.try_write())
        }

        pub(in super::super) fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
            switch();
            self.0.try_write()
        }
    }
}
