//! One request for the map of slots at a time. No I/O.

use super::super::RedisError;
use std::time::{Duration, Instant};

/// The least time from the end of one refresh to the start of the next. While nodes are down, every
/// operation needs another map: one request serves all of them.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// The turns of the callers that refresh the map.
#[derive(Default)]
pub(in super::super) struct Turns {
    /// The latest end of the refresh under way.
    running: Option<Instant>,
    /// The end of the last refresh, and its result.
    last: Option<(Instant, Result<(), RedisError>)>,
}

/// The turn of one caller.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Turn {
    /// The caller refreshes the map, and reports the [`end`](Turns::end).
    Run,
    /// The caller waits for the refresh under way, at most until this instant, and asks again.
    Wait(Instant),
    /// The caller goes on with this result of the last refresh.
    Ended(Result<(), RedisError>),
}

impl Turns {
    /// The turn of a caller that came at `since`. Its own refresh ends at `until` at the latest: after
    /// that instant it holds up no other, also if nothing drives it any more. Without `wait`, a caller
    /// goes on during the refresh of another.
    pub(in super::super) fn turn(
        &mut self,
        since: Instant,
        now: Instant,
        until: Instant,
        wait: bool,
    ) -> Turn {
        if let Some((ended, done)) = &self.last
            && (*ended >= since || now.saturating_duration_since(*ended) < PAUSE)
        {
            return Turn::Ended(done.clone());
        }
        match self.running.filter(|until| now < *until) {
            Some(until) if wait => Turn::Wait(until),
            Some(_) => Turn::Ended(self.last()),
            None => {
                self.running = Some(until);
                Turn::Run
            }
        }
    }

    /// The result of the last refresh.
    pub(in super::super) fn last(&self) -> Result<(), RedisError> {
        self.last.as_ref().map_or(Ok(()), |(_, done)| done.clone())
    }

    /// Takes in the end of the refresh under way at `now`; `None` for one that was given up.
    pub(in super::super) fn end(&mut self, now: Instant, done: Option<Result<(), RedisError>>) {
        self.running = None;
        if let Some(done) = done {
            self.last = Some((now, done));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn given_up_refresh_is_taken_over() {
        let (mut turns, begin) = (Turns::default(), Instant::now());
        let until = begin + secs(9);
        assert_eq!(turns.turn(begin, begin, until, true), Turn::Run);
        assert_eq!(turns.turn(begin, begin, until, true), Turn::Wait(until));
        assert_eq!(turns.turn(begin, begin, until, false), Turn::Ended(Ok(())));
        turns.end(begin, None);
        assert_eq!(turns.turn(begin, begin, until, true), Turn::Run);
        // The waiters get the result of the refresh that they waited for.
        turns.end(begin + secs(1), Some(Err(RedisError::WrongType)));
        let ended = turns.turn(begin, begin + secs(5), until, true);
        assert_eq!(ended, Turn::Ended(Err(RedisError::WrongType)));
    }

    #[test]
    fn refresh_without_an_end_holds_up_others_until_its_deadline() {
        let (mut turns, begin) = (Turns::default(), Instant::now());
        let until = begin + secs(1);
        assert_eq!(turns.turn(begin, begin, until, true), Turn::Run);
        assert_eq!(turns.turn(begin, until, until + secs(1), true), Turn::Run);
    }
}
