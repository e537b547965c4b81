//! A program that writes to the server and is no node, and the check of the answers of nodes.

use crate::reader::{BOUND, Log, now};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

/// The key on the server.
pub(crate) const KEY: &str = "app.k";

/// How long the author waits for the server.
const WAIT: Duration = Duration::from_millis(200);

/// The rounding of the clock of leases, in microseconds.
const TICK: u64 = 1_000;

/// Writes the numbers of its events as values, and keeps the time of each acknowledgement.
#[derive(Default)]
pub(crate) struct Author {
    /// By event, in microseconds; `None` for an event without an acknowledgement.
    acknowledged: Mutex<Vec<Option<u64>>>,
}

impl Author {
    /// Does an event by `write`, which returns whether the server acknowledged it.
    pub(crate) fn event(&self, write: impl FnOnce(usize) -> bool) {
        let mut acknowledged = self.acknowledged.lock().unwrap();
        let number = acknowledged.len();
        acknowledged.push(None);
        drop(acknowledged);
        if write(number) {
            let at = now();
            self.acknowledged.lock().unwrap()[number] = Some(at);
        }
    }

    /// Writes until `done`: mostly values, now and then a delete or a flush.
    pub(crate) fn write(&self, server: &str, done: &AtomicBool) {
        let client = redis::Client::open(server).unwrap();
        let mut connection = None;
        while !done.load(SeqCst) {
            self.event(|number| {
                let command = match number % 16 {
                    7 => redis::cmd("DEL").arg(KEY).to_owned(),
                    15 => redis::cmd("FLUSHALL"),
                    _ => redis::cmd("SET").arg(KEY).arg(number).to_owned(),
                };
                if connection.is_none() {
                    connection = client.get_connection_with_timeout(WAIT).ok();
                    let limits = |open: &redis::Connection| {
                        open.set_read_timeout(Some(WAIT))
                            .and(open.set_write_timeout(Some(WAIT)))
                    };
                    connection.as_ref().map(limits).transpose().unwrap();
                }
                let Some(open) = &mut connection else {
                    return false;
                };
                let is_done = command.query::<redis::Value>(open).is_ok();
                if !is_done {
                    connection = None;
                }
                is_done
            });
            thread::yield_now();
        }
    }

    /// Waits until an event was acknowledged `time` from now.
    pub(crate) fn works_for(&self, time: Duration) {
        let goal = now() + time.as_micros() as u64;
        let last = || {
            self.acknowledged
                .lock()
                .unwrap()
                .iter()
                .rev()
                .flatten()
                .next()
                .copied()
        };
        while last().is_none_or(|last| last < goal) {
            thread::yield_now();
        }
    }

    /// Asserts that no answer is older than the bound. Returns the number of answers.
    pub(crate) fn check(&self, log: &Log) -> usize {
        let acknowledged = self.acknowledged.lock().unwrap();
        for (value, last) in &log.0 {
            // Another event replaced the value at that time at the latest.
            let later = acknowledged.iter().skip(*value as usize + 1).flatten();
            let outdated = later.min().copied().unwrap_or(u64::MAX);
            let bound = BOUND.as_micros() as u64 + TICK;
            assert!(
                *last <= outdated.saturating_add(bound),
                "{value} was the answer to a read {} us after another was acknowledged",
                last - outdated
            );
        }
        log.0.len()
    }
}
