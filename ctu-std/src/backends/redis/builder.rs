//! The settings of a Redis cache.

#[cfg(feature = "redis-aio")]
use super::asynchronous::AsyncExternal;
#[cfg(feature = "cluster")]
use super::cluster::Seeds;
use super::{
    AsJson, Prefixed, Raw, RedisError, address::Target, allowed::AllowedNodes,
    entries::EntrySettings, link::External, sentinel::Sentinel, settings::Settings,
};
use crate::backends::net::{Dialer, Limits, network_options};
use redis::ConnectionLike;
use std::{fmt, time::Duration};

/// Settings of a [`RedisCache`](crate::RedisCache), from
/// [`RedisCache::builder`](crate::RedisCache::builder). `build` and `build_async` make the
/// cache.
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
///
/// ```
/// use ctu_std::{RedisCache, RedisError};
/// use std::time::Duration;
///
/// let settings = RedisCache::builder("redis://127.0.0.1/2")
///     .ttl(Duration::from_secs(60))
///     .deadline(Duration::from_millis(200));
/// let users: RedisCache<u32, String> = settings.clone().build()?;
/// let files = settings.raw().build()?;
/// # let _ = (users, files);
/// # Ok::<(), RedisError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisBuilder<F = AsJson> {
    pub(super) source: Result<Origin, RedisError>,
    pub(super) entries: EntrySettings<F>,
    pub(super) scan_deadline: Duration,
    pub(super) limits: Limits,
    pub(super) allowed: AllowedNodes,
}

/// The fault of settings that the program made when it opened its connection.
const EXTERNAL: &str = "an external connection has its own user, password, database, name, connect \
                        deadline, keep-alive and certificates";

/// The origin of the connections.
#[derive(Clone)]
pub(super) enum Origin {
    Server(Box<Settings>),
    #[cfg(feature = "cluster")]
    Cluster(Seeds),
    Sentinel(Box<Sentinel>),
    External(External),
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
            Ok(Origin::External(External::new(connection))),
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
            entries: EntrySettings {
                form: AsJson,
                ttl: Some(Duration::from_secs(600)),
                tags: None,
                max_key: 64 << 10,
                max_value: 512 << 20,
            },
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
            entries: self.entries.with_form(form),
            scan_deadline: self.scan_deadline,
            limits: self.limits,
            allowed: self.allowed,
        }
    }
}

impl<F> RedisBuilder<F> {
    /// How long entries live that are stored without a time of their own. 600 s unless set.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.entries.ttl = Some(ttl);
        self
    }

    /// Entries stay until the server evicts them, unless they are stored with a time of their own.
    pub fn no_ttl(mut self) -> Self {
        self.entries.ttl = None;
        self
    }

    /// The cache has [tags](crate::Tags): groups of entries that are invalidated together. Its reads and
    /// its insertions with tags are scripts (`EVAL`). All caches with these entries need the setting: another
    /// cache finds a corrupt value at a key with tags. Entries without tags are as without the setting.
    ///
    /// A cache with tags cannot have a key that begins with `ctu-tag.`, after the prefix.
    ///
    /// In a cluster an entry and its tags need the same `{hash tag}`: in the prefix of the cache, or in the
    /// key and the tags.
    pub fn tags(mut self) -> Self {
        self.entries.tags.get_or_insert_default();
        self
    }

    /// Adds a tag to every entry that this cache inserts, for a group by prefix. [`invalidate_tag`](crate::Tags::invalidate_tag)
    /// then clears the cache in constant time, with any number of entries; `clear` lists the keys. Entries of
    /// other programs stay. Implies [`tags`](Self::tags).
    ///
    /// ```no_run
    /// use ctu_std::{CacheExt, PrefixedRedisCache, RedisCache, Tags};
    ///
    /// let server = RedisCache::builder("redis://127.0.0.1").prefix("shop.").common_tag("all");
    /// let cache: PrefixedRedisCache<str, u32> = server.build()?;
    /// cache.insert("shoe", 1_u32)?;
    /// cache.invalidate_tag("all")?;
    /// # Ok::<(), ctu_std::RedisError>(())
    /// ```
    pub fn common_tag(mut self, tag: impl Into<String>) -> Self {
        let tags = self.entries.tags.get_or_insert_default();
        tags.common.push(tag.into());
        self
    }

    /// The largest key on the server in bytes, its prefix and encoding included. 64 KiB unless set. A
    /// longer key is [refused](ctu_core::Error::KeyTooLong) before anything is sent.
    pub fn max_key(mut self, bytes: usize) -> Self {
        self.entries.max_key = bytes;
        self
    }

    /// The largest value on the server in bytes: its `proto-max-bulk-len`, 512 MiB unless set. A longer
    /// value is [rejected](ctu_core::Error::ValueTooLong) before it is sent, since a server that refuses it
    /// closes the connection. A longer stored value is [corrupt](ctu_core::Error::StoredTooLong): it is
    /// not read, and its connection is closed.
    pub fn max_value(mut self, bytes: usize) -> Self {
        self.entries.max_value = bytes;
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

    /// The time that a server has to list all keys, for [`keys`](crate::RedisCache::keys), `retain`, and
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

    fn limits(mut self, change: impl Fn(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
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
}

network_options!(RedisBuilder, "rediss://");

impl<F: fmt::Debug> fmt::Debug for RedisBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("form", &self.entries.form)
            .field("ttl", &self.entries.ttl)
            .field("max_key", &self.entries.max_key)
            .field("max_value", &self.entries.max_value)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
