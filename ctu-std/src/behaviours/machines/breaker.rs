//! The circuit breaker.
//!
//! | state | an operation | left by |
//! | --- | --- | --- |
//! | closed | gets a permit | failures in a row: open |
//! | open | gets none | time: the next operation gets a permit as the probe |
//! | probing | gets none | the outcome of the probe: closed, or open for twice as long |

use crate::random::Random;

/// Thresholds and periods. Times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BreakerSettings {
    /// The number of failures in a row that opens the breaker.
    pub(crate) failures: u32,
    /// The total time of failures in a row that opens the breaker: a caller that waited for one
    /// deadline does not wait for the next.
    pub(crate) patience: u64,
    /// The first open period.
    pub(crate) first: u64,
    /// The longest open period. Each failed probe doubles the period.
    pub(crate) longest: u64,
}

/// A circuit breaker: closed while the network works, open after failures, closed again by a probe.
#[derive(Debug)]
pub(crate) struct Breaker {
    settings: BreakerSettings,
    state: State,
    /// Changes with the state: the outcome of an operation that began in an earlier state is ignored.
    round: u64,
    /// The next open period, before jitter.
    period: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32, lost: u64 },
    Open { until: u64 },
    Probing,
}

/// The permission for one operation. Its outcome is to be [recorded](Breaker::record).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the outcome is to be recorded"]
pub(crate) struct Permit {
    round: u64,
    began: u64,
}

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The other side answered, if only with a refusal.
    Answered,
    /// The other side did not answer, or answered wrongly.
    Failed,
    /// No request was sent.
    NotAsked,
    /// The caller dropped the operation before its end.
    Dropped,
}

impl Breaker {
    pub(crate) fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            state: CLOSED,
            round: 0,
            period: settings.first,
        }
    }

    /// A permit, unless the breaker is open or a probe is under way.
    pub(crate) fn try_acquire(&mut self, now: u64) -> Option<Permit> {
        match self.state {
            State::Closed { .. } => {}
            State::Open { until } if now >= until => self.enter(State::Probing),
            State::Open { .. } | State::Probing => return None,
        }
        Some(Permit {
            round: self.round,
            began: now,
        })
    }

    /// Records the outcome of an operation. Returns whether that opened (`true`) or closed (`false`) the
    /// breaker.
    pub(crate) fn record(
        &mut self,
        permit: Permit,
        outcome: Outcome,
        now: u64,
        random: &mut Random,
    ) -> Option<bool> {
        if permit.round != self.round {
            return None;
        }
        match (self.state, outcome) {
            (State::Probing, Outcome::Answered) => {
                self.period = self.settings.first;
                self.enter(CLOSED);
                return Some(false);
            }
            (State::Probing, Outcome::Failed) => {
                self.period = self.period.saturating_mul(2).min(self.settings.longest);
                self.open(now, random);
            }
            // The probe was inconclusive: the next operation is the probe.
            (State::Probing, Outcome::NotAsked | Outcome::Dropped) => {
                self.enter(State::Open { until: now });
            }
            (State::Closed { .. }, Outcome::Answered) => self.state = CLOSED,
            (State::Closed { failures, lost }, Outcome::Failed) => {
                let failures = failures.saturating_add(1);
                let lost = lost.saturating_add(now.saturating_sub(permit.began));
                self.state = State::Closed { failures, lost };
                if failures >= self.settings.failures || lost >= self.settings.patience {
                    self.open(now, random);
                    return Some(true);
                }
            }
            // No failure: callers that hang up do not open the breaker. The next failure counts their time.
            (State::Closed { failures, lost }, Outcome::Dropped) => {
                let lost = lost.saturating_add(now.saturating_sub(permit.began));
                self.state = State::Closed { failures, lost };
            }
            (State::Closed { .. }, Outcome::NotAsked) | (State::Open { .. }, _) => {}
        }
        None
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// The time of the next probe, if the breaker is open.
    pub(crate) fn opens_at(&self) -> Option<u64> {
        match self.state {
            State::Open { until } => Some(until),
            State::Closed { .. } | State::Probing => None,
        }
    }

    /// Between half the period and all of it, so that many programs do not probe at once.
    fn open(&mut self, now: u64, random: &mut Random) {
        let half = self.period / 2;
        let until = now.saturating_add(half + random.up_to(self.period - half));
        self.enter(State::Open { until });
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.round = self.round.wrapping_add(1);
    }
}

const CLOSED: State = State::Closed {
    failures: 0,
    lost: 0,
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SETTINGS: BreakerSettings = BreakerSettings {
        failures: 3,
        patience: 50,
        first: 100,
        longest: 1_000,
    };

    fn breaker() -> (Breaker, Random) {
        (Breaker::new(SETTINGS), Random::new(1))
    }

    #[test]
    fn breaker_opens_only_after_consecutive_failures() {
        let (mut breaker, mut random) = breaker();
        for outcome in [
            Outcome::Failed,
            Outcome::Failed,
            Outcome::Answered,
            Outcome::Failed,
            Outcome::NotAsked,
            Outcome::Failed,
        ] {
            let permit = breaker.try_acquire(0).unwrap();
            assert_eq!(breaker.record(permit, outcome, 0, &mut random), None);
        }
        let permit = breaker.try_acquire(0).unwrap();
        let opened = breaker.record(permit, Outcome::Failed, 0, &mut random);
        assert_eq!(opened, Some(true));
        assert_eq!(breaker.try_acquire(0), None);
    }

    #[test]
    fn one_timeout_opens_the_breaker() {
        let (mut breaker, mut random) = breaker();
        let permit = breaker.try_acquire(0).unwrap();
        let opened = breaker.record(permit, Outcome::Failed, 50, &mut random);
        assert_eq!(opened, Some(true));
    }

    #[test]
    fn only_one_probe_runs_and_late_outcomes_are_ignored() {
        let (mut breaker, mut random) = breaker();
        let early = breaker.try_acquire(0).unwrap();
        let permit = breaker.try_acquire(0).unwrap();
        breaker.record(permit, Outcome::Failed, 50, &mut random);
        let until = breaker.opens_at().unwrap();
        assert!((100..=150).contains(&until));
        assert_eq!(breaker.try_acquire(until - 1), None);
        let probe = breaker.try_acquire(until).unwrap();
        assert_eq!(breaker.try_acquire(until), None);
        let late = breaker.record(early, Outcome::Answered, until, &mut random);
        assert_eq!((late, breaker.is_closed()), (None, false));
        let closed = breaker.record(probe, Outcome::Answered, until, &mut random);
        assert_eq!((closed, breaker.is_closed()), (Some(false), true));
    }

    #[test]
    fn open_period_grows_to_a_limit() {
        let (mut breaker, mut random) = breaker();
        let mut now = 0;
        let permit = breaker.try_acquire(now).unwrap();
        breaker.record(permit, Outcome::Failed, 50, &mut random);
        for period in [100, 200, 400, 800, 1_000, 1_000] {
            now = now.max(50);
            let until = breaker.opens_at().unwrap();
            let open = until - now;
            assert!((period / 2..=period).contains(&open), "{open} of {period}");
            now = until;
            let probe = breaker.try_acquire(now).unwrap();
            assert_eq!(
                breaker.record(probe, Outcome::Failed, now, &mut random),
                None
            );
        }
    }

    #[test]
    fn inconclusive_probe_is_followed_by_another() {
        let (mut breaker, mut random) = breaker();
        let permit = breaker.try_acquire(0).unwrap();
        breaker.record(permit, Outcome::Failed, 50, &mut random);
        let probe = breaker.try_acquire(200).unwrap();
        breaker.record(probe, Outcome::NotAsked, 200, &mut random);
        assert!(breaker.try_acquire(200).is_some());
    }

    #[test]
    fn dropped_operations_do_not_open_the_breaker_but_their_time_counts() {
        let (mut breaker, mut random) = breaker();
        for _ in 0..100 {
            let permit = breaker.try_acquire(0).unwrap();
            assert_eq!(
                breaker.record(permit, Outcome::Dropped, 40, &mut random),
                None
            );
        }
        let permit = breaker.try_acquire(0).unwrap();
        let opened = breaker.record(permit, Outcome::Failed, 0, &mut random);
        assert_eq!(opened, Some(true));
        // A dropped probe is followed by another.
        let probe = breaker.try_acquire(200).unwrap();
        breaker.record(probe, Outcome::Dropped, 210, &mut random);
        assert!(breaker.try_acquire(210).is_some());
    }

    proptest! {
        /// In any schedule: one probe at a time, no operation while the breaker is open, and no open
        /// period above the limit.
        #[test]
        fn random_schedules_keep_the_invariants(
            seed: u64,
            steps in prop::collection::vec((0..5u8, 0..300u64, 0..8usize), 1..200),
        ) {
            let (mut breaker, mut random) = (Breaker::new(SETTINGS), Random::new(seed));
            let mut now = 0;
            let mut in_flight: Vec<Permit> = Vec::new();
            for (step, wait, which) in steps {
                now += wait;
                if step == 0 {
                    let (closed, opens) = (breaker.is_closed(), breaker.opens_at());
                    let permit = breaker.try_acquire(now);
                    prop_assert_eq!(permit.is_some(), closed || opens.is_some_and(|at| at <= now));
                    in_flight.extend(permit);
                } else if !in_flight.is_empty() {
                    let permit = in_flight.swap_remove(which % in_flight.len());
                    let outcome = [
                        Outcome::Answered,
                        Outcome::Failed,
                        Outcome::NotAsked,
                        Outcome::Dropped,
                    ];
                    let outcome = outcome[usize::from(step) - 1];
                    let opened = breaker.record(permit, outcome, now, &mut random);
                    prop_assert!(outcome == Outcome::Failed || opened != Some(true));
                }
                if let Some(at) = breaker.opens_at() {
                    prop_assert!(at <= now + SETTINGS.longest);
                }
                let probing = !breaker.is_closed() && breaker.opens_at().is_none();
                let current = in_flight.iter().filter(|permit| permit.round == breaker.round).count();
                prop_assert!(!probing || current == 1);
            }
        }
    }
}
