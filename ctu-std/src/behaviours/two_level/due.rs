//! Keys that wait to be computed anew.

use crate::behaviours::machines::Held;
use std::{
    collections::{HashSet, VecDeque},
    hash::Hash,
};

/// Beyond this, keys wait for their next read.
const MOST: usize = 1_024;

/// In the order they came, each once.
pub(super) struct Due<K: ToOwned + ?Sized> {
    order: VecDeque<Held<K>>,
    waiting: HashSet<Held<K>>,
}

impl<K: ToOwned + Hash + Eq + ?Sized> Due<K> {
    pub(super) fn new() -> Self {
        Self {
            order: VecDeque::new(),
            waiting: HashSet::new(),
        }
    }

    /// Adds a key, if there is room. Says whether it did not wait already.
    pub(super) fn push(&mut self, key: &K) -> bool {
        if self.order.len() >= MOST || self.waiting.contains(key) {
            return false;
        }
        self.order.push_back(Held::new(key));
        self.waiting.insert(Held::new(key))
    }

    pub(super) fn pop(&mut self) -> Option<Held<K>> {
        let key = self.order.pop_front()?;
        self.waiting.remove(key.get());
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, MOST};

    #[test]
    fn queue_holds_each_key_once_and_is_bounded() {
        let mut due = Due::<str>::new();
        assert!(due.push("a") && due.push("b") && !due.push("a"));
        assert!(due.pop().is_some_and(|key| key.get() == "a"));
        assert!(due.push("a"));
        assert!(due.pop().is_some_and(|key| key.get() == "b"));
        let pushed = (0..2 * MOST).filter(|key| due.push(&key.to_string()));
        assert_eq!(pushed.count(), MOST - 1);
    }
}
