//! Limits of the replies of a server.

/// The largest reply that a request allows. A server that exceeds it is refused at the line that
/// announces a length, before any memory is set aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Bytes of one string.
    pub(super) string: usize,
    /// Bytes of all strings of one reply.
    pub(super) strings: usize,
    /// Elements of all arrays of one reply, those of nested arrays included.
    pub(super) elements: usize,
}

impl Bounds {
    /// The map of a cluster: one entry a slot, each with a few nodes and their metadata.
    #[cfg(feature = "cluster")]
    pub(super) const SLOTS: Self = Self {
        string: 64 << 10,
        strings: 64 << 20,
        elements: 1 << 20,
    };

    /// A page of SCAN: a cursor and keys, of which other programs may have written long ones.
    pub(super) const PAGE: Self = Self {
        string: 512 << 20,
        strings: 512 << 20,
        elements: 1 << 16,
    };

    /// The text of INFO.
    pub(super) const INFO: Self = Self::value(16 << 20);

    /// One string of at most `max` bytes.
    pub(super) const fn value(max: usize) -> Self {
        Self {
            string: max,
            strings: max,
            elements: 0,
        }
    }

    /// An array of `count` strings of at most `max` bytes each.
    pub(super) const fn values(count: usize, max: usize) -> Self {
        Self {
            string: max,
            strings: max.saturating_mul(count),
            elements: count,
        }
    }

    /// The larger of two limits.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            string: self.string.max(other.string),
            strings: self.strings.max(other.strings),
            elements: self.elements.max(other.elements),
        }
    }
}
