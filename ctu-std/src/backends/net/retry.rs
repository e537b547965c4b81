//! Decisions about an operation that failed on its connection. They perform no I/O: the blocking pool
//! and the async connections follow the same ones.

/// The consequences of a failed operation.
pub(crate) trait ConnectionError {
    /// The state of the connection after this error.
    fn disposition(&self) -> Disposition;

    /// Whether to retry on a fresh connection after this failure on one that was open before.
    fn should_retry(&self, repeat: Repeat) -> bool {
        match self.disposition() {
            Disposition::Lost => repeat == Repeat::Safe,
            // The server refused, so that nothing was done.
            Disposition::Replaced => true,
            Disposition::Reuse | Disposition::Close | Disposition::Silent => false,
        }
    }
}

/// The state of a connection after an operation on it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// The connection is in order: the server replied, though not as wished.
    Reuse,
    /// The connection is closed.
    Close,
    /// The connection is closed, and was perhaps dead before the operation: a retry on a fresh one
    /// may succeed.
    Lost,
    /// The connection is closed, since no reply came in time. The idle ones may lead to the same dead
    /// end, and are closed as well: the next operation gets a fresh one.
    Silent,
    /// The connection leads to a server that is not the master, and the name may lead to another server
    /// by now: a retry on a fresh connection may succeed. If it does, all older ones are closed.
    Replaced,
}

/// Whether an operation has the same effect twice as once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It has.
    Safe,
    /// It has not. If it is unknown whether the server did it, the caller gets the error.
    Never,
}

/// The size of a request from which on a server may refuse it for its size. The limits of Redis, of
/// Memcached and of proxies are larger.
pub(super) const LARGE: usize = 64 << 10;

/// The properties of an operation that decide about retries and about the cause of a lost connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    /// Whether it may be retried.
    repeat: Repeat,
    /// Whether the request is large, or the reply holds values, whose size is unknown.
    may_be_large: bool,
    /// Whether it reads values and changes nothing.
    #[cfg(feature = "tokio")]
    is_read: bool,
}

impl Work {
    /// An operation with a request of `len` bytes. `reads_values` is whether the reply holds values.
    pub(crate) fn new(repeat: Repeat, len: usize, reads_values: bool) -> Self {
        Self {
            repeat,
            may_be_large: reads_values || len >= LARGE,
            #[cfg(feature = "tokio")]
            is_read: reads_values && repeat == Repeat::Safe,
        }
    }

    /// Whether it reads values and changes nothing.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_read(&self) -> bool {
        self.is_read
    }
}

impl From<Repeat> for Work {
    /// An operation that is small.
    fn from(repeat: Repeat) -> Self {
        Self::new(repeat, 0, false)
    }
}

/// The attempts of one operation: at most one on a connection that was open before, and one on a fresh
/// connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempts {
    work: Work,
    /// The disposition after the first attempt, once a second one is due.
    first: Option<Disposition>,
}

impl Attempts {
    /// No attempt yet.
    pub(crate) fn new(work: impl Into<Work>) -> Self {
        Self {
            work: work.into(),
            first: None,
        }
    }

    /// Whether the operation is retried on a fresh connection after `error` on one that was open before.
    pub(crate) fn retry_after(&mut self, error: &impl ConnectionError) -> bool {
        let retry = self.first.is_none() && error.should_retry(self.work.repeat);
        if retry {
            self.first = Some(error.disposition());
        }
        retry
    }

    /// Whether all older connections lead to a server that is not the master any more, after the retry
    /// ended with `done`.
    pub(crate) fn outdate_others<T, E: ConnectionError>(&self, done: &Result<T, E>) -> bool {
        let is_replaced = |error: &E| error.disposition() == Disposition::Replaced;
        self.first == Some(Disposition::Replaced) && !done.as_ref().is_err_and(is_replaced)
    }

    /// Whether the size of the entry may be the cause of `error`.
    pub(crate) fn may_be_too_large(&self, error: &impl ConnectionError) -> bool {
        self.work.may_be_large && error.disposition() == Disposition::Lost
    }

    /// Whether the operation has the same effect twice as once.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_repeatable(&self) -> bool {
        self.work.repeat == Repeat::Safe
    }

    /// Whether the first attempt lost its connection.
    pub(crate) fn has_lost_a_connection(&self) -> bool {
        self.first == Some(Disposition::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl ConnectionError for Disposition {
        fn disposition(&self) -> Disposition {
            *self
        }
    }

    #[test]
    fn only_losses_and_refusals_are_retried_once() {
        use Disposition::{Close, Lost, Replaced, Reuse, Silent};
        for (first, safe, never) in [
            (Reuse, false, false),
            (Close, false, false),
            (Lost, true, false),
            (Silent, false, false),
            (Replaced, true, true),
        ] {
            for (repeat, expected) in [(Repeat::Safe, safe), (Repeat::Never, never)] {
                let mut attempts = Attempts::new(repeat);
                assert_eq!(
                    attempts.retry_after(&first),
                    expected,
                    "{first:?} {repeat:?}"
                );
                let second = attempts.retry_after(&first);
                assert!(!second || !expected, "{first:?} is retried twice");
            }
        }
    }

    #[test]
    fn older_connections_are_outdated_by_a_retry_that_meets_the_master() {
        let mut attempts = Attempts::new(Repeat::Safe);
        assert!(attempts.retry_after(&Disposition::Replaced));
        assert!(attempts.outdate_others(&Ok::<_, Disposition>(())));
        assert!(attempts.outdate_others(&Err::<(), _>(Disposition::Reuse)));
        assert!(!attempts.outdate_others(&Err::<(), _>(Disposition::Replaced)));
        let mut lost = Attempts::new(Repeat::Safe);
        assert!(lost.retry_after(&Disposition::Lost));
        assert!(!lost.outdate_others(&Ok::<_, Disposition>(())));
    }

    #[test]
    fn only_large_transfers_are_suspected() {
        let suspects = |len, reads_values| {
            let work = Work::new(Repeat::Safe, len, reads_values);
            Attempts::new(work).may_be_too_large(&Disposition::Lost)
        };
        assert!(suspects(0, true) && suspects(LARGE, false));
        assert!(!suspects(LARGE - 1, false));
    }
}
