/// The index of the shard of a hash, below `shards`, which is less than 2^32.
///
/// Every bit of the hash counts. Fast hashers leave some bits alike for similar keys: of the hashes
/// of 1,000 consecutive numbers by foldhash, three middle bits take few of their 8 values under one
/// seed in two hundred.
#[inline]
pub(crate) fn shard_index(hash: u64, shards: usize) -> usize {
    // The golden ratio, as of Fibonacci hashing: D. Knuth, The Art of Computer Programming, volume
    // 3, 6.4.
    let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    ((mixed * shards as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::shard_index;

    #[test]
    fn similar_hashes_are_shard_index() {
        for parts in [1, 3, 8, 128] {
            // In a row, in steps, and in each of the places where so many bits fit.
            for hash in (0..48).map(|shift| move |key: u64| key << shift) {
                let mut taken = vec![0_usize; parts];
                (0..125 * parts as u64).for_each(|key| taken[shard_index(hash(key), parts)] += 1);
                assert!(
                    taken.iter().all(|taken| (60..190).contains(taken)),
                    "{taken:?}"
                );
            }
        }
    }

    #[test]
    fn every_hash_maps_into_range() {
        for hash in [0, 1, u64::MAX, u64::MAX / 2, 1 << 63] {
            assert_eq!(shard_index(hash, 1), 0);
            assert!(shard_index(hash, 7) < 7 && shard_index(hash, 1 << 16) < 1 << 16);
        }
    }
}
