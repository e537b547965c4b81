//! The stores without a heap, whose capacity is a part of the type.

use crate::contenders::{Contender, through};
use ctu_core::{
    ClockCache, LruCache, S3FifoCache,
    heap::RandomState,
    stores::{Evicting, Lru, Slot, Slots, Unordered},
};

/// The names of the stores, in the order of [`all`].
pub(crate) const NAMES: [&str; 4] = ["LruCache", "ClockCache", "S3FifoCache", "quick_cache"];

/// The capacities of small boards.
pub(crate) const CAPACITIES: [usize; 3] = [32, 64, 256];

/// The published traces whose mean at these capacities is compared.
pub(crate) const TRACES: [&str; 6] = ["web12", "orm-busy", "sprite", "oltp", "cpp", "gli"];

/// Empty stores of `capacity` entries, with a random hash seed.
///
/// # Errors
/// A capacity that is not one of [`CAPACITIES`].
pub(crate) fn all(capacity: usize) -> Result<Vec<Contender>, String> {
    match capacity {
        32 => Ok(of_capacity::<32>()),
        64 => Ok(of_capacity::<64>()),
        256 => Ok(of_capacity::<256>()),
        _ => Err(format!(
            "--capacity {capacity}: stores in place have 32, 64 or 256 entries here"
        )),
    }
}

fn of_capacity<const N: usize>() -> Vec<Contender> {
    let hasher = RandomState::default;
    vec![
        lru(LruCache::<u64, u64, N, _>::with_hasher(hasher())),
        unordered(ClockCache::<u64, u64, N, _>::with_hasher(hasher())),
        unordered(S3FifoCache::<u64, u64, N, _>::with_hasher(hasher())),
        through(
            quick_cache::unsync::Cache::<u64, u64>::new(N),
            |cache, key| cache.get(key).copied(),
            |cache, key| cache.insert(key, key),
        ),
    ]
}

fn lru<T: Slots<u64, u64> + 'static>(store: Lru<u64, u64, T, RandomState>) -> Contender {
    through(
        store,
        |store, key| store.get(key).copied(),
        |store, key| {
            let _ = store.insert(key, key);
        },
    )
}

fn unordered<const N: usize, I: Slot + 'static, R: Evicting + 'static>(
    store: Unordered<u64, u64, N, I, R, RandomState>,
) -> Contender {
    through(
        store,
        |store, key| store.get(key).copied(),
        |store, key| {
            let _ = store.insert(key, key);
        },
    )
}
