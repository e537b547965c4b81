//! One request for the map of slots at a time, among all threads.

use super::super::RedisError;
use crate::backends::net::Deadline;
use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// From the end of one refresh to the beginning of the next. While nodes are down every operation
/// finds the map wanting: they must not all ask for another.
const PAUSE: Duration = Duration::from_millis(200);

/// Sees to it that the map of slots is refreshed by one thread at a time, and not too often.
pub(super) struct Refresh<C = fn() -> Instant> {
    now: C,
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    running: bool,
    /// When the last one ended, and how.
    last: Option<(Instant, Result<(), RedisError>)>,
}

impl Default for Refresh {
    fn default() -> Self {
        Self::by(Instant::now)
    }
}

impl<C: Fn() -> Instant> Refresh<C> {
    /// One that takes the time from `now`.
    fn by(now: C) -> Self {
        let state = State {
            running: false,
            last: None,
        };
        Self {
            now,
            state: Mutex::new(state),
            ended: Condvar::new(),
        }
    }

    /// Runs `refresh`, unless another ran just now or does. In that case waits for its end, if `wait`
    /// says until when, and returns how the last one ended.
    pub(super) fn run(
        &self,
        wait: Option<Deadline>,
        refresh: impl FnOnce() -> Result<(), RedisError>,
    ) -> Result<(), RedisError> {
        let mut state = self.state.lock();
        let mut waited = false;
        while let (true, Some(deadline)) = (state.running, wait) {
            waited = true;
            if self.ended.wait_until(&mut state, deadline.at()).timed_out() {
                break;
            }
        }
        let early =
            |(ended, _): &(Instant, _)| (self.now)().saturating_duration_since(*ended) < PAUSE;
        if waited || state.running || state.last.as_ref().is_some_and(early) {
            return state.last.as_ref().map_or(Ok(()), |(_, done)| done.clone());
        }
        state.running = true;
        drop(state);
        let mut turn = Turn(self, Ok(()));
        turn.1 = refresh();
        turn.1.clone()
    }
}

/// The right to refresh, given back on drop, also when refreshing panics.
struct Turn<'r, C: Fn() -> Instant>(&'r Refresh<C>, Result<(), RedisError>);

impl<C: Fn() -> Instant> Drop for Turn<'_, C> {
    fn drop(&mut self) {
        let done = std::mem::replace(&mut self.1, Ok(()));
        let mut state = self.0.state.lock();
        state.running = false;
        state.last = Some(((self.0.now)(), done));
        drop(state);
        self.0.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        cell::Cell,
        sync::{
            Barrier,
            atomic::{AtomicUsize, Ordering::SeqCst},
        },
        thread,
    };

    fn soon() -> Option<Deadline> {
        Some(Deadline::after(Duration::from_secs(60)))
    }

    #[test]
    fn consecutive_refreshes_run_each() {
        let begin = Instant::now();
        let time = Cell::new(begin);
        let refresh = Refresh::by(|| time.get());
        let runs = Cell::new(0);
        let run = |done: Result<(), RedisError>| {
            refresh.run(None, || {
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
                    let done = refresh.run(soon(), || panic!("another is under way"));
                    assert_eq!(done, Err(RedisError::WrongType));
                });
            }
            let done = refresh.run(soon(), || {
                runs.fetch_add(1, SeqCst);
                all.wait();
                // An operation that needs no map does not wait for one.
                assert_eq!(refresh.run(None, || panic!("it is under way")), Ok(()));
                Err(RedisError::WrongType)
            });
            assert_eq!(done, Err(RedisError::WrongType));
        });
        assert_eq!(runs.into_inner(), 1);
    }

    #[test]
    fn deadline_ends_the_wait() {
        let refresh = Refresh::default();
        let done = refresh.run(None, || {
            let passed = Some(Deadline::after(Duration::ZERO));
            assert_eq!(refresh.run(passed, || panic!("it is under way")), Ok(()));
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
            refresh.run(None, || panic!("as it is told"))
        }));
        assert!(panicked.is_err());
        time.set(begin + PAUSE);
        let done = refresh.run(soon(), || Err(RedisError::WrongType));
        assert_eq!(done, Err(RedisError::WrongType));
    }
}
