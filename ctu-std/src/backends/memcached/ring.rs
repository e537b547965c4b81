//! Which of several servers a key is on: as `HashClient` of Python's pymemcache has it, so that
//! programs in both languages find each other's entries.

use std::iter;

/// The index of the name that `key` belongs to: rendezvous hashing, so that a server more or less
/// moves the keys of that server only. 0 where there is one name or none.
pub(super) fn pick<'n>(names: impl ExactSizeIterator<Item = &'n str>, key: &[u8]) -> usize {
    if names.len() <= 1 {
        return 0;
    }
    // The key is hashed as Python shows bytes.
    let shown = crate::backends::str_key::python_bytes(key);
    names
        .enumerate()
        .map(|(index, name)| {
            let text = name.chars().chain(iter::once('-')).chain(shown.chars());
            (murmur3(text), name, index)
        })
        .max()
        .map_or(0, |(_, _, index)| index)
}

/// MurmurHash3 (32 bits, seed 0) of the lowest byte of each character, as pymemcache hashes it.
fn murmur3(text: impl Iterator<Item = char>) -> u32 {
    fn mix(block: u32) -> u32 {
        block
            .wrapping_mul(0xCC9E_2D51)
            .rotate_left(15)
            .wrapping_mul(0x1B87_3593)
    }
    let (mut hash, mut block, mut len) = (0_u32, 0_u32, 0_u32);
    for char in text {
        // Blocks of four, the first byte lowest.
        block |= (char as u32 & 0xFF) << (len % 4 * 8);
        len = len.wrapping_add(1);
        if len.is_multiple_of(4) {
            hash = (hash ^ mix(block))
                .rotate_left(13)
                .wrapping_mul(5)
                .wrapping_add(0xE654_6B64);
            block = 0;
        }
    }
    // Nothing left over mixes to 0.
    hash ^= mix(block) ^ len;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ hash >> 13).wrapping_mul(0xC2B2_AE35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::memcached::encode_key;

    #[test]
    fn murmur3_matches_the_published_vectors() {
        for (text, hash) in [
            ("", 0),
            ("a", 0x3C25_69B2),
            ("aaa", 0xB4D0_5FB7),
            ("aaaa", 0x7EEE_D987),
            ("hello", 0x248B_FA47),
            ("The quick brown fox jumps over the lazy dog", 0x2E4F_F723),
            // Of pymemcache, which takes characters for bytes.
            ("é€𝄞", 0x1179_93F6),
            ("127.0.0.1:11211-b'VE'", 0xE7CA_BEB9),
        ] {
            assert_eq!(murmur3(text.chars()), hash, "{text}");
        }
    }

    #[test]
    fn server_choice_matches_pymemcache() {
        let names = [
            "10.0.0.1:11211",
            "10.0.0.2:11211",
            "cache.example:11212",
            "/run/memcached.sock",
        ];
        for (prefix, places) in [
            (
                "app.",
                [0, 3, 0, 1, 2, 2, 0, 3, 1, 2, 1, 0, 0, 1, 3, 0, 2, 0, 2, 3],
            ),
            (
                "é'\"\\.",
                [3, 2, 2, 1, 2, 0, 1, 3, 0, 3, 0, 2, 1, 1, 0, 0, 3, 3, 3, 2],
            ),
        ] {
            for (n, place) in places.into_iter().enumerate() {
                let key = encode_key(prefix, &n.to_string()).unwrap();
                assert_eq!(pick(names.into_iter(), &key), place, "{prefix}{n}");
            }
        }
        assert_eq!(pick(names[..1].iter().copied(), b"a"), 0);
        assert_eq!(pick([].into_iter(), b"a"), 0);
    }
}
