use super::Repeat;

/// The size of a request from which on a server may refuse it for its size. The limits of Redis, of
/// Memcached and of proxies are larger.
const LARGE: usize = 64 << 10;

/// The properties of an operation that decide about retries and about the cause of a lost connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    /// Whether it may be retried.
    pub(super) repeat: Repeat,
    /// Whether the request is large, or the reply holds values, whose size is unknown.
    pub(super) may_be_large: bool,
}

impl Work {
    /// An operation with a request of `len` bytes. `reads_values` is whether the reply holds values.
    pub(crate) fn new(repeat: Repeat, len: usize, reads_values: bool) -> Self {
        Self {
            repeat,
            may_be_large: reads_values || len >= LARGE,
        }
    }
}

impl From<Repeat> for Work {
    /// An operation that is small.
    fn from(repeat: Repeat) -> Self {
        Self::new(repeat, 0, false)
    }
}
