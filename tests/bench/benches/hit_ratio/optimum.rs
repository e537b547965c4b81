//! The best that any cache can do.

use std::collections::{BTreeSet, HashMap};

/// The hits of Belady's algorithm. It evicts the key with the farthest next lookup, and does not
/// store a new key with an even farther one.
///
/// L. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
/// Journal 5 (1966). O(n log capacity).
pub(crate) fn hits(keys: &[u32], capacity: usize) -> u64 {
    const NEVER: usize = usize::MAX;
    let mut next = vec![NEVER; keys.len()];
    let mut last = HashMap::new();
    for (at, key) in keys.iter().enumerate().rev() {
        next[at] = last.insert(*key, at).unwrap_or(NEVER);
    }
    // The time of each kept key's next look-up. Keys that never come again are not kept.
    let mut kept = BTreeSet::new();
    let mut hits = 0;
    for (now, next) in next.into_iter().enumerate() {
        hits += u64::from(kept.remove(&now));
        if next != NEVER {
            kept.insert(next);
            if kept.len() > capacity {
                kept.pop_last();
            }
        }
    }
    hits
}
