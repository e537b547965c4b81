//! The settings of a Redis cache.

#[cfg(feature = "redis-aio")]
use super::asynchronous::AsyncExternal;
#[cfg(feature = "tokio")]
use super::asynchronous::{AsyncClient, AsyncConnector, AsyncRedisCache, AsyncSource};
#[cfg(feature = "cluster")]
use super::cluster::Seeds;
use super::{
    AsJson, Form, Prefixed, Raw, RedisCache, RedisError,
    address::Target,
    allowed::AllowedNodes,
    client::{Client, Servers},
    entries::Entries,
    link::{Connector, Source},
    node::Node,
    sentinel::Sentinel,
    settings::Settings,
};
#[cfg(feature = "tokio")]
use crate::backends::net::Connections;
use crate::backends::net::{Dialer, Limits};
use redis::ConnectionLike;
use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

/// Settings of a [`RedisCache`], from [`RedisCache::builder`].
///
/// | setting | default |
/// | --- | --- |
/// | [`ttl`](Self::ttl) | 600 s |
/// | [`max_key`](Self::max_key) | 64 KiB |
/// | [`max_value`](Self::max_value) | 512 MiB |
/// | [`connect_deadline`](Self::connect_deadline) | 1 s |
/// | [`deadline`](Self::deadline) | 2 s |
/// | [`scan_deadline`](Self::scan_deadline) | 60 s |
/// | [`pool_size`](Self::pool_size) | 16 connections; 4 of an async cache |
/// | [`max_connection_age`](Self::max_connection_age) | 5 minutes |
/// | [`keep_alive`](Self::keep_alive) | after 30 s |
#[must_use]
pub struct RedisBuilder<F = AsJson> {
    source: Result<Origin, RedisError>,
    form: F,
    ttl: Option<Duration>,
    max_key: usize,
    max_value: usize,
    scan_deadline: Duration,
    limits: Limits,
    allowed: AllowedNodes,
}

/// The fault of settings that the program made when it opened its connection.
const EXTERNAL: &str = "an external connection has its own user, password, database, name, connect \
                        deadline, keep-alive and certificates";

/// The origin of the connections.
enum Origin {
    Server(Box<Settings>),
    #[cfg(feature = "cluster")]
    Cluster(Seeds),
    Sentinel(Box<Sentinel>),
    External(Box<dyn ConnectionLike + Send>),
    #[cfg(feature = "redis-aio")]
    AsyncExternal(AsyncExternal),
}

impl RedisBuilder {
    pub(super) fn from_url(url: &str) -> Self {
        match Target::from_url(url) {
            Ok(Target { settings, limits }) => {
                Self::new(Ok(Origin::Server(settings.into())), limits)
            }
            Err(error) => Self::new(Err(error), Limits::default()),
        }
    }

    #[cfg(feature = "cluster")]
    pub(super) fn from_nodes(nodes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        match Seeds::from_urls(nodes) {
            Ok((seeds, limits)) => Self::new(Ok(Origin::Cluster(seeds)), limits),
            Err(error) => Self::new(Err(error), Limits::default()),
        }
    }

    pub(super) fn from_sentinels(
        sentinels: impl IntoIterator<Item = impl AsRef<str>>,
        master: &str,
    ) -> Self {
        match Sentinel::from_urls(sentinels, master) {
            Ok((sentinel, limits)) => Self::new(Ok(Origin::Sentinel(sentinel.into())), limits),
            Err(error) => Self::new(Err(error), Limits::default()),
        }
    }

    pub(super) fn from_connection(connection: impl ConnectionLike + Send + 'static) -> Self {
        Self::new(
            Ok(Origin::External(Box::new(connection))),
            Limits::default(),
        )
    }

    #[cfg(feature = "redis-aio")]
    pub(super) fn from_async_connection(
        connection: impl redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
    ) -> Self {
        let external = AsyncExternal::new(connection);
        Self::new(Ok(Origin::AsyncExternal(external)), Limits::default())
    }

    fn new(source: Result<Origin, RedisError>, limits: Limits) -> Self {
        Self {
            source,
            form: AsJson,
            ttl: Some(Duration::from_secs(600)),
            max_key: 64 << 10,
            max_value: 512 << 20,
            scan_deadline: Duration::from_secs(60),
            limits,
            allowed: AllowedNodes::default(),
        }
    }

    /// Keys and values are bytes rather than JSON, as of Python's `RedisCache(raw=True)`.
    pub fn raw(self) -> RedisBuilder<Raw> {
        self.form(Raw)
    }

    /// Keys are `prefix` and the [text](crate::StrKey) of the key, as of Python's `PrefixedRedisCache`.
    /// The cache is then a [`PrefixedRedisCache`](crate::PrefixedRedisCache).
    pub fn prefix(self, prefix: impl Into<String>) -> RedisBuilder<Prefixed> {
        self.form(Prefixed(prefix.into()))
    }

    fn form<F>(self, form: F) -> RedisBuilder<F> {
        RedisBuilder {
            source: self.source,
            form,
            ttl: self.ttl,
            max_key: self.max_key,
            max_value: self.max_value,
            scan_deadline: self.scan_deadline,
            limits: self.limits,
            allowed: self.allowed,
        }
    }
}

impl<F> RedisBuilder<F> {
    /// How long entries live that are stored without a time of their own. 600 s unless set.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Entries stay until the server evicts them, unless they are stored with a time of their own.
    pub fn no_ttl(mut self) -> Self {
        self.ttl = None;
        self
    }

    /// The largest key on the server in bytes, its prefix and encoding included. 64 KiB unless set. A
    /// longer key is [refused](ctu_core::Error::KeyTooLong) before anything is sent.
    pub fn max_key(mut self, bytes: usize) -> Self {
        self.max_key = bytes;
        self
    }

    /// The largest value on the server in bytes: its `proto-max-bulk-len`, 512 MiB unless set. A longer
    /// value is [rejected](ctu_core::Error::ValueTooLong) before it is sent, since a server that refuses it
    /// closes the connection. A longer stored value is [corrupt](ctu_core::Error::StoredTooLong): it is
    /// not read, and its connection is closed.
    pub fn max_value(mut self, bytes: usize) -> Self {
        self.max_value = bytes;
        self
    }

    /// The user to log in as, in place of one in the address. Without a password, a user without one.
    pub fn user(self, user: impl Into<String>) -> Self {
        let user = user.into();
        self.settings(|settings| settings.user = Some(user.clone()))
    }

    /// The password to log in with, in place of one in the address.
    pub fn password(self, password: impl Into<String>) -> Self {
        let password = password.into();
        self.settings(|settings| settings.password = Some(password.clone()))
    }

    /// The name of each connection, which `CLIENT LIST` on the server shows. None unless set, or
    /// `client_name` in the address. It has printable ASCII characters and
    /// no blank.
    pub fn client_name(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.settings(|settings| settings.client_name = Some(name.clone()))
    }

    /// The number of the database, in place of one in the address. 0 unless set, and always in a cluster.
    pub fn database(self, number: u32) -> Self {
        self.settings(|settings| settings.database = number)
    }

    /// How long connecting and logging in may take. 1 s unless set.
    pub fn connect_deadline(self, deadline: Duration) -> Self {
        self.dialer(|dialer| dialer.deadline = deadline)
    }

    /// The longest time of an operation: the wait for a connection of the pool, connecting, all nodes of the
    /// operation, and the retry of a safe request included. 2 s unless set. [`clear`](ctu_core::Cache::clear)
    /// of a prefixed cache, `retain` and `keys` are several operations, within their
    /// [`scan_deadline`](Self::scan_deadline).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = deadline;
        self
    }

    /// The time that a server has to list all keys, for [`keys`](RedisCache::keys), `retain`, and
    /// `clear` of a prefixed cache. 60 s unless set. The time that the caller spends on the keys in
    /// between does not count. A list that takes longer ends with
    /// [`TimedOut`](crate::NetError::TimedOut): some servers and proxies answer SCAN without an end.
    pub fn scan_deadline(mut self, deadline: Duration) -> Self {
        self.scan_deadline = deadline;
        self
    }

    /// Connects to a node of a cluster, or to a master that Redis Sentinel names, only if the filter
    /// returns `true` for its host and port. The nodes that the user names are always allowed. Unless
    /// set, all nodes are allowed.
    ///
    /// The map of slots and the redirects of a cluster, and the answers of sentinels, name other servers,
    /// and the cache logs in there with its password. So a node that is broken or hostile can have the
    /// password sent to any host. A refused server gets no connection; operations that need it fail with
    /// [`RedisError::NodeNotAllowed`]. Host and port are as the cluster or the sentinel announces them: an
    /// address, or a name under `cluster-preferred-endpoint-type hostname`.
    ///
    /// ```no_run
    /// use ctu_std::RedisCache;
    /// let cache = RedisCache::sentinel(["rediss://10.1.0.1"], "rediss://:secret@mymaster")
    ///     .allowed_nodes(|host, _| host.starts_with("10.1.0."))
    ///     .raw()
    ///     .build()?;
    /// # Ok::<(), ctu_std::RedisError>(())
    /// ```
    ///
    /// With TLS a node also needs a certificate of a trusted authority for its host, or for the one
    /// name (`tls_server_name`) that all nodes share.
    pub fn allowed_nodes(
        mut self,
        filter: impl Fn(&str, u16) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.allowed = AllowedNodes::by(filter);
        self
    }

    /// The number of connections, at most; in a cluster, to each node. They are opened when needed. 16
    /// unless set. The connections of an async cache carry the requests of many tasks: 4 unless set.
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.limits.pool_size = Some(connections);
        self
    }

    /// How old a connection gets before another one is opened in its place; `None` for no limit. 5 minutes
    /// unless set, each connection up to a quarter less, so that they do not all end at once.
    ///
    /// The name of a server may lead to another one after a failover, and an old connection that still
    /// works leads to the old one: for no longer than this.
    pub fn max_connection_age(mut self, age: Option<Duration>) -> Self {
        self.limits.max_connection_age = age;
        self
    }

    /// After how long without traffic the operating system asks whether the server is still there;
    /// `None` for never. 30 s unless set. TCP only.
    pub fn keep_alive(self, idle: Option<Duration>) -> Self {
        self.dialer(|dialer| dialer.keep_alive = idle)
    }

    /// Trusts the authorities whose certificates are in `pem`, in place of those of the operating
    /// system. For `rediss://`. Invalid PEM is an error of connecting.
    #[cfg(feature = "tls")]
    pub fn root_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
        let pem = pem.into();
        self.dialer(|dialer| dialer.tls.authorities = Some(pem.clone()))
    }

    /// The name that certificates of servers have to carry, in place of the host that is connected to:
    /// for nodes of a cluster that share one certificate, and for servers that are reached by their IP
    /// addresses. For `rediss://`. An invalid name is an error of connecting.
    #[cfg(feature = "tls")]
    pub fn tls_server_name(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.dialer(|dialer| dialer.tls.server_name = Some(name.clone()))
    }

    /// The identity of this client: certificates and private key, both in PEM. For `rediss://`.
    #[cfg(feature = "tls")]
    pub fn identity(self, certificates: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        let identity = (certificates.into(), key.into());
        self.dialer(|dialer| dialer.tls.identity = Some(identity.clone()))
    }

    fn dialer(self, change: impl Fn(&mut Dialer)) -> Self {
        self.settings(|settings| change(&mut settings.endpoint.dialer))
    }

    fn settings(mut self, change: impl Fn(&mut Settings)) -> Self {
        match &mut self.source {
            Ok(Origin::Server(settings)) => change(settings),
            #[cfg(feature = "cluster")]
            Ok(Origin::Cluster(seeds)) => seeds.each(change),
            Ok(Origin::Sentinel(sentinel)) => change(&mut sentinel.master),
            Ok(Origin::External(_)) => self.source = Err(RedisError::Url(EXTERNAL.into())),
            #[cfg(feature = "redis-aio")]
            Ok(Origin::AsyncExternal(_)) => self.source = Err(RedisError::Url(EXTERNAL.into())),
            Err(_) => {}
        }
        self
    }

    /// Makes the cache. Connects to nothing: the first operation does.
    ///
    /// # Errors
    /// [`RedisError::Url`] for an address that is none and for nodes of a cluster that are not to be reached
    /// in the same way, and for allowed nodes of one server;
    /// [`OutOfRange`](ctu_core::Error::OutOfRange) for a pool of no connection and for
    /// another database than 0 of a cluster.
    /// [`RedisError::Url`] also for certificates without TLS, and for a setting that an
    /// external connection cannot have.
    pub fn build<K, V>(self) -> Result<RedisCache<K, V, F>, RedisError>
    where
        K: ToOwned + ?Sized,
        F: Form<K, V>,
    {
        let limits = self.check()?;
        let one = |source, server, limits| {
            let node = Node::new(Connector { source, server }, limits);
            Servers::One(Arc::new(node))
        };
        let servers = match self.source? {
            Origin::Server(settings) => {
                settings.check()?;
                let server = settings.endpoint.address.label();
                one(Source::Server(settings), server, limits)
            }
            #[cfg(feature = "cluster")]
            Origin::Cluster(seeds) => {
                let cluster = seeds.build(limits, self.allowed)?;
                Servers::Cluster(Box::new(cluster))
            }
            Origin::Sentinel(mut sentinel) => {
                sentinel.master.check()?;
                sentinel.allowed = self.allowed;
                let server = sentinel.label();
                one(Source::Sentinel(sentinel), server, limits)
            }
            Origin::External(connection) => {
                // The one connection of the program.
                let limits = Limits {
                    pool_size: Some(1),
                    max_connection_age: None,
                    ..limits
                };
                let source = Source::external(connection);
                one(source, "an external connection".into(), limits)
            }
            #[cfg(feature = "redis-aio")]
            Origin::AsyncExternal(_) => {
                return Err(wrong("an async connection needs build_async"));
            }
        };
        let client = Client::new(servers, limits.deadline, self.scan_deadline);
        let entries = Entries {
            server: client.server().into(),
            form: self.form,
            ttl: self.ttl,
            max_key: self.max_key,
            max_value: self.max_value,
            types: PhantomData,
        };
        Ok(RedisCache::new(Arc::new(client), entries))
    }

    /// Makes the cache for async callers. Connects to nothing: the first operation does, on its runtime.
    ///
    /// # Errors
    /// As [`build`](Self::build). [`RedisError::Url`] also for a cluster, which has no async form yet,
    /// and for a blocking connection of the `redis` crate.
    #[cfg(feature = "tokio")]
    pub fn build_async<K, V>(self) -> Result<AsyncRedisCache<K, V, F>, RedisError>
    where
        K: ToOwned + ?Sized,
        F: Form<K, V>,
    {
        let limits = self.check()?;
        let scan_deadline = self.scan_deadline;
        let one = |source, server: Arc<str>| {
            let connector = AsyncConnector {
                source,
                server: server.clone(),
            };
            let connections = Connections::new(connector, limits);
            AsyncClient::new(connections, server, limits.deadline, scan_deadline)
        };
        let client = match self.source? {
            Origin::Server(settings) => {
                settings.check()?;
                let server = settings.endpoint.address.label();
                one(AsyncSource::Server(settings), server)
            }
            #[cfg(feature = "cluster")]
            Origin::Cluster(_) => return Err(wrong("a cluster has no async form yet")),
            Origin::Sentinel(mut sentinel) => {
                sentinel.master.check()?;
                sentinel.allowed = self.allowed;
                let server = sentinel.label();
                one(AsyncSource::Sentinel(sentinel), server)
            }
            Origin::External(_) => return Err(wrong("a blocking connection needs build")),
            #[cfg(feature = "redis-aio")]
            Origin::AsyncExternal(external) => {
                let server = "an external connection".into();
                AsyncClient::external(external, server, limits.deadline, scan_deadline)
            }
        };
        let entries = Entries {
            server: client.server().clone(),
            form: self.form,
            ttl: self.ttl,
            max_key: self.max_key,
            max_value: self.max_value,
            types: PhantomData,
        };
        Ok(AsyncRedisCache::new(Arc::new(client), entries))
    }

    /// The limits of operations, unless settings contradict each other.
    fn check(&self) -> Result<Limits, RedisError> {
        let follows_servers = match &self.source {
            #[cfg(feature = "cluster")]
            Ok(Origin::Cluster(_)) => true,
            Ok(Origin::Sentinel(_)) | Err(_) => true,
            Ok(_) => false,
        };
        if self.allowed.is_set() && !follows_servers {
            return Err(wrong(
                "allowed_nodes is a setting of RedisCache::cluster and RedisCache::sentinel",
            ));
        }
        Ok(self.limits.check()?)
    }
}

fn wrong(fault: &str) -> RedisError {
    RedisError::Url(fault.to_owned())
}

impl<F: fmt::Debug> fmt::Debug for RedisBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("form", &self.form)
            .field("ttl", &self.ttl)
            .field("max_key", &self.max_key)
            .field("max_value", &self.max_value)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
