//! State machines of a cache over a network. They take times and outcomes, do no I/O, start no thread
//! and read no clock, so blocking and async drivers share them.

mod breaker;
mod echo_check;
mod health;
mod journal;
mod lease;
mod overflow_filter;
mod owned_key;

pub(crate) use breaker::{Breaker, BreakerSettings, Outcome, Permit};
pub(crate) use echo_check::{EchoCheck, WatchedWrite};
pub(crate) use health::{Change, Health, ReadDecision};
pub(crate) use journal::{Journal, JournalSettings, MissedOp, RecordOutcome, Replay, Trust};
pub(crate) use lease::{LeaseMachine, LeaseSettings, LeaseStep, TrackingChange, UnaskedPong};
pub(crate) use overflow_filter::Repair;
pub(crate) use owned_key::OwnedKey;
