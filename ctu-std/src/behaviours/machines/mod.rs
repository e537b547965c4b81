//! What a cache has to know to live with a network, as state machines: fed with time and outcomes,
//! they do no I/O, start no thread and read no clock, so that a blocking and an async driver can share them.

mod breaker;
mod health;
mod held;
mod journal;
mod suspects;

pub(crate) use breaker::{Breaker, BreakerSettings, Outcome, Pass};
pub(crate) use health::{Change, Health};
pub(crate) use held::Held;
pub(crate) use journal::{Belief, Journal, JournalSettings, Noted, Replay, What};
