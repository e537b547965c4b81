//! The weight of the entries, and its limit.

use super::shards::Apart;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(super) type Weigher<K, V> = Box<dyn Fn(&K, &V) -> u64 + Send + Sync>;

/// The weight of all entries is never above the limit: weight is taken before an entry is stored,
/// and given back after one has left.
pub(super) struct Weights<K, V> {
    weigher: Weigher<K, V>,
    max: AtomicU64,
    total: Apart<AtomicU64>,
    /// The weight of the entries of each shard, which tells the shard that has to make room.
    of_shards: Box<[AtomicU64]>,
}

impl<K, V> Weights<K, V> {
    pub(super) fn new(max: u64, weigher: Weigher<K, V>, shards: usize) -> Self {
        Self {
            weigher,
            max: AtomicU64::new(max),
            total: Apart(AtomicU64::new(0)),
            of_shards: (0..shards).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(super) fn into_weigher(self) -> Weigher<K, V> {
        self.weigher
    }

    /// The weight of an entry. Runs code of the program.
    pub(super) fn weigh(&self, key: &K, value: &V) -> u64 {
        (self.weigher)(key, value)
    }

    pub(super) fn max(&self) -> u64 {
        self.max.load(Relaxed)
    }

    pub(super) fn set_max(&self, max: u64) {
        self.max.store(max, Relaxed);
    }

    pub(super) fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    pub(super) fn is_above_max(&self) -> bool {
        self.total() > self.max()
    }

    /// Takes the weight `new` in place of `old`, unless that goes over the limit.
    pub(super) fn exchange(&self, shard: usize, old: u64, new: u64) -> bool {
        let max = self.max();
        let taken = self.total.fetch_update(Relaxed, Relaxed, |total| {
            let total = total.saturating_sub(old).checked_add(new)?;
            // Fewer are always accepted: the limit may have become less.
            (total <= max || new <= old).then_some(total)
        });
        if taken.is_ok() {
            // The lock of the shard is held, so the sum is exact.
            let of_shard = &self.of_shards[shard];
            let weight = of_shard.load(Relaxed).saturating_sub(old);
            of_shard.store(weight.saturating_add(new), Relaxed);
        }
        taken.is_ok()
    }

    pub(super) fn give_back(&self, shard: usize, weight: u64) {
        self.exchange(shard, weight, 0);
    }

    /// Moves weight, under the locks of both shards.
    pub(super) fn shift(&self, from: usize, to: usize) {
        let weight = self.of_shards[from].swap(0, Relaxed);
        self.of_shards[to].fetch_add(weight, Relaxed);
    }

    /// The shard that makes room for an entry of `shard`: itself where it has its share of the
    /// weight, and else the heaviest.
    pub(super) fn makes_room(&self, shard: usize) -> usize {
        let weight = |shard: &AtomicU64| shard.load(Relaxed);
        let own = weight(&self.of_shards[shard]);
        let shards = self.of_shards.len() as u128;
        if own > 0 && u128::from(own) * shards >= u128::from(self.total()) {
            return shard;
        }
        let heaviest = (0..self.of_shards.len()).max_by_key(|at| weight(&self.of_shards[*at]));
        heaviest.unwrap_or(shard)
    }

    #[cfg(test)]
    pub(super) fn of_shard(&self, shard: usize) -> u64 {
        self.of_shards[shard].load(Relaxed)
    }
}
