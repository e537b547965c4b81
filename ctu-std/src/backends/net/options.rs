//! The settings of the network that the builders of all backends share.

/// The settings of a builder about connections and time. The builder has a method `dialer`, which
/// changes the [`Dialer`](super::Dialer) of each of its servers, and a method `limits`, which changes
/// its [`Limits`](super::Limits).
macro_rules! network_options {
    ($Builder:ident, $tls:literal) => {
        impl<F> $Builder<F> {
            /// The time to connect and log in, at most. 1 s unless set.
            pub fn connect_deadline(self, deadline: Duration) -> Self {
                self.dialer(|dialer| dialer.deadline = deadline)
            }

            /// The longest time of an operation: the wait for a connection of the pool, connecting, all
            /// servers of the operation, and the retry of a safe request included. In a batch for
            /// several servers, each server gets its share of the remaining time. 2 s unless set.
            pub fn deadline(self, deadline: Duration) -> Self {
                self.limits(|limits| limits.deadline = deadline)
            }

            /// The number of connections to each server, at most. They are opened when needed. 16
            /// unless set. The connections of an async cache carry the requests of many tasks: 4 unless
            /// set, the last of which is for large values.
            pub fn pool_size(self, connections: usize) -> Self {
                self.limits(|limits| limits.pool_size = Some(connections))
            }

            /// The age at which a connection is replaced; `None` for no limit. 5 minutes unless set.
            /// Each connection gets up to a quarter less, so that they do not all end at once.
            ///
            /// After a failover, the name of a server may lead to another one, and an old connection
            /// that still works leads to the old one: for no longer than this.
            pub fn max_connection_age(self, age: Option<Duration>) -> Self {
                self.limits(|limits| limits.max_connection_age = age)
            }

            /// The time without traffic after which the operating system probes the server; `None` for
            /// never. 30 s unless set. TCP only.
            pub fn keep_alive(self, idle: Option<Duration>) -> Self {
                self.dialer(|dialer| dialer.keep_alive = idle)
            }

            /// Trusts the authorities of the certificates in `pem`, in place of those of the operating
            #[doc = concat!("system. For `", $tls, "`. Invalid PEM is an error of connecting.")]
            #[cfg(feature = "tls")]
            pub fn root_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
                let pem = pem.into();
                self.dialer(|dialer| dialer.tls.authorities = Some(pem.clone()))
            }

            /// The name in the certificate of each server, in place of the host of its address: for
            /// servers that share one certificate, and for servers that are reached by IP addresses.
            #[doc = concat!("For `", $tls, "`. An invalid name is an error of connecting.")]
            #[cfg(feature = "tls")]
            pub fn tls_server_name(self, name: impl Into<String>) -> Self {
                let name = name.into();
                self.dialer(|dialer| dialer.tls.server_name = Some(name.clone()))
            }

            #[doc = concat!(
                "The identity of this client: certificates and private key, both in PEM. For `", $tls, "`."
            )]
            #[cfg(feature = "tls")]
            pub fn identity(self, certificates: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
                let identity = (certificates.into(), key.into());
                self.dialer(|dialer| dialer.tls.identity = Some(identity.clone()))
            }
        }
    };
}
pub(crate) use network_options;
