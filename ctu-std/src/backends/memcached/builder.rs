//! The settings of a Memcached cache.

#[cfg(feature = "tokio")]
use super::asynchronous::{AsyncMemCached, AsyncServer};
#[cfg(feature = "memcached-client")]
use super::external::External;
use super::{
    AsPython, Form, MemCached, MemCachedError, Raw, address, check_prefix, client::Client,
    commands::Commands, entries::Entries, link::Connector, server::Server,
};
use crate::backends::net::{Address, Dialer, Endpoint, Limits, network_options};
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
///
/// ```
/// use ctu_std::MemCached;
/// use std::time::Duration;
///
/// let settings = MemCached::builder("10.0.0.1").server("10.0.0.2").ttl(Duration::from_secs(60));
/// let users: MemCached<u32, String> = settings.clone().prefix("user.").build()?;
/// let files = settings.prefix("file.").raw().build()?;
/// # let _ = (users, files);
/// # Ok::<(), ctu_std::MemCachedError>(())
/// ```
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
    /// [`MemCachedError::Address`] for an invalid address and for certificates without TLS,
    /// [`Encode`](ctu_core::Error::Encode) for a prefix with blanks or control characters,
    /// [`OutOfRange`](ctu_core::Error::OutOfRange) for a pool of no connection.
    pub fn build<K, V>(self) -> Result<MemCached<K, V, F>, MemCachedError>
    where
        K: ?Sized,
        F: Form<K, V>,
    {
        let (limits, servers) = self.check()?;
        let servers = match servers {
            Servers::Own(servers) => servers
                .into_iter()
                .map(|(name, connector)| {
                    Box::new(Server::new(name, connector, limits)) as Box<dyn Commands>
                })
                .collect(),
            #[cfg(feature = "memcached-client")]
            Servers::External(client) => vec![Box::new(client) as Box<dyn Commands>],
        };
        let client = Client::new(servers, limits.deadline);
        Ok(MemCached::new(Arc::new(client), self.entries()))
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
        let (limits, servers) = self.check()?;
        let servers = match servers {
            Servers::Own(servers) => servers
                .into_iter()
                .map(|(name, connector)| AsyncServer::new(name, connector, limits))
                .collect(),
            #[cfg(feature = "memcached-client")]
            Servers::External(_) => {
                let fault = "a memcache::Client blocks: it needs build";
                return Err(MemCachedError::Address(fault.into()));
            }
        };
        Ok(AsyncMemCached::new(
            servers,
            limits.deadline,
            self.entries(),
        ))
    }

    /// The limits of operations and the servers, each with its name, unless a setting is invalid.
    fn check(&self) -> Result<(Limits, Servers), MemCachedError> {
        check_prefix(&self.prefix)?;
        let limits = self.limits.check()?;
        #[cfg_attr(
            not(feature = "memcached-client"),
            allow(
                clippy::infallible_destructuring_match,
                reason = "one source without the feature"
            )
        )]
        let addresses = match self.source.clone()? {
            Source::Servers(addresses) => addresses,
            #[cfg(feature = "memcached-client")]
            Source::External(client) => return Ok((limits, Servers::External(client))),
        };
        let servers = addresses.into_iter().map(|address| {
            let (server, name) = (address.label(), address::name(&address));
            let dialer = self.dialer.clone();
            let endpoint = Endpoint { address, dialer };
            endpoint.check().map_err(MemCachedError::Address)?;
            let connector = Connector {
                server,
                endpoint,
                max_value: self.max_item,
            };
            Ok((name, connector))
        });
        let servers: Result<_, MemCachedError> = servers.collect();
        Ok((limits, Servers::Own(servers?)))
    }

    fn entries<K: ?Sized, V>(self) -> Entries<K, V, F> {
        Entries {
            form: self.form,
            prefix: self.prefix.into(),
            ttl: self.ttl,
            max_item: self.max_item,
            types: PhantomData,
        }
    }
}

network_options!(MemCachedBuilder, "memcaches://");

/// The servers of a cache.
enum Servers {
    /// Each by its name, with the way to it.
    Own(Vec<(String, Connector)>),
    #[cfg(feature = "memcached-client")]
    External(External),
}
