/// Which of `parts` parts, fewer than 2^32, what has this `hash` belongs to: less than `parts`.
///
/// Every bit of the hash counts. Quick hashers leave some of them all alike for keys that are: of 1,000 numbers in a row,
/// three bits in the middle of what foldhash makes of them take few of their 8 values under one seed in two hundred.
#[inline]
pub(crate) fn spread(hash: u64, parts: usize) -> usize {
    // The golden ratio, as of Fibonacci hashing: D. Knuth, The Art of Computer Programming, volume 3, 6.4.
    let spread = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    ((spread * parts as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn similar_hashes_are_spread() {
        for parts in [1, 3, 8, 128] {
            // In a row, in steps, and in each of the places where so many bits fit.
            for hash in (0..48).map(|shift| move |key: u64| key << shift) {
                let mut taken = vec![0_usize; parts];
                (0..125 * parts as u64).for_each(|key| taken[spread(hash(key), parts)] += 1);
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
            assert_eq!(spread(hash, 1), 0);
            assert!(spread(hash, 7) < 7 && spread(hash, 1 << 16) < 1 << 16);
        }
    }
}
