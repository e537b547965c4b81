//! The nodes of a cluster that report changes.

use parking_lot::RwLock;
use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

/// The nodes with a tracking connection, and the answers of others. An entry that another node has
/// answered may change without a report.
#[derive(Default)]
pub(in super::super) struct Tracks {
    /// Whether changes are tracked at all.
    is_on: AtomicBool,
    servers: RwLock<Vec<Arc<str>>>,
    unreported: AtomicU64,
}

impl Tracks {
    /// The node at `server` has answered. Counted before the caller gets the answer.
    pub(in super::super) fn answered(&self, server: &str) {
        if self.is_on.load(Relaxed) && !self.servers.read().iter().any(|other| **other == *server) {
            self.unreported.fetch_add(1, Release);
        }
    }

    /// Counts answers from now on.
    pub(super) fn switch_on(&self) {
        self.is_on.store(true, Relaxed);
    }

    /// The nodes at `servers` report changes.
    pub(super) fn set(&self, servers: Vec<Arc<str>>) {
        *self.servers.write() = servers;
    }

    /// The number of answers so far from nodes that report nothing.
    pub(super) fn unreported(&self) -> u64 {
        self.unreported.load(Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::Tracks;

    #[test]
    fn answers_of_nodes_that_report_nothing_are_counted() {
        let tracks = Tracks::default();
        tracks.answered("a:1");
        assert_eq!(tracks.unreported(), 0);
        tracks.switch_on();
        tracks.answered("a:1");
        assert_eq!(tracks.unreported(), 1);
        tracks.set(vec!["a:1".into()]);
        tracks.answered("a:1");
        tracks.answered("a:2");
        assert_eq!(tracks.unreported(), 2);
    }
}
