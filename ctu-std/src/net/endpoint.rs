use super::Address;
use std::time::Duration;

/// A server, and how to connect to it.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// Where it listens.
    pub(crate) address: Address,
    /// How long a TCP connection is idle before the system asks whether the peer is still there;
    /// `None` to never ask.
    pub(crate) keep_alive: Option<Duration>,
    /// Whom to trust.
    #[cfg(feature = "tls")]
    pub(crate) tls: super::tls::Tls,
}

impl Endpoint {
    /// One with a keep-alive of 30 s, which trusts whom the system trusts.
    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            keep_alive: Some(Duration::from_secs(30)),
            #[cfg(feature = "tls")]
            tls: super::tls::Tls::default(),
        }
    }
}
