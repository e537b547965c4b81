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

impl<K: Format, V: Format, T: Slots<K, V>, S> Format for Lru<K, V, T, S> {
    fn format(&self, f: Formatter<'_>) {
        map(f, self.iter());
    }
}

impl<K: Format, V: Format, T: Slots<K, V>, C: Clock, S> Format for Ttl<K, V, T, C, S> {
    fn format(&self, f: Formatter<'_>) {
        map(f, self.iter());
    }
}

impl<K, V, const N: usize, I: Slot, R: Rule, S> Format for Unordered<K, V, N, I, R, S>
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

impl<K: Format, V: Format, T: Slots<K, V>> Format for Iter<'_, K, V, T> {
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
impl<K, V, S, T> Format for super::policy::AdaptiveCache<K, V, S, T>
where
    K: Format,
    V: Format,
    T: super::policy::Lifetimes,
{
    fn format(&self, f: Formatter<'_>) {
        map(f, self.iter());
    }
}

#[cfg(feature = "alloc")]
impl<K: Format, V: Format, S> Format for super::dict::DictCache<K, V, S> {
    fn format(&self, f: Formatter<'_>) {
        map(f, self.entries());
    }
}
