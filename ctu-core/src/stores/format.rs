//! `defmt::Format` for the stores: the same text as their `Debug`.

use super::{
    arena::{Arena, ArenaRule},
    iter::Iter,
    lru::Lru,
    slots::{Inline, Slot, Slots},
    ttl::Ttl,
    unordered::{Rule, Unordered},
};
use crate::clock::Clock;
use defmt::{Format, Formatter, write};

/// Entries, as a map prints.
fn map<K: Format, V: Format>(f: Formatter<'_>, entries: impl Iterator<Item = (K, V)>) {
    write!(f, "{{");
    for (i, (key, value)) in entries.enumerate() {
        if i > 0 {
            write!(f, ", ");
        }
        write!(f, "{}: {}", key, value);
    }
    write!(f, "}}");
}

impl<K: Format, V: Format, M: Slots<K, V>, H> Format for Lru<K, V, M, H> {
    fn format(&self, f: Formatter<'_>) {
        map(f, self.iter());
    }
}

impl<K: Format, V: Format, M: Slots<K, V>, T: Clock, H> Format for Ttl<K, V, M, T, H> {
    fn format(&self, f: Formatter<'_>) {
        map(f, self.iter());
    }
}

impl<K, V, const N: usize, I: Slot, R: Rule, H> Format for Unordered<K, V, N, I, R, H>
where
    K: Format,
    V: Format,
{
    fn format(&self, f: Formatter<'_>) {
        map(f, self.iter());
    }
}

impl<V, const N: usize, const BYTES: usize, R: ArenaRule> Format for Arena<V, N, BYTES, R> {
    fn format(&self, f: Formatter<'_>) {
        map(f, self.iter());
    }
}

impl<K: Format, V: Format, M: Slots<K, V>> Format for Iter<'_, K, V, M> {
    fn format(&self, f: Formatter<'_>) {
        map(f, self.clone());
    }
}

impl<K, V, const N: usize, I> Format for Inline<K, V, N, I> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "Inline {{ capacity: {=usize}, .. }}", N);
    }
}

#[cfg(feature = "alloc")]
impl<K, V> Format for super::slots::Heap<K, V> {
    fn format(&self, f: Formatter<'_>) {
        write!(
            f,
            "Heap {{ capacity: {=usize}, .. }}",
            Slots::capacity(self)
        );
    }
}

#[cfg(feature = "alloc")]
impl<K, V, H, L> Format for super::policy::AdaptiveCache<K, V, H, L>
where
    K: Format,
    V: Format,
    L: super::policy::Lifetimes,
{
    fn format(&self, f: Formatter<'_>) {
        map(f, self.iter());
    }
}

#[cfg(feature = "alloc")]
impl<K: Format, V: Format, H> Format for super::dict::DictCache<K, V, H> {
    fn format(&self, f: Formatter<'_>) {
        map(f, self.entries());
    }
}
