//! Keeps operations from a network that fails.

use crate::random::Random;

/// When a breaker opens, and for how long. Times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BreakerSettings {
    /// It opens after so many failures in a row,
    pub(crate) failures: u32,
    /// or as soon as failures in a row took so long together: who waited for a deadline once is not to
    /// wait for the next.
    pub(crate) patience: u64,
    /// How long it stays open the first time.
    pub(crate) first: u64,
    /// What that grows to, twofold with every probe that fails.
    pub(crate) longest: u64,
}

/// A breaker: closed while the network works, open when it fails, and then closed again by one probe.
#[derive(Debug)]
pub(crate) struct Breaker {
    settings: BreakerSettings,
    state: State,
    /// Changes with the state: what an operation of an earlier one found out is out of date.
    round: u64,
    /// How long it stays open the next time, before jitter.
    period: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32, lost: u64 },
    Open { until: u64 },
    Probing,
}

/// The leave to do one operation, whose outcome is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Pass {
    round: u64,
    began: u64,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The other side answered, be it with a refusal.
    Answered,
    /// It did not, or not as it should.
    Failed,
    /// The operation did not come as far as asking.
    NotAsked,
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

    /// Leave to ask, or none while it is open or a probe is under way.
    pub(crate) fn admit(&mut self, now: u64) -> Option<Pass> {
        match self.state {
            State::Closed { .. } => {}
            State::Open { until } if now >= until => self.enter(State::Probing),
            State::Open { .. } | State::Probing => return None,
        }
        Some(Pass {
            round: self.round,
            began: now,
        })
    }

    /// Takes in how an operation ended. Says whether that closed it (`false`) or opened it (`true`).
    pub(crate) fn report(
        &mut self,
        pass: Pass,
        outcome: Outcome,
        now: u64,
        random: &mut Random,
    ) -> Option<bool> {
        if pass.round != self.round {
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
            // Nobody knows more than before: the next one is the probe.
            (State::Probing, Outcome::NotAsked) => self.enter(State::Open { until: now }),
            (State::Closed { .. }, Outcome::Answered) => self.state = CLOSED,
            (State::Closed { failures, lost }, Outcome::Failed) => {
                let failures = failures.saturating_add(1);
                let lost = lost.saturating_add(now.saturating_sub(pass.began));
                self.state = State::Closed { failures, lost };
                if failures >= self.settings.failures || lost >= self.settings.patience {
                    self.open(now, random);
                    return Some(true);
                }
            }
            (State::Closed { .. }, Outcome::NotAsked) | (State::Open { .. }, _) => {}
        }
        None
    }

    /// Whether it is closed.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// When it lets a probe through, if it is open.
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
            let pass = breaker.admit(0).unwrap();
            assert_eq!(breaker.report(pass, outcome, 0, &mut random), None);
        }
        let pass = breaker.admit(0).unwrap();
        let opened = breaker.report(pass, Outcome::Failed, 0, &mut random);
        assert_eq!(opened, Some(true));
        assert_eq!(breaker.admit(0), None);
    }

    #[test]
    fn one_timeout_opens_the_breaker() {
        let (mut breaker, mut random) = breaker();
        let pass = breaker.admit(0).unwrap();
        let opened = breaker.report(pass, Outcome::Failed, 50, &mut random);
        assert_eq!(opened, Some(true));
    }

    #[test]
    fn only_one_probe_runs_and_late_outcomes_are_ignored() {
        let (mut breaker, mut random) = breaker();
        let early = breaker.admit(0).unwrap();
        let pass = breaker.admit(0).unwrap();
        breaker.report(pass, Outcome::Failed, 50, &mut random);
        let until = breaker.opens_at().unwrap();
        assert!((100..=150).contains(&until));
        assert_eq!(breaker.admit(until - 1), None);
        let probe = breaker.admit(until).unwrap();
        assert_eq!(breaker.admit(until), None);
        let late = breaker.report(early, Outcome::Answered, until, &mut random);
        assert_eq!((late, breaker.is_closed()), (None, false));
        let closed = breaker.report(probe, Outcome::Answered, until, &mut random);
        assert_eq!((closed, breaker.is_closed()), (Some(false), true));
    }

    #[test]
    fn open_period_grows_to_a_limit() {
        let (mut breaker, mut random) = breaker();
        let mut now = 0;
        let pass = breaker.admit(now).unwrap();
        breaker.report(pass, Outcome::Failed, 50, &mut random);
        for period in [100, 200, 400, 800, 1_000, 1_000] {
            now = now.max(50);
            let until = breaker.opens_at().unwrap();
            let open = until - now;
            assert!((period / 2..=period).contains(&open), "{open} of {period}");
            now = until;
            let probe = breaker.admit(now).unwrap();
            assert_eq!(
                breaker.report(probe, Outcome::Failed, now, &mut random),
                None
            );
        }
    }

    #[test]
    fn inconclusive_probe_is_followed_by_another() {
        let (mut breaker, mut random) = breaker();
        let pass = breaker.admit(0).unwrap();
        breaker.report(pass, Outcome::Failed, 50, &mut random);
        let probe = breaker.admit(200).unwrap();
        breaker.report(probe, Outcome::NotAsked, 200, &mut random);
        assert!(breaker.admit(200).is_some());
    }

    proptest! {
        /// However threads and outcomes meet: one probe at a time, no operation while it is open, and
        /// never open for longer than the limit.
        #[test]
        fn random_schedules_keep_the_invariants(
            seed: u64,
            steps in prop::collection::vec((0..4u8, 0..300u64, 0..8usize), 1..200),
        ) {
            let (mut breaker, mut random) = (Breaker::new(SETTINGS), Random::new(seed));
            let mut now = 0;
            let mut flying: Vec<Pass> = Vec::new();
            for (step, wait, which) in steps {
                now += wait;
                if step == 0 {
                    let (closed, opens) = (breaker.is_closed(), breaker.opens_at());
                    let pass = breaker.admit(now);
                    prop_assert_eq!(pass.is_some(), closed || opens.is_some_and(|at| at <= now));
                    flying.extend(pass);
                } else if !flying.is_empty() {
                    let pass = flying.swap_remove(which % flying.len());
                    let outcome = [Outcome::Answered, Outcome::Failed, Outcome::NotAsked];
                    breaker.report(pass, outcome[usize::from(step) - 1], now, &mut random);
                }
                if let Some(at) = breaker.opens_at() {
                    prop_assert!(at <= now + SETTINGS.longest);
                }
                let probing = !breaker.is_closed() && breaker.opens_at().is_none();
                let current = flying.iter().filter(|pass| pass.round == breaker.round).count();
                prop_assert!(!probing || current == 1);
            }
        }
    }
}
