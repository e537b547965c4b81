//! The keys of one stripe by their marks.

use super::versions::Indexed;
use crate::behaviours::machines::OwnedKey;

/// A few keys, in the order of their insertion. Each key with a mark that is in the first level is here;
/// a key here may have left the first level.
/// With each key there is a note.
pub(super) struct MarkIndex<K: ToOwned + ?Sized, N = ()> {
    /// A search reads the marks alone.
    marks: Vec<u64>,
    keys: Vec<(OwnedKey<K>, N)>,
    most: usize,
}

impl<K: Eq + ToOwned + ?Sized, N> MarkIndex<K, N> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            marks: Vec::new(),
            keys: Vec::new(),
            most,
        }
    }

    fn position(&self, mark: u64) -> Option<usize> {
        self.marks.iter().position(|other| *other == mark)
    }

    fn remove_at(&mut self, position: usize) {
        self.marks.remove(position);
        self.keys.remove(position);
    }

    /// Removes the key with `mark` if `forget` removes it from the first level. `None` if there is none,
    /// otherwise whether `forget` succeeded.
    pub(super) fn remove(&mut self, mark: u64, forget: impl FnOnce(&K) -> bool) -> Option<bool> {
        let position = self.position(mark)?;
        let forgotten = forget(self.keys[position].0.get());
        if forgotten {
            self.remove_at(position);
        }
        Some(forgotten)
    }

    /// The note of `key`.
    pub(super) fn get(&self, mark: u64, key: &K) -> Option<&N> {
        let (other, note) = &self.keys[self.position(mark)?];
        (other.get() == key).then_some(note)
    }

    /// Removes `key` from the index alone.
    pub(super) fn forget(&mut self, mark: u64, key: &K) {
        if let Some(position) = self.position(mark)
            && self.keys[position].0.get() == key
        {
            self.remove_at(position);
        }
    }

    /// Inserts `key`. A key with the same mark, and the oldest of a full index, leave the first level.
    /// Returns `false` if one of them does not.
    pub(super) fn insert(&mut self, mark: u64, key: &K, note: N, first: &impl Indexed<K>) -> bool {
        if let Some(position) = self.position(mark) {
            if self.keys[position].0.get() == key {
                self.keys[position].1 = note;
                return true;
            }
            if self.remove(mark, |other| first.forget(other)) == Some(false) {
                return false;
            }
        }
        if self.marks.len() >= self.most && !self.make_room(first) {
            return false;
        }
        self.marks.push(mark);
        self.keys.push((OwnedKey::new(key), note));
        true
    }

    /// Removes the keys that have left the first level, or else the oldest key.
    fn make_room(&mut self, first: &impl Indexed<K>) -> bool {
        let gone = |position: &usize| {
            let key = self.keys[*position].0.get();
            // The tables beside the first level may have it.
            !first.has(key) && first.forget(key)
        };
        let gone: Vec<usize> = (0..self.keys.len()).rev().filter(gone).collect();
        for position in &gone {
            self.remove_at(*position);
        }
        if !gone.is_empty() {
            return true;
        }
        let forgotten = self
            .keys
            .first()
            .is_some_and(|(key, _)| first.forget(key.get()));
        if forgotten {
            self.remove_at(0);
        }
        forgotten
    }
}
