//! The order of writes on two connections: that of their keys, and that of large values.
//!
//! A large write has the connection of large values, so that small reads do not wait behind it. The writes
//! of a key stay in the order of the operations, also if the future of an earlier one is dropped: a large
//! write begins after the requests under way on the connection of its keys, and a small write after the large
//! writes of its connection.

use super::{multiplexed::SharedParser, sent::Sent};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::runtime;

/// The large writes under way.
pub(super) struct LargeWrites<P: SharedParser> {
    last: Mutex<Vec<LargeWrite<P>>>,
    /// Whether there may be any: most writes are small, and look no further.
    any: AtomicBool,
}

/// The last large write of the keys of a connection.
struct LargeWrite<P: SharedParser> {
    runtime: runtime::Id,
    /// The connection of its keys.
    index: usize,
    sent: Sent<P>,
}

impl<P: SharedParser> LargeWrites<P> {
    pub(super) fn new() -> Self {
        Self {
            last: Mutex::new(Vec::new()),
            any: AtomicBool::new(false),
        }
    }

    /// Takes in a large write of keys of the connection at `index`.
    pub(super) fn add(&self, runtime: runtime::Id, index: usize, sent: Sent<P>) {
        let mut last = self.last.lock();
        last.retain(|write| (write.runtime, write.index) != (runtime, index));
        last.push(LargeWrite {
            runtime,
            index,
            sent,
        });
        self.any.store(true, Relaxed);
    }

    /// The last large write of keys of the connection at `index`, while it is under way.
    pub(super) fn under_way(&self, runtime: runtime::Id, index: usize) -> Option<Sent<P>> {
        // A later operation of the same caller sees the store: it happens after it.
        if !self.any.load(Relaxed) {
            return None;
        }
        let mut last = self.last.lock();
        last.retain(|write| !write.sent.has_ended());
        self.any.store(!last.is_empty(), Relaxed);
        let write = last
            .iter()
            .find(|write| (write.runtime, write.index) == (runtime, index))?;
        Some(write.sent.clone())
    }
}
