//! Which of the 16384 slots of a cluster a key is in, as the Redis Cluster specification has it:
//! <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model>.

/// How many slots a cluster has.
pub(super) const SLOTS: u16 = 16384;

/// A slot. Every key is in one, and every slot is served by one master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Slot(u16);

impl Slot {
    /// The slot of `key`: of the text in the first pair of braces where there is some, so that a
    /// user can put keys together.
    pub(in super::super) fn of(key: &[u8]) -> Self {
        Self(crc16(tag(key).unwrap_or(key)) % SLOTS)
    }

    /// `None` where there is no such slot.
    pub(super) fn new(number: u16) -> Option<Self> {
        (number < SLOTS).then_some(Self(number))
    }

    /// Its number.
    pub(in super::super) fn number(self) -> u16 {
        self.0
    }
}

fn tag(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|byte| *byte == b'{')?;
    let inner = &key[open + 1..];
    let close = inner.iter().position(|byte| *byte == b'}')?;
    (close > 0).then(|| &inner[..close])
}

/// CRC-16/XMODEM: polynomial 0x1021, begins with 0, nothing reflected. Bit by bit: of a key of 20 bytes
/// it takes a hundredth of the time of a round trip on one machine.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            let carry = crc & 0x8000 != 0;
            crc << 1 ^ if carry { 0x1021 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc16_matches_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(crc16(b""), 0);
        // As CLUSTER KEYSLOT of a server says.
        for (key, slot) in [
            (&b"foo"[..], 12182),
            (b"bar", 5061),
            (b"hello", 866),
            (b"somekey", 11058),
            (b"{user1000}.x", 3443),
        ] {
            assert_eq!(Slot::of(key).number(), slot, "{key:?}");
        }
    }

    #[test]
    fn hash_tag_decides_the_slot() {
        let same = |a: &[u8], b: &[u8]| assert_eq!(Slot::of(a), Slot::of(b));
        same(b"{user1000}.following", b"user1000");
        same(b"{user1000}.followers", b"{user1000}.following");
        same(b"foo{{bar}}zap", b"{bar");
        same(b"foo{bar}{zap}", b"bar");
        // Nothing in the first pair, or no pair: the whole key.
        for whole in [&b"foo{}{bar}"[..], b"{}", b"a{b", b"a}b{", b"}{"] {
            assert_eq!(Slot::of(whole).number(), crc16(whole) % SLOTS);
        }
    }

    #[test]
    fn slot_16384_does_not_exist() {
        assert_eq!(Slot::new(16383), Some(Slot(16383)));
        assert_eq!(Slot::new(16384), None);
    }
}
