use super::{Address, Fault};
use std::{fmt, time::Duration};

/// A server, and how to connect to it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Where it listens.
    pub(crate) address: Address,
    /// How to connect to it.
    pub(crate) dialer: Dialer,
}

/// How to connect to a server, wherever it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Dialer {
    /// How long connecting may take, logging in included.
    pub(crate) deadline: Duration,
    /// How long a TCP connection is idle before the system asks whether the peer is still there;
    /// `None` to never ask.
    pub(crate) keep_alive: Option<Duration>,
    /// The trusted authorities.
    #[cfg(feature = "tls")]
    pub(crate) tls: super::tls::Tls,
}

impl Endpoint {
    /// [`Fault`] for settings of TLS with an address that is not spoken to through TLS: the
    /// connections would be open to all.
    #[cfg(feature = "tls")]
    pub(crate) fn check(&self) -> Result<(), Fault> {
        match self.address {
            Address::Tls(..) => Ok(()),
            _ if self.dialer.tls.is_default() => Ok(()),
            _ => Err(
                "certificates or a TLS server name are set, but the address does not ask for TLS"
                    .into(),
            ),
        }
    }

    #[cfg(not(feature = "tls"))]
    pub(crate) fn check(&self) -> Result<(), Fault> {
        Ok(())
    }
}

impl Default for Dialer {
    /// A second, and a keep-alive of 30 s; trusts the authorities of the system.
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
