//! The lease of a first level: the time until which its entries may be served, although other nodes write
//! to the second level.
//!
//! A server reports changed keys on a tracking connection. Two pings, the second sent after the answer
//! to the first, prove that every change before the first ping was reported before the second answer:
//! messages on one connection stay in order. One ping is not enough, since a server may answer a ping
//! before it reports a change of the same cycle of its event loop. The lease ends one `bound` after the
//! first ping of the last answered pair was sent.
//!
//! | state | left by |
//! | --- | --- |
//! | unsubscribed | time: the driver opens a connection |
//! | opening | an acknowledged subscription: subscribed; a failure: unsubscribed |
//! | subscribed | a lost connection, a ping without an answer, or an unexpected answer: unsubscribed |

use crate::random::Random;

/// Times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseSettings {
    /// The time from the first ping of a pair to the end of its lease.
    pub(crate) bound: u64,
    /// The first and the longest wait before another attempt to open a connection.
    pub(crate) retry: (u64, u64),
}

impl LeaseSettings {
    /// The time from one pair to the next.
    fn interval(&self) -> u64 {
        (self.bound / 4).clamp(5, 10_000)
    }

    /// The longest wait for the answer to a ping.
    fn patience(&self) -> u64 {
        (self.bound / 2).clamp(200, 10_000)
    }
}

/// The state machine of one tracking connection after another.
#[derive(Debug)]
pub(crate) struct LeaseMachine {
    settings: LeaseSettings,
    state: State,
    /// The next wait before an attempt, without jitter.
    period: u64,
    /// The end of the lease. It only grows, also over connections: a change that a lost connection did
    /// not report is younger than the pair of the lease.
    end: u64,
    /// The last reported state.
    reported: Option<TrackingChange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unsubscribed { until: u64 },
    Opening,
    Subscribed(Pair),
}

/// The pair of pings under way. Times are those of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    /// The time of the next pair.
    Due(u64),
    First(u64),
    /// The first ping was answered.
    Half(u64),
    Second {
        first: u64,
        second: u64,
    },
}

/// The next step of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseStep {
    /// The driver opens a connection and reports the result.
    Open,
    /// The driver sends a ping.
    Ping,
    /// The driver closes the connection.
    Close,
    /// Nothing before this time. The driver receives messages, if there is a connection.
    Wait(u64),
}

/// A change for statistics and logs: one for each period, not one for each attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrackingChange {
    /// The first lease of a connection.
    Subscribed,
    /// The connection is lost, or none can be opened.
    Unsubscribed,
    /// The server does not report changes.
    Refused,
}

/// An answer without a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnaskedPong;

impl LeaseMachine {
    pub(crate) fn new(settings: LeaseSettings) -> Self {
        Self {
            settings,
            state: State::Unsubscribed { until: 0 },
            period: settings.retry.0,
            end: 0,
            reported: None,
        }
    }

    /// The next step. `now` is read before the step is done: the time of a ping is not after its sending.
    pub(crate) fn next(&mut self, now: u64) -> LeaseStep {
        match self.state {
            State::Unsubscribed { until } if now < until => LeaseStep::Wait(until),
            State::Unsubscribed { .. } | State::Opening => {
                self.state = State::Opening;
                LeaseStep::Open
            }
            State::Subscribed(pair) => self.next_of(pair, now),
        }
    }

    fn next_of(&mut self, pair: Pair, now: u64) -> LeaseStep {
        match pair {
            Pair::Due(at) if now < at => LeaseStep::Wait(at),
            Pair::Due(_) => {
                self.state = State::Subscribed(Pair::First(now));
                LeaseStep::Ping
            }
            Pair::Half(first) => {
                self.state = State::Subscribed(Pair::Second { first, second: now });
                LeaseStep::Ping
            }
            Pair::First(sent) | Pair::Second { second: sent, .. } => {
                let until = sent.saturating_add(self.settings.patience());
                match now < until {
                    true => LeaseStep::Wait(until),
                    false => LeaseStep::Close,
                }
            }
        }
    }

    /// The subscription is acknowledged, and the first level was cleared after that.
    pub(crate) fn opened(&mut self, now: u64) {
        self.state = State::Subscribed(Pair::Due(now));
    }

    /// A ping is answered. Returns the end of the lease if that is the second of a pair.
    pub(crate) fn pong(&mut self, now: u64) -> Result<Option<u64>, UnaskedPong> {
        let State::Subscribed(pair) = self.state else {
            return Err(UnaskedPong);
        };
        match pair {
            Pair::First(sent) => {
                self.state = State::Subscribed(Pair::Half(sent));
                Ok(None)
            }
            Pair::Second { first, .. } => {
                let next = first.saturating_add(self.settings.interval());
                self.state = State::Subscribed(Pair::Due(next.max(now)));
                self.period = self.settings.retry.0;
                self.end = self.end.max(first.saturating_add(self.settings.bound));
                Ok(Some(self.end))
            }
            Pair::Due(_) | Pair::Half(_) => Err(UnaskedPong),
        }
    }

    /// A connection is lost, closed or cannot be opened. The lease stays until its end.
    pub(crate) fn lost(&mut self, now: u64, random: &mut Random) {
        let half = self.period / 2;
        let wait = half + random.up_to(self.period - half);
        self.state = State::Unsubscribed {
            until: now.saturating_add(wait.max(1)),
        };
        let doubled = self.period.saturating_mul(2);
        self.period = doubled.clamp(1, self.settings.retry.1);
    }

    /// The server does not report changes. It may do so later, after an upgrade or a change of its ACL.
    pub(crate) fn refused(&mut self, now: u64, random: &mut Random) {
        self.period = self.settings.retry.1;
        self.lost(now, random);
    }

    /// Ends all leases: the connection does not report every change.
    pub(crate) fn revoke(&mut self) {
        self.end = 0;
    }

    /// Records a change. Returns whether it is to be reported: it differs from the last one.
    pub(crate) fn report(&mut self, change: TrackingChange) -> bool {
        self.reported.replace(change) != Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    const SETTINGS: LeaseSettings = LeaseSettings {
        bound: 1_000,
        retry: (100, 800),
    };

    fn subscribed() -> LeaseMachine {
        let mut machine = LeaseMachine::new(SETTINGS);
        assert_eq!(machine.next(0), LeaseStep::Open);
        machine.opened(0);
        machine
    }

    #[test]
    fn lease_ends_one_bound_after_the_first_ping_of_a_pair() {
        let mut machine = subscribed();
        assert_eq!(machine.next(10), LeaseStep::Ping);
        assert_eq!(machine.pong(60), Ok(None));
        assert_eq!(machine.next(70), LeaseStep::Ping);
        assert_eq!(machine.pong(90), Ok(Some(1_010)));
        assert_eq!(machine.next(90), LeaseStep::Wait(260));
        assert_eq!(machine.next(260), LeaseStep::Ping);
        assert_eq!(machine.pong(270), Ok(None));
        assert_eq!(machine.next(270), LeaseStep::Ping);
        assert_eq!(machine.pong(280), Ok(Some(1_260)));
    }

    #[test]
    fn one_answered_ping_gives_no_lease() {
        let mut machine = subscribed();
        assert_eq!(machine.next(10), LeaseStep::Ping);
        assert_eq!(machine.pong(20), Ok(None));
        assert_eq!(machine.pong(30), Err(UnaskedPong));
    }

    #[test]
    fn pings_of_two_connections_make_no_pair() {
        let (mut machine, mut random) = (subscribed(), Random::new(1));
        assert_eq!(machine.next(10), LeaseStep::Ping);
        assert_eq!(machine.pong(20), Ok(None));
        machine.lost(30, &mut random);
        assert_eq!(machine.next(200), LeaseStep::Open);
        machine.opened(210);
        assert_eq!(machine.next(210), LeaseStep::Ping);
        assert_eq!(machine.pong(220), Ok(None));
    }

    #[test]
    fn connection_without_answers_is_closed() {
        let mut machine = subscribed();
        assert_eq!(machine.next(10), LeaseStep::Ping);
        assert_eq!(machine.next(509), LeaseStep::Wait(510));
        assert_eq!(machine.next(510), LeaseStep::Close);
    }

    #[test]
    fn attempts_grow_rarer_up_to_a_limit_until_a_lease() {
        let (mut machine, mut random) = (LeaseMachine::new(SETTINGS), Random::new(1));
        let mut now = 0;
        for period in [100, 200, 400, 800, 800] {
            assert_eq!(machine.next(now), LeaseStep::Open);
            machine.lost(now, &mut random);
            let LeaseStep::Wait(until) = machine.next(now) else {
                panic!("an attempt without a wait");
            };
            assert!((period / 2..=period).contains(&(until - now)), "{until}");
            now = until;
        }
        assert_eq!(machine.next(now), LeaseStep::Open);
        // A subscription without a lease does not shorten the next wait.
        machine.opened(now);
        machine.lost(now, &mut random);
        assert!(matches!(machine.next(now), LeaseStep::Wait(until) if until >= now + 400));
    }

    #[test]
    fn each_change_is_reported_once() {
        let mut machine = LeaseMachine::new(SETTINGS);
        assert!(machine.report(TrackingChange::Unsubscribed));
        assert!(!machine.report(TrackingChange::Unsubscribed));
        assert!(machine.report(TrackingChange::Subscribed));
        assert!(machine.report(TrackingChange::Unsubscribed));
    }

    /// A message from a server: a report of a change at that time, or the answer to a ping.
    enum Sent {
        Report(u64),
        Pong,
    }

    /// A connection to a server that collects reports until the end of its cycle, and answers pings at
    /// once.
    #[derive(Default)]
    struct Connection {
        pings: usize,
        collected: Vec<u64>,
        on_the_way: VecDeque<Sent>,
    }

    impl Connection {
        fn execute(&mut self) {
            self.on_the_way.extend((0..self.pings).map(|_| Sent::Pong));
            self.pings = 0;
        }

        fn end_cycle(&mut self) {
            let collected = self.collected.drain(..);
            self.on_the_way.extend(collected.map(Sent::Report));
        }
    }

    proptest! {
        /// In any schedule of a client, a network and a server: when the lease grows, each change before
        /// its start was reported, at most one ping is under way, and the driver never spins.
        #[test]
        fn every_change_before_the_start_of_a_lease_was_reported(
            seed: u64,
            steps in prop::collection::vec((0..12u8, 0..400u64), 1..300),
        ) {
            let (mut machine, mut random) = (LeaseMachine::new(SETTINGS), Random::new(seed));
            let mut connection: Option<Connection> = None;
            let (mut now, mut last, mut unanswered) = (0, 0, 0);
            // Changes that the present connection has not reported.
            let mut unreported: Vec<u64> = Vec::new();
            for (step, wait) in steps {
                match step {
                    0 => now += wait,
                    1..=3 => match machine.next(now) {
                        LeaseStep::Open if wait % 4 == 0 => machine.lost(now, &mut random),
                        LeaseStep::Open if wait % 4 == 1 => machine.refused(now, &mut random),
                        LeaseStep::Open => {
                            // All entries are cleared after the subscription.
                            unreported.clear();
                            (connection, unanswered) = (Some(Connection::default()), 0);
                            machine.opened(now);
                        }
                        LeaseStep::Ping => {
                            connection.as_mut().unwrap().pings += 1;
                            unanswered += 1;
                            prop_assert_eq!(unanswered, 1);
                        }
                        LeaseStep::Close => {
                            connection = None;
                            machine.lost(now, &mut random);
                        }
                        LeaseStep::Wait(until) => prop_assert!(until > now),
                    },
                    4 => {
                        unreported.push(now);
                        if let Some(connection) = &mut connection {
                            connection.collected.push(now);
                        }
                        now += 1;
                    }
                    5..=6 => connection.iter_mut().for_each(Connection::execute),
                    7 => connection.iter_mut().for_each(Connection::end_cycle),
                    8..=10 => {
                        let sent = connection.as_mut().and_then(|open| {
                            open.on_the_way.pop_front()
                        });
                        match sent {
                            Some(Sent::Report(at)) => {
                                let at = unreported.iter().position(|change| *change == at);
                                at.map(|at| unreported.remove(at));
                            }
                            Some(Sent::Pong) => {
                                unanswered -= 1;
                                // The server ends its cycle before it reads the next ping.
                                if let Some(end) = machine.pong(now).unwrap() {
                                    prop_assert!(end >= last && end <= now + SETTINGS.bound);
                                    let start = end - SETTINGS.bound;
                                    if end > last {
                                        let missed = unreported.iter().any(|at| *at < start);
                                        prop_assert!(!missed, "{unreported:?} before {start}");
                                    }
                                    last = end;
                                }
                            }
                            None => {}
                        }
                    }
                    _ => {
                        if connection.take().is_some() {
                            machine.lost(now, &mut random);
                        }
                    }
                }
                // A server reads a ping that was sent after an answer in a later cycle.
                if let Some(connection) = &mut connection
                    && connection.pings > 0
                    && matches!(machine.state, State::Subscribed(Pair::Second { .. }))
                {
                    connection.end_cycle();
                }
            }
        }
    }
}
