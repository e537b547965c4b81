//! Serde for stores: the sequence of entries, from the least to the most recently used. Insertion
//! in this order restores the store.

use super::{
    lru::{InlineLru, Lru},
    slots::{Slot, Slots},
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

impl<K: Serialize, V: Serialize, T: Slots<K, V>, S> Serialize for Lru<K, V, T, S> {
    /// Writes the entries as a sequence of pairs, the least recently used first.
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        serializer.collect_seq(self.iter().rev())
    }
}

impl<'de, K, V, const N: usize, I: Slot, S> Deserialize<'de> for InlineLru<K, V, N, I, S>
where
    K: Deserialize<'de> + Hash + Eq,
    V: Deserialize<'de>,
    S: BuildHasher + Default,
{
    /// Reads at most `N` entries; more are an error. A heap-backed store has no capacity in its
    /// type: create it, then extend it with a `Vec<(K, V)>`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

struct Entries<K, V, const N: usize, I: Slot, S>(PhantomData<InlineLru<K, V, N, I, S>>);

impl<'de, K, V, const N: usize, I: Slot, S> Visitor<'de> for Entries<K, V, N, I, S>
where
    K: Deserialize<'de> + Hash + Eq,
    V: Deserialize<'de>,
    S: BuildHasher + Default,
{
    type Value = InlineLru<K, V, N, I, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {N} pairs of a key and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut store = InlineLru::<K, V, N, I, S>::with_hasher(S::default());
        let mut seen = 0;
        while let Some((key, value)) = entries.next_element()? {
            seen += 1;
            if seen > N {
                return Err(A::Error::invalid_length(seen, &self));
            }
            store.insert(key, value);
        }
        Ok(store)
    }
}
