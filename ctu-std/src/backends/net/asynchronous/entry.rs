use super::{
    super::Parser,
    multiplexed::{Multiplexed, SharedParser},
};
use std::time::Instant;
use tokio::sync::watch;

/// The connection of a slot on one runtime.
pub(super) enum Entry<P: SharedParser> {
    /// An attempt to connect, which all callers share.
    Opening(watch::Receiver<Option<Opened<P>>>),
    Open(Opening<P>),
}

pub(super) type Opened<P> = Result<Multiplexed<P>, <P as Parser>::Error>;

pub(super) struct Opening<P: SharedParser> {
    pub(super) connection: Multiplexed<P>,
    /// The end of its use by new operations; `None` for no limit.
    pub(super) expires: Option<Instant>,
}

impl<P: SharedParser> Entry<P> {
    /// Whether a new operation may use it.
    pub(super) fn is_usable(&self) -> bool {
        let is_young = |expires: Instant| Instant::now() < expires;
        !self.is_over()
            && match self {
                Self::Opening(_) => true,
                Self::Open(open) => open.expires.is_none_or(is_young),
            }
    }

    /// Whether it has ended: the connection is closed, or the attempt failed.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Opening(opening) => match &*opening.borrow() {
                Some(_) => true,
                None => opening.has_changed().is_err(),
            },
            Self::Open(open) => open.connection.is_closed(),
        }
    }
}

impl<P: SharedParser> Clone for Entry<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Opening(opening) => Self::Opening(opening.clone()),
            Self::Open(open) => Self::Open(Opening {
                connection: open.connection.clone(),
                expires: open.expires,
            }),
        }
    }
}
