//! The queue of keys to refresh.

use crate::behaviours::machines::OwnedKey;
use std::{
    collections::{HashSet, VecDeque},
    hash::Hash,
};

/// The capacity. A further key is queued by a later read.
pub(super) const MAX_QUEUED: usize = 1_024;

/// Keys in the order of their arrival, each once.
pub(super) struct RefreshQueue<K: ToOwned + ?Sized> {
    order: VecDeque<OwnedKey<K>>,
    waiting: HashSet<OwnedKey<K>>,
}

impl<K: ToOwned + Hash + Eq + ?Sized> RefreshQueue<K> {
    pub(super) fn new() -> Self {
        Self {
            order: VecDeque::new(),
            waiting: HashSet::new(),
        }
    }

    /// Queues a key if there is room. Returns whether it was not queued before.
    pub(super) fn push(&mut self, key: &K) -> bool {
        if self.order.len() >= MAX_QUEUED || self.waiting.contains(key) {
            return false;
        }
        self.order.push_back(OwnedKey::new(key));
        self.waiting.insert(OwnedKey::new(key))
    }

    /// Takes the first keys, `most` of them at most.
    pub(super) fn pop(&mut self, most: usize) -> Vec<OwnedKey<K>> {
        let keys: Vec<_> = self.order.drain(..most.min(self.order.len())).collect();
        for key in &keys {
            self.waiting.remove(key.get());
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_QUEUED, RefreshQueue};

    #[test]
    fn queue_holds_each_key_once_and_is_bounded() {
        let mut queue = RefreshQueue::<str>::new();
        assert!(queue.push("a") && queue.push("b") && !queue.push("a"));
        let pop = |queue: &mut RefreshQueue<str>, most| -> Vec<String> {
            let keys = queue.pop(most).into_iter();
            keys.map(|key| key.get().to_owned()).collect()
        };
        assert_eq!(pop(&mut queue, 1), ["a"]);
        assert!(queue.push("a"));
        assert_eq!(pop(&mut queue, 7), ["b", "a"]);
        assert!(pop(&mut queue, 7).is_empty() && queue.push("a"));
        let pushed = (0..2 * MAX_QUEUED).filter(|key| queue.push(&key.to_string()));
        assert_eq!(pushed.count(), MAX_QUEUED - 1);
    }
}
