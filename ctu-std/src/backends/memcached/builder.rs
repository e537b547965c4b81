//! The settings of a Memcached cache.

#[cfg(feature = "tokio")]
use super::asynchronous::{AsyncConnector, AsyncMemCached, AsyncServer};
#[cfg(feature = "memcached-client")]
use super::external::External;
use super::{
    AsPython, Form, MemCached, MemCachedError, Raw, address, check_prefix, client::Client,
    commands::Commands, entries::Entries, link::Connector, server::Server,
};
use crate::backends::net::{Address, Dialer, Endpoint, Limits};
use std::{marker::PhantomData, sync::Arc, time::Duration};

/// Settings of a [`MemCached`], from [`MemCached::builder`].
///
/// | setting | default |
/// | --- | --- |
/// | [`ttl`](Self::ttl) | none: for as long as the server likes |
/// | [`prefix`](Self::prefix) | none |
/// | [`max_item`](Self::max_item) | 1 MiB |
/// | [`connect_deadline`](Self::connect_deadline) | 1 s |
/// | [`deadline`](Self::deadline) | 2 s |
/// | [`pool_size`](Self::pool_size) | 16 connections a server; 4 of an async cache |
/// | [`max_connection_age`](Self::max_connection_age) | 5 minutes |
/// | [`keep_alive`](Self::keep_alive) | after 30 s |
#[derive(Clone, Debug)]
#[must_use]
pub struct MemCachedBuilder<F = AsPython> {
    source: Result<Source, MemCachedError>,
    form: F,
    prefix: String,
    ttl: Option<Duration>,
    max_item: usize,
    dialer: Dialer,
    limits: Limits,
}

/// The way to the servers.
#[derive(Clone, Debug)]
enum Source {
    Servers(Vec<Address>),
    #[cfg(feature = "memcached-client")]
    External(External),
}

impl MemCachedBuilder {
    pub(super) fn at(server: impl AsRef<str>) -> Self {
        Self::new(Source::Servers(Vec::new())).server(server)
    }

    #[cfg(feature = "memcached-client")]
    pub(super) fn from_connection(client: memcache::Client) -> Self {
        Self::new(Source::External(External::new(client)))
    }

    fn new(source: Source) -> Self {
        Self {
            source: Ok(source),
            form: AsPython,
            prefix: String::new(),
            ttl: None,
            max_item: 1 << 20,
            dialer: Dialer::default(),
            limits: Limits::default(),
        }
    }

    /// Keys and values are bytes, as `EncryptedCache` on a `MemCached` has them in Python.
    pub fn raw(self) -> MemCachedBuilder<Raw> {
        MemCachedBuilder {
            source: self.source,
            form: Raw,
            prefix: self.prefix,
            ttl: self.ttl,
            max_item: self.max_item,
            dialer: self.dialer,
            limits: self.limits,
        }
    }
}

impl<F> MemCachedBuilder<F> {
    /// Adds a server. Each key is on one of the servers: on the one that `HashClient` of Python's
    /// pymemcache selects, if the servers have the same names there. The order of the servers does not
    /// matter. A server that is in the list already is not added.
    pub fn server(self, address: impl AsRef<str>) -> Self {
        self.network(|servers, _, _| {
            let address = address::read(address.as_ref())?;
            if !servers.contains(&address) {
                servers.push(address);
            }
            Ok(())
        })
    }

    /// The text before every key, after the encoding of the key, as of Python's `PrefixedMemCached`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long entries live that are stored without a time of their own. Unless set, they stay
    /// until the server evicts them, as of Python's `MemCached`.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The largest item on the servers in bytes: key, value and the server's own notes. Their option
    /// `-I`, 1 MiB unless set. A larger value is [rejected](ctu_core::Error::ValueTooLong) before
    /// it is sent, since a server that refuses it removes the previous entry. A larger stored value is
    /// [corrupt](ctu_core::Error::StoredTooLong): it is not read, and its connection is closed.
    pub fn max_item(mut self, bytes: usize) -> Self {
        self.max_item = bytes;
        self
    }

    /// How long connecting may take. 1 s unless set.
    pub fn connect_deadline(self, deadline: Duration) -> Self {
        self.dialer(|dialer| dialer.deadline = deadline)
    }

    /// The longest time of an operation: the wait for a connection of the pool, connecting, all servers
    /// of the operation, and the retry of a safe request included. In a batch for several servers, each
    /// server gets its share of the remaining time. 2 s unless set.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.limits(|limits| limits.deadline = deadline)
    }

    /// The number of connections to each server, at most. They are opened when needed. 16 unless set.
    /// The connections of an async cache carry the requests of many tasks: 4 unless set.
    pub fn pool_size(self, connections: usize) -> Self {
        self.limits(|limits| limits.pool_size = Some(connections))
    }

    /// How old a connection gets before another one is opened in its place; `None` for no limit. 5 minutes
    /// unless set, each connection up to a quarter less, so that they do not all end at once.
    ///
    /// The name of a server may lead to another one by then, and an old connection that still works
    /// leads to the old one: for no longer than this.
    pub fn max_connection_age(self, age: Option<Duration>) -> Self {
        self.limits(|limits| limits.max_connection_age = age)
    }

    /// After how long without traffic the operating system asks whether the server is still there;
    /// `None` for never. 30 s unless set. TCP only.
    pub fn keep_alive(self, idle: Option<Duration>) -> Self {
        self.dialer(|dialer| dialer.keep_alive = idle)
    }

    /// Trusts the authorities whose certificates are in `pem`, in place of those of the operating
    /// system. For `memcaches://`. Invalid PEM is an error of connecting.
    #[cfg(feature = "tls")]
    pub fn root_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
        self.dialer(|dialer| dialer.tls.authorities = Some(pem.into()))
    }

    /// The name that certificates of servers have to carry, in place of the host that is connected to:
    /// for servers that share one certificate, and for servers that are reached by their IP addresses.
    /// For `memcaches://`. An invalid name is an error of connecting.
    #[cfg(feature = "tls")]
    pub fn tls_server_name(mut self, name: impl Into<String>) -> Self {
        self.dialer.tls.server_name = Some(name.into());
        self
    }

    /// The identity of this client: certificates and private key, both in PEM. For `memcaches://`.
    #[cfg(feature = "tls")]
    pub fn identity(self, certificates: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.dialer(|dialer| dialer.tls.identity = Some((certificates.into(), key.into())))
    }

    fn dialer(self, change: impl FnOnce(&mut Dialer)) -> Self {
        self.network(|_, dialer, _| {
            change(dialer);
            Ok(())
        })
    }

    fn limits(self, change: impl FnOnce(&mut Limits)) -> Self {
        self.network(|_, _, limits| {
            change(limits);
            Ok(())
        })
    }

    /// Changes a setting of the way to the servers.
    fn network(
        mut self,
        change: impl FnOnce(&mut Vec<Address>, &mut Dialer, &mut Limits) -> Result<(), MemCachedError>,
    ) -> Self {
        let changed = match &mut self.source {
            Ok(Source::Servers(servers)) => change(servers, &mut self.dialer, &mut self.limits),
            #[cfg(feature = "memcached-client")]
            Ok(Source::External(_)) => {
                let fault = "a memcache::Client has its own servers, deadlines, pool, keep-alive \
                             and certificates";
                Err(MemCachedError::Address(fault.into()))
            }
            Err(_) => Ok(()),
        };
        if let Err(error) = changed {
            self.source = Err(error);
        }
        self
    }

    /// Makes the cache. Connects to nothing: the first operation does.
    ///
    /// # Errors
    /// [`MemCachedError::Address`] for an address that is none and for certificates without TLS, [`Encode`](ctu_core::Error::Encode) for
    /// a prefix with blanks or control characters, [`OutOfRange`](ctu_core::Error::OutOfRange) for a
    /// pool of no connection.
    pub fn build<K, V>(self) -> Result<MemCached<K, V, F>, MemCachedError>
    where
        K: ?Sized,
        F: Form<K, V>,
    {
        check_prefix(&self.prefix)?;
        let limits = self.limits.check()?;
        let server = |address: Address| {
            let (server, name) = (address.label(), address::name(&address));
            let dialer = self.dialer.clone();
            let endpoint = Endpoint { address, dialer };
            endpoint.check().map_err(MemCachedError::Address)?;
            let connector = Connector {
                server,
                endpoint,
                max_value: self.max_item,
            };
            let server = Server::new(name, connector, limits);
            Ok::<_, MemCachedError>(Box::new(server) as Box<dyn Commands>)
        };
        let servers = match self.source? {
            Source::Servers(servers) => {
                servers.into_iter().map(server).collect::<Result<_, _>>()?
            }
            #[cfg(feature = "memcached-client")]
            Source::External(client) => vec![Box::new(client) as Box<dyn Commands>],
        };
        let entries = Entries {
            form: self.form,
            prefix: self.prefix.into(),
            ttl: self.ttl,
            max_item: self.max_item,
            types: PhantomData,
        };
        let client = Client::new(servers, limits.deadline);
        Ok(MemCached::new(Arc::new(client), entries))
    }

    /// Makes the cache for async callers. Connects to nothing: the first operation does, on its runtime.
    ///
    /// # Errors
    /// As [`build`](Self::build). [`MemCachedError::Address`] also for a client of the crate `memcache`,
    /// which blocks.
    #[cfg(feature = "tokio")]
    pub fn build_async<K, V>(self) -> Result<AsyncMemCached<K, V, F>, MemCachedError>
    where
        K: ?Sized,
        F: Form<K, V>,
    {
        check_prefix(&self.prefix)?;
        let limits = self.limits.check()?;
        let server = |address: Address| {
            let (server, name) = (address.label(), address::name(&address));
            let dialer = self.dialer.clone();
            let endpoint = Endpoint { address, dialer };
            endpoint.check().map_err(MemCachedError::Address)?;
            let connector = AsyncConnector {
                server,
                endpoint,
                max_value: self.max_item,
            };
            Ok::<_, MemCachedError>(AsyncServer::new(name, connector, limits))
        };
        let servers: Vec<_> = match self.source? {
            Source::Servers(servers) => {
                servers.into_iter().map(server).collect::<Result<_, _>>()?
            }
            #[cfg(feature = "memcached-client")]
            Source::External(_) => {
                let fault = "a memcache::Client blocks: it needs build";
                return Err(MemCachedError::Address(fault.into()));
            }
        };
        let entries = Entries {
            form: self.form,
            prefix: self.prefix.into(),
            ttl: self.ttl,
            max_item: self.max_item,
            types: PhantomData,
        };
        Ok(AsyncMemCached::new(servers, limits.deadline, entries))
    }
}
