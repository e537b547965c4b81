//! A flight: a computation under way.

use super::{Lead, waiters::Waiters};
use alloc::vec::Vec;

/// A computation under way, and its callers.
pub(super) struct Flight<K, V> {
    pub(super) key: K,
    pub(super) state: State<V>,
    /// The callers that compute: one, and those whose wait expired.
    pub(super) leaders: Vec<Option<u64>>,
    pub(super) waiters: Waiters,
    pub(super) storing: Storing,
}

/// The state of a computation.
pub(super) enum State<V> {
    Computing,
    Finished(V),
    /// Computing failed, and callers wait.
    Vacant,
}

/// Whether the result is being stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storing {
    No,
    Yes,
    /// The key was written since.
    Doubted,
}

impl<K, V> Flight<K, V> {
    pub(super) fn lead(&mut self, id: u64, caller: Option<u64>) -> Lead {
        self.state = State::Computing;
        self.leaders.push(caller);
        Lead {
            flight: id,
            caller,
            stores: false,
        }
    }
}

impl<V> State<V> {
    pub(super) fn value(&self) -> Option<&V> {
        match self {
            Self::Finished(value) => Some(value),
            Self::Computing | Self::Vacant => None,
        }
    }

    pub(super) fn into_value(self) -> Option<V> {
        match self {
            Self::Finished(value) => Some(value),
            Self::Computing | Self::Vacant => None,
        }
    }
}
