//! `RedisCache`.

use super::{
    AsJson, Form, Keys, Prefixed, Raw, RedisBuilder, RedisError,
    client::Client,
    entries::{self, Entries},
    key_commands,
};
use crate::caches::{FoundTagged, TagGenerations, Tags, Tracked, Tracker};
use ctu_core::{Cache, Capability, Found};
use redis::ConnectionLike;
use std::{borrow::Borrow, fmt, sync::Arc, time::Duration};

/// A cache on a Redis (or Valkey) server, shared by every program that uses the same server.
///
/// Keys and values are JSON, byte for byte as Python's `CacheToolsUtils.RedisCache` writes it, so
/// programs in both languages can share a server. With [`raw`](RedisBuilder::raw) they are bytes
/// ([`RawRedisCache`]), with [`prefix`](RedisBuilder::prefix) keys are plain text ([`PrefixedRedisCache`]).
///
/// It may be used from many threads at once; clones share one pool of connections.
///
/// ```no_run
/// use ctu_std::{Cache, CacheExt, RedisCache};
/// use std::time::Duration;
///
/// let cache = RedisCache::builder("redis://127.0.0.1").ttl(Duration::from_secs(60)).build()?;
/// cache.insert("answer", 42)?;
/// assert_eq!(cache.get("answer")?, Some(42));
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
///
/// # When the network fails
/// An operation fails with a [`NetError`](crate::NetError) in its error.
/// Every operation ends within its [deadline](RedisBuilder::deadline). A connection that failed or
/// was too late is closed. A connection that died in the pool costs no failed operation: every operation
/// but [`pop`](Cache::pop) is retried once on a fresh one. A [`remove`](Cache::remove) that was retried
/// may say that there was nothing.
/// There is no PING before an operation: a connection that a firewall has silently forgotten is found by
/// [keep-alive](RedisBuilder::keep_alive), or costs one operation its deadline. After that the idle
/// connections are closed, too, and the next operation gets a fresh one.
///
/// Operations get connections of the pool in the order in which they come. A pool whose connections are
/// all in use for too long is an [overload](ctu_core::CacheError::is_overload) and no outage.
///
/// # After a failover behind one name
/// A reply that means "not the master" (`READONLY`, `LOADING`, `MASTERDOWN`, `NOREPLICAS`, `UNBLOCKED`)
/// is retried once on a fresh connection, for which the name is looked up anew: nothing was done. Where
/// the fresh connection works, all older ones are closed. Where the name still leads to the old master,
/// the reply is the error. An old connection whose reads still work, though stale, ends by its
/// [age](RedisBuilder::max_connection_age).
///
/// # After `fork`
/// A forked child opens connections of its own; inherited ones are closed unused, without a word to the
/// server. Idle connections of the parent that another thread of it took in the very moment of the fork
/// stay open in the child until it ends. A connection that was [given](RedisCache::from_connection) belongs to
/// the process that made the cache, and is an error in a child. Threads do not survive a fork, and locks
/// that other threads hold stay locked in the child: fork before there are other threads, or while none
/// of them uses a cache.
///
/// # Behind a proxy
/// twemproxy (`nutcracker`) refuses commands about all keys: `clear`, `len`, `keys`, `retain`, `info` and
/// `stats` are [`Unsupported`](ctu_core::Error::Unsupported) there, and all others work.
///
/// # A cluster
/// With feature `cluster`, `RedisCache::cluster(nodes)` builds the same cache over a Redis Cluster.
///
/// # From Python
/// | CacheToolsUtils | here |
/// | --- | --- |
/// | `RedisCache(redis.Redis(), ttl=60)` | `RedisCache::builder("redis://localhost").ttl(secs(60)).build()` |
/// | `RedisCache(redis.Redis(), raw=True)` | `RedisCache::builder("redis://localhost").raw().build()` |
/// | `PrefixedRedisCache(redis.Redis(), "app.")` | `RedisCache::builder("redis://localhost").prefix("app.").build()` |
pub struct RedisCache<K: ?Sized, V, F = AsJson> {
    pub(super) client: Arc<Client>,
    pub(super) entries: Entries<K, V, F>,
}

/// A [`RedisCache`] of bytes, from [`RedisBuilder::raw`]: the base of an
/// [`EncryptedCache`](crate::EncryptedCache) is put on.
///
/// ```
/// use ctu_std::{EncryptedCache, RawRedisCache, RedisCache};
/// # fn secret() -> [u8; 32] { [9; 32] }
/// let base: RawRedisCache = RedisCache::builder("redis://127.0.0.1").raw().build()?;
/// let cache = EncryptedCache::new(base, &secret());
/// # let _ = cache;
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
pub type RawRedisCache = RedisCache<[u8], Vec<u8>, Raw>;

/// A [`RedisCache`] whose keys are a prefix and plain text, from [`RedisBuilder::prefix`].
///
/// `clear` removes the keys that begin with its prefix, and no other.
///
/// ```
/// use ctu_std::{PrefixedRedisCache, RedisCache};
/// let builder = RedisCache::builder("redis://127.0.0.1").prefix("app.");
/// let cache: PrefixedRedisCache<u32, String> = builder.build()?;
/// # let _ = cache;
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
pub type PrefixedRedisCache<K, V> = RedisCache<K, V, Prefixed>;

impl RedisCache<str, String> {
    /// Starts to build a cache on the server at `url`. The server need not be there yet.
    ///
    /// | address | meaning |
    /// | --- | --- |
    /// | `redis://user:password@host:6379/0` | TCP; all but the host may be left out |
    /// | `rediss://...` | the same through TLS (feature `tls`) |
    /// | `unix:///path?db=0&username=..&password=..` | a Unix socket |
    ///
    /// Parameters after `?` are those of redis-py and of the `redis` crate:
    ///
    /// | parameter | setting |
    /// | --- | --- |
    /// | `db` | [`database`](RedisBuilder::database) |
    /// | `username` (`user`), `password` (`pass`) | [`user`](RedisBuilder::user), [`password`](RedisBuilder::password) |
    /// | `client_name` | [`client_name`](RedisBuilder::client_name) |
    /// | `socket_timeout`, in seconds | [`deadline`](RedisBuilder::deadline) of a whole operation |
    /// | `socket_connect_timeout`, in seconds | [`connect_deadline`](RedisBuilder::connect_deadline) |
    /// | `socket_keepalive`, true or false | [`keep_alive`](RedisBuilder::keep_alive) with its default or never |
    /// | `max_connections` | [`pool_size`](RedisBuilder::pool_size) |
    /// | `ssl_ca_certs`, a file, or `ssl_ca_data`, PEM | `root_certificates` |
    /// | `ssl_certfile`, `ssl_keyfile`, files | `identity` |
    /// | `protocol=2`, `ssl_cert_reqs=required`, `ssl_check_hostname=true`, `retry_on_timeout=false`, `health_check_interval=0` | the way of this client, which has no other |
    ///
    /// Any other parameter or value, a fragment, and two spellings that contradict each other, such
    /// as `/1?db=2`, are an error of [`build`](RedisBuilder::build). Each character stands for itself
    /// and `%` with two hexadecimal digits for a byte; so a `+` is a plus, and a blank in a value is
    /// `%20`. Where a setter of the builder sets the same, the setter counts.
    ///
    /// The types of keys and values are those that the cache is used with, not the ones named here.
    pub fn builder(url: impl AsRef<str>) -> RedisBuilder {
        RedisBuilder::from_url(url.as_ref())
    }

    /// Starts to build a cache on a connection that there is already: any blocking one of the
    /// `redis` crate.
    ///
    /// After a loss, a late reply or an invalid reply the cache has no other connection, and every later
    /// operation fails; a refusal of the server has no such effect. Operations wait for each
    /// other, up to the [deadline](RedisBuilder::deadline); how long one then takes is a matter of the
    /// connection's own timeouts. A setting of the way to a server, such as
    /// [`password`](RedisBuilder::password), is an error of [`build`](RedisBuilder::build).
    ///
    /// The connection reads replies by itself: [`max_value`](RedisBuilder::max_value) does not limit
    /// them. A server that announces a huge reply makes the connection allocate it.
    pub fn from_connection(connection: impl ConnectionLike + Send + 'static) -> RedisBuilder {
        RedisBuilder::from_connection(connection)
    }
}

impl<K: ?Sized, V, F> RedisCache<K, V, F> {
    pub(super) fn new(client: Arc<Client>, entries: Entries<K, V, F>) -> Self {
        Self { client, entries }
    }
}

impl<K, V, F> RedisCache<K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    /// The keys of this cache, a few hundred per round trip (SCAN), in no order.
    ///
    /// Without a prefix these are all keys of the database that such a cache could have written. A
    /// key that is stored meanwhile may be missing, and one may come twice.
    ///
    /// ```no_run
    /// use ctu_std::{PrefixedRedisCache, RedisCache};
    /// let cache: PrefixedRedisCache<u32, f64> =
    ///     RedisCache::builder("redis://127.0.0.1").prefix("sqrt.").build()?;
    /// for key in cache.keys() {
    ///     println!("{}", key?);
    /// }
    /// # Ok::<(), ctu_std::RedisError>(())
    /// ```
    pub fn keys(&self) -> Keys<'_, K, V, F> {
        Keys::new(self)
    }

    /// Removes keys as SCAN has shown them.
    fn unlink(&self, keys: &[Vec<u8>]) -> Result<(), RedisError> {
        let batch = key_commands::remove_many(self.client.layout(), "UNLINK", keys);
        self.client.execute_batch(batch).map(drop)
    }
}

impl<K, V, F> Tracked for RedisCache<K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    type Key = K;
    type Value = V;

    fn mark(&self, key: &K) -> Option<u64> {
        self.entries.mark(key)
    }

    fn tracker(&self) -> Arc<dyn Tracker> {
        let settings = &self.entries.settings;
        let (marks, prefix) = (&self.entries.marks, settings.form.prefix());
        self.client.tracker(marks, prefix, settings.tags.is_some())
    }
}

impl<K, V, F> Tags for RedisCache<K, V, F>
where
    K: ToOwned + ?Sized,
    V: Clone,
    F: Form<K, V>,
{
    fn insert_with_tags(
        &self,
        key: &K,
        value: V,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> Result<(), RedisError> {
        let (key, layout) = (self.entries.key(key)?, self.client.layout());
        let insert = self
            .entries
            .insert_with_tags(layout, &key, value, ttl, tags)?;
        self.client.execute(&key, &insert)
    }

    fn tag_generations(
        &self,
        key: &K,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> Result<TagGenerations, RedisError> {
        let (key, layout) = (self.entries.key(key)?, self.client.layout());
        match self.entries.generations(layout, &key, ttl, tags)? {
            Some(take) => Ok(TagGenerations::new(self.client.execute(&key, &take)?)),
            None => Ok(TagGenerations::default()),
        }
    }

    fn insert_under(
        &self,
        key: &K,
        value: V,
        ttl: Option<Duration>,
        generations: &TagGenerations,
    ) -> Result<bool, RedisError> {
        let (key, layout) = (self.entries.key(key)?, self.client.layout());
        let insert = self
            .entries
            .insert_under(layout, &key, value, ttl, generations)?;
        self.client.execute(&key, &insert)
    }

    fn invalidate_tag(&self, tag: &str) -> Result<(), RedisError> {
        let (key, invalidate) = self.entries.commands.tagged()?.invalidate(tag)?;
        self.client.execute(&key, &invalidate)
    }

    fn get_tagged(&self, key: &K) -> Result<FoundTagged<V>, RedisError> {
        let key = self.entries.key(key)?;
        let get = self.entries.commands.tagged()?.get_tagged(&key);
        let stored = self.client.execute(&key, &get)?;
        self.entries.decode_tagged(stored)
    }

    fn get_many_tagged(&self, keys: &[&K]) -> Result<Vec<FoundTagged<V>>, RedisError> {
        let keys = self.entries.keys(keys)?;
        let tagged = self.entries.commands.tagged()?;
        let batch = tagged.get_many_tagged(self.client.layout(), &keys);
        let stored = self.client.execute_batch(batch)?;
        let stored = stored.into_iter().flatten();
        stored
            .map(|stored| self.entries.decode_tagged(stored))
            .collect()
    }

    fn tag_mark(&self, tag: &str) -> Option<u64> {
        self.entries.tag_mark(tag)
    }

    fn common_tags(&self) -> Vec<u64> {
        self.entries.common_tags()
    }
}

impl<K, V, F> Cache for RedisCache<K, V, F>
where
    K: ToOwned + ?Sized,
    V: Clone,
    F: Form<K, V>,
{
    type Key = K;
    type Value = V;
    type Error = RedisError;

    fn get(&self, key: &K) -> Result<Option<V>, RedisError> {
        let key = self.entries.key(key)?;
        let stored = self
            .client
            .execute(&key, &self.entries.commands.get(&key))?;
        self.entries.decode(stored)
    }

    /// As [`Cache::insert_entry`]. An entry that is to live for no time is removed instead. Times are rounded
    /// up to milliseconds.
    fn insert_entry(&self, key: &K, value: V, ttl: Option<Duration>) -> Result<(), RedisError> {
        let key = self.entries.key(key)?;
        let insert = self
            .entries
            .insert(self.client.layout(), &key, value, ttl)?;
        self.client.execute(&key, &insert)
    }

    fn remove(&self, key: &K) -> Result<bool, RedisError> {
        let key = self.entries.key(key)?;
        self.client.execute(&key, &key_commands::remove(&key))
    }

    /// Removes the keys that begin with the prefix (SCAN and UNLINK), those of other programs that
    /// begin so included. Without a prefix, or with an empty one, the whole database is flushed
    /// (FLUSHDB), those of other programs included; other databases of the server stay. Of a cluster, every master.
    fn clear(&self) -> Result<(), RedisError> {
        if self.entries.settings.form.prefix().is_empty() {
            let flushed = self
                .client
                .execute_on_all(Capability::Clear, &key_commands::flush());
            return flushed.map(drop);
        }
        let mut keys = self.keys();
        while let Some(stored) = keys.stored()? {
            self.unlink(&stored)?;
        }
        Ok(())
    }

    /// The number of keys that begin with the prefix (SCAN). Without a prefix, or with an empty one,
    /// the number of keys of the whole database (DBSIZE), those of other programs included. A key that
    /// is inserted or removed meanwhile may count or not, and one may count twice while the server
    /// resizes its table.
    fn len(&self) -> Result<usize, RedisError> {
        if !self.entries.settings.form.prefix().is_empty() {
            let (mut keys, mut own) = (self.keys(), 0);
            while let Some(stored) = keys.stored()? {
                own += stored.len();
            }
            return Ok(own);
        }
        let counts = self
            .client
            .execute_on_all(Capability::Len, &key_commands::len())?;
        Ok(counts.into_iter().fold(0, usize::saturating_add))
    }

    fn contains(&self, key: &K) -> Result<bool, RedisError> {
        let key = self.entries.key(key)?;
        self.client
            .execute(&key, &self.entries.commands.contains(&key))
    }

    fn get_with_ttl(&self, key: &K) -> Result<Found<V>, RedisError> {
        let key = self.entries.key(key)?;
        let stored = self
            .client
            .execute(&key, &self.entries.commands.get_with_ttl(&key))?;
        self.entries.decode_with_ttl(stored)
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.entries.settings.ttl
    }

    /// As [`Cache::pop`], in one step (GETDEL, Redis 6.2). Not repeated when the connection breaks:
    /// the entry may then be gone. A value that cannot be read is gone, too.
    fn pop(&self, key: &K) -> Result<Option<V>, RedisError> {
        let key = self.entries.key(key)?;
        let stored = self
            .client
            .execute(&key, &self.entries.commands.pop(&key))?;
        self.entries.decode(stored)
    }

    /// As [`Cache::retain`], in as many round trips as it takes. Keys that such a cache cannot have
    /// written stay.
    fn retain(&self, keep: &mut dyn FnMut(&K) -> bool) -> Result<(), RedisError> {
        let mut keys = self.keys();
        while let Some(mut stored) = keys.stored()? {
            stored.retain(|key| {
                self.entries
                    .settings
                    .form
                    .own(key)
                    .is_some_and(|own| !keep(own.borrow()))
            });
            self.unlink(&stored)?;
        }
        Ok(())
    }

    /// As [`Cache::get_many`], in one round trip (MGET), with all nodes of a cluster at once. A key that
    /// holds something other than a string is a miss here.
    fn get_many(&self, keys: &[&K]) -> Result<Vec<Option<V>>, RedisError> {
        let keys = self.entries.keys(keys)?;
        let batch = self.entries.commands.get_many(self.client.layout(), &keys);
        let stored = self.client.execute_batch(batch)?.into_iter().flatten();
        stored.map(|stored| self.entries.decode(stored)).collect()
    }

    /// As [`Cache::get_many_with_ttl`], in one round trip (MGET and PTTL of each key). Value and time are
    /// read one right after the other, as by [`get_with_ttl`](Cache::get_with_ttl), and not in one step:
    /// where another client replaces the entry just then, the time is the new one's.
    fn get_many_with_ttl(&self, keys: &[&K]) -> Result<Vec<Found<V>>, RedisError> {
        let keys = self.entries.keys(keys)?;
        let batch = self
            .entries
            .commands
            .get_many_with_ttl(self.client.layout(), &keys);
        let stored = self.client.execute_batch(batch)?.into_iter().flatten();
        stored
            .map(|stored| self.entries.decode_with_ttl(stored))
            .collect()
    }

    /// As [`Cache::insert_many`], in one round trip for every 4 MiB. Where the server refuses an entry, it still stores
    /// those after it; the first refusal is the error.
    fn insert_many(&self, entries: Vec<(&K, V)>, ttl: Option<Duration>) -> Result<(), RedisError> {
        let ttl = self.entries.ttl(ttl)?;
        let (deadline, mut all) = (self.client.deadline(), entries.into_iter());
        let mut refused = Ok(());
        while let Some(batch) = self
            .entries
            .insert_next(self.client.layout(), &mut all, &ttl)?
        {
            let done = self.client.execute_batch_by(batch, deadline);
            entries::after_request(&mut refused, done.map(drop))?;
        }
        refused
    }

    /// As [`Cache::remove_many`], in one round trip; on each server all at once.
    fn remove_many(&self, keys: &[&K]) -> Result<usize, RedisError> {
        let keys = self.entries.keys(keys)?;
        let batch = key_commands::remove_many(self.client.layout(), "DEL", &keys);
        Ok(self.client.execute_batch(batch)?.into_iter().sum())
    }
}

impl<K: ?Sized, V, F: Clone> Clone for RedisCache<K, V, F> {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), self.entries.clone())
    }
}

impl<K: ?Sized, V, F: fmt::Debug> fmt::Debug for RedisCache<K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache")
            .field("server", &self.client.server())
            .field("form", &self.entries.settings.form)
            .field("ttl", &self.entries.settings.ttl)
            .finish_non_exhaustive()
    }
}
