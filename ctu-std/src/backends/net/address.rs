use std::{fmt, sync::Arc};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// Host name or IP address, and port.
    Tcp(String, u16),
    /// The same, spoken to through TLS.
    #[cfg(feature = "tls")]
    Tls(String, u16),
    /// A socket in the file system.
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

impl Address {
    /// The address as messages show it.
    pub(crate) fn label(&self) -> Arc<str> {
        self.to_string().into()
    }
}

#[cfg(feature = "redis")]
impl Address {
    /// The host; empty where there is none.
    #[cfg(feature = "redis")]
    pub(crate) fn host(&self) -> &str {
        match self {
            Self::Tcp(host, _) => host,
            #[cfg(feature = "tls")]
            Self::Tls(host, _) => host,
            #[cfg(unix)]
            Self::Unix(_) => "",
        }
    }

    /// The port; 0 where there is none.
    #[cfg(feature = "redis")]
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Tcp(_, port) => *port,
            #[cfg(feature = "tls")]
            Self::Tls(_, port) => *port,
            #[cfg(unix)]
            Self::Unix(_) => 0,
        }
    }

    /// Another server, spoken to in the same way.
    pub(crate) fn beside(&self, host: &str, port: u16) -> Self {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(..) => Self::Tls(host.to_owned(), port),
            _ => Self::Tcp(host.to_owned(), port),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            #[cfg(feature = "tls")]
            Self::Tls(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            #[cfg(feature = "tls")]
            Self::Tls(host, port) => write!(f, "{host}:{port}"),
            #[cfg(unix)]
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}
