//! One request for the map of slots at a time, among all threads.

use super::{
    super::RedisError,
    turns::{Turn, Turns},
};
use crate::backends::net::Deadline;
use parking_lot::{Condvar, Mutex};
use std::time::Instant;

/// Has the map of slots refreshed by one thread at a time, and not too often.
pub(super) struct Refresh<C = fn() -> Instant> {
    now: C,
    turns: Mutex<Turns>,
    ended: Condvar,
}

impl Default for Refresh {
    fn default() -> Self {
        Self::by(Instant::now)
    }
}

impl<C: Fn() -> Instant> Refresh<C> {
    /// One that takes the time from `now`.
    fn by(now: C) -> Self {
        Self {
            now,
            turns: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// Runs `refresh`, which ends by `deadline`, unless another ended a moment ago or is under way. In
    /// that case waits for its end, at most until the instant in `wait`, and returns the result of the
    /// last one.
    pub(super) fn run(
        &self,
        wait: Option<Deadline>,
        deadline: Deadline,
        refresh: impl FnOnce() -> Result<(), RedisError>,
    ) -> Result<(), RedisError> {
        let since = (self.now)();
        let mut turns = self.turns.lock();
        loop {
            match turns.turn(since, (self.now)(), deadline.at(), wait.is_some()) {
                Turn::Run => break,
                Turn::Ended(done) => return done,
                Turn::Wait(until) => {
                    let at = wait.map_or(until, |wait| wait.at().min(until));
                    let is_late = self.ended.wait_until(&mut turns, at).timed_out();
                    if is_late && wait.is_some_and(|wait| wait.remaining().is_none()) {
                        return turns.last();
                    }
                }
            }
        }
        drop(turns);
        let mut running = Running(self, None);
        let done = refresh();
        running.1 = Some(done.clone());
        done
    }
}

/// A refresh under way, which ends on drop, also when refreshing panics.
struct Running<'r, C: Fn() -> Instant>(&'r Refresh<C>, Option<Result<(), RedisError>>);

impl<C: Fn() -> Instant> Drop for Running<'_, C> {
    fn drop(&mut self) {
        let now = (self.0.now)();
        self.0.turns.lock().end(now, self.1.take());
        self.0.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::redis::cluster::turns::PAUSE;
    use std::{
        cell::Cell,
        sync::{
            Barrier,
            atomic::{AtomicUsize, Ordering::SeqCst},
        },
        thread,
        time::Duration,
    };

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[test]
    fn consecutive_refreshes_run_each() {
        let begin = Instant::now();
        let time = Cell::new(begin);
        let refresh = Refresh::by(|| time.get());
        let runs = Cell::new(0);
        let run = |done: Result<(), RedisError>| {
            refresh.run(None, soon(), || {
                runs.set(runs.get() + 1);
                done
            })
        };
        assert_eq!(run(Err(RedisError::WrongType)), Err(RedisError::WrongType));
        // A caller that comes too early gets the last result.
        assert_eq!(run(Ok(())), Err(RedisError::WrongType));
        time.set(begin + PAUSE - Duration::from_nanos(1));
        assert_eq!(run(Ok(())), Err(RedisError::WrongType));
        assert_eq!(runs.get(), 1);
        time.set(begin + PAUSE);
        assert_eq!(run(Ok(())), Ok(()));
        assert_eq!(run(Err(RedisError::WrongType)), Ok(()));
        assert_eq!(runs.get(), 2);
        // A clock that goes back stops nothing for longer than that.
        time.set(begin);
        assert_eq!(run(Ok(())), Ok(()));
        assert_eq!(runs.get(), 2);
    }

    #[test]
    fn concurrent_requests_share_one_refresh() {
        let refresh = Refresh::default();
        let runs = AtomicUsize::new(0);
        let all = Barrier::new(9);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    all.wait();
                    let done = refresh.run(Some(soon()), soon(), || panic!("another is under way"));
                    assert_eq!(done, Err(RedisError::WrongType));
                });
            }
            let done = refresh.run(Some(soon()), soon(), || {
                runs.fetch_add(1, SeqCst);
                all.wait();
                // An operation that needs no map does not wait for one.
                assert_eq!(
                    refresh.run(None, soon(), || panic!("it is under way")),
                    Ok(())
                );
                Err(RedisError::WrongType)
            });
            assert_eq!(done, Err(RedisError::WrongType));
        });
        assert_eq!(runs.into_inner(), 1);
    }

    #[test]
    fn deadline_ends_the_wait() {
        let refresh = Refresh::default();
        let done = refresh.run(None, soon(), || {
            let passed = Some(Deadline::after(Duration::ZERO));
            assert_eq!(
                refresh.run(passed, soon(), || panic!("it is under way")),
                Ok(())
            );
            Ok(())
        });
        assert_eq!(done, Ok(()));
    }

    #[test]
    fn refresh_after_a_panic_runs() {
        let begin = Instant::now();
        let time = Cell::new(begin);
        let refresh = Refresh::by(|| time.get());
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            refresh.run(None, soon(), || panic!("as it is told"))
        }));
        assert!(panicked.is_err());
        time.set(begin + PAUSE);
        let done = refresh.run(Some(soon()), soon(), || Err(RedisError::WrongType));
        assert_eq!(done, Err(RedisError::WrongType));
    }
}
