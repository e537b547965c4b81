/// The connection of `key`, of so many to its server. FNV-1a: it only spreads keys over a few connections.
pub(crate) fn connection_of(key: &[u8], count: usize) -> usize {
    if count <= 1 {
        return 0;
    }
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    let hash = key.iter().fold(0xCBF2_9CE4_8422_2325, mix);
    // The low bits of FNV depend on few bits of the key.
    (hash ^ hash >> 32) as usize % count
}

#[cfg(test)]
mod tests {
    use super::connection_of;

    #[test]
    fn keys_are_spread_over_all_connections() {
        let mut counts = [0; 4];
        for n in 0..4000 {
            let key = format!("app.user:{n}");
            counts[connection_of(key.as_bytes(), 4)] += 1;
        }
        let even = counts.iter().all(|count| (900..1100).contains(count));
        assert!(even, "{counts:?}");
    }
}
