//! Serde for stores: the sequence of entries. Insertion in this order restores an LRU store; the
//! stores without a recency list begin their order anew.

use super::{
    lru::{InlineLru, Lru},
    slots::{Slot, Slots},
    unordered::{Rule, Unordered},
};
use core::{
    fmt,
    hash::{BuildHasher, Hash},
    marker::PhantomData,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

impl<K: Serialize, V: Serialize, M: Slots<K, V>, H> Serialize for Lru<K, V, M, H> {
    /// Writes the entries as a sequence of pairs, the least recently used first.
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        serializer.collect_seq(self.iter().rev())
    }
}

impl<'de, K, V, const N: usize, I: Slot, H> Deserialize<'de> for InlineLru<K, V, N, I, H>
where
    K: Deserialize<'de> + Hash + Eq,
    V: Deserialize<'de>,
    H: BuildHasher + Default,
{
    /// Reads at most `N` entries; more are an error. A heap-backed store has no capacity in its
    /// type: create it, then extend it with a `Vec<(K, V)>`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut store = Self::default();
        deserializer.deserialize_seq(Entries::new(N, |key, value| {
            store.insert(key, value);
        }))?;
        Ok(store)
    }
}

impl<K, V, const N: usize, I: Slot, R: Rule, H> Serialize for Unordered<K, V, N, I, R, H>
where
    K: Serialize,
    V: Serialize,
{
    /// Writes the entries as a sequence of pairs, in no particular order.
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, K, V, const N: usize, I, R, H> Deserialize<'de> for Unordered<K, V, N, I, R, H>
where
    K: Deserialize<'de> + Hash + Eq,
    V: Deserialize<'de>,
    I: Slot,
    R: Rule,
    H: BuildHasher + Default,
{
    /// Reads at most `N` entries; more are an error.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut store = Self::default();
        deserializer.deserialize_seq(Entries::new(N, |key, value| {
            // A store is not full before the last of `N` entries.
            let _ = store.exchange(key, &mut Some(value));
        }))?;
        Ok(store)
    }
}

/// Reads at most `most` pairs, and passes each to `insert`.
struct Entries<K, V, F> {
    most: usize,
    insert: F,
    entries: PhantomData<(K, V)>,
}

impl<K, V, F: FnMut(K, V)> Entries<K, V, F> {
    const fn new(most: usize, insert: F) -> Self {
        Self {
            most,
            insert,
            entries: PhantomData,
        }
    }
}

impl<'de, K, V, F> Visitor<'de> for Entries<K, V, F>
where
    K: Deserialize<'de>,
    V: Deserialize<'de>,
    F: FnMut(K, V),
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {} pairs of a key and a value", self.most)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = 0;
        while let Some((key, value)) = entries.next_element()? {
            seen += 1;
            if seen > self.most {
                return Err(A::Error::invalid_length(seen, &self));
            }
            (self.insert)(key, value);
        }
        Ok(())
    }
}
