use super::Address;
use std::{fmt, time::Duration};

/// A server, and how to connect to it.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// Where it listens.
    pub(crate) address: Address,
    /// How to connect to it.
    pub(crate) dialer: Dialer,
}

/// How to connect to a server, wherever it is.
#[derive(Clone)]
pub(crate) struct Dialer {
    /// How long connecting may take, logging in included.
    pub(crate) deadline: Duration,
    /// How long a TCP connection is idle before the system asks whether the peer is still there;
    /// `None` to never ask.
    pub(crate) keep_alive: Option<Duration>,
    /// Whom to trust.
    #[cfg(feature = "tls")]
    pub(crate) tls: super::tls::Tls,
}

impl Default for Dialer {
    /// A second, and a keep-alive of 30 s; trusts whom the system trusts.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(1),
            keep_alive: Some(Duration::from_secs(30)),
            #[cfg(feature = "tls")]
            tls: super::tls::Tls::default(),
        }
    }
}

impl fmt::Debug for Dialer {
    /// Without the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer")
            .field("deadline", &self.deadline)
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}
