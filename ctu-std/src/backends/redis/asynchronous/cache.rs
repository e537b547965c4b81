//! `AsyncRedisCache`.

#[cfg(feature = "redis-aio")]
use super::super::RedisBuilder;
use super::{
    super::{
        AsJson, Form, Prefixed, Raw, RedisError,
        entries::{self, Entries},
        key_commands,
    },
    AsyncClient, AsyncKeys,
};
use crate::caches::{AsyncTags, FoundTagged, TagGenerations, Tracked, Tracker};
use ctu_core::{AsyncCache, Capability, Found};
use std::{borrow::Borrow, fmt, sync::Arc, time::Duration};

/// A [`RedisCache`](crate::RedisCache) for async callers on tokio (feature `tokio`).
///
/// It has the same settings, from the same [builder](crate::RedisCache::builder), and the same entries on the
/// server, byte for byte. With [`raw`](crate::RedisBuilder::raw) keys and values are bytes
/// ([`AsyncRawRedisCache`]), with [`prefix`](crate::RedisBuilder::prefix) keys are plain text
/// ([`AsyncPrefixedRedisCache`]). Clones share the connections.
///
/// ```no_run
/// use ctu_std::{AsyncCache, AsyncCacheExt, AsyncRedisCache, RedisCache};
///
/// # async fn run() -> Result<(), ctu_std::RedisError> {
/// let cache: AsyncRedisCache<str, u32> = RedisCache::builder("redis://127.0.0.1").build_async()?;
/// cache.insert("answer", 42_u32).await?;
/// assert_eq!(cache.get("answer").await?, Some(42));
/// # Ok(())
/// # }
/// ```
///
/// # Connections
/// All tasks share a few connections, 4 unless [`pool_size`](crate::RedisBuilder::pool_size) is set. Requests of
/// tasks that run at the same time travel together (pipelining), and each task gets its own reply. Writes
/// of a key are always on the same connection. Reads of many keys travel on one connection, writes of many
/// keys on those of their keys. Reads of values that were large at the last time have a connection of their
/// own.
///
/// A connection belongs to the runtime of the operation that opened it. A cache in a `static` serves
/// several runtimes, one after another or at the same time, each with connections of its own.
///
/// # Dropped futures
/// A future may be dropped at any point. The order of replies stays: no task gets the reply to another
/// request. A write whose future was dropped after its first poll may be done, not be done, or be done
/// later. It is never half done, and a later write of the same key overwrites it.
///
/// # When the network fails
/// As with a [`RedisCache`](crate::RedisCache), every operation ends within its [deadline](crate::RedisBuilder::deadline), and every
/// operation but [`pop`](AsyncCache::pop) is retried once if its connection is lost. A connection on which
/// nothing arrives for a whole deadline is closed. Bytes that arrive while no request waits for them close
/// the connection. A server that sends an additional reply while other requests wait shifts their replies
/// until the connection is idle: no Redis server does so.
///
/// # Runtimes
/// The runtime needs I/O and time (`enable_all`). Without a runtime, an operation fails with
/// [`NetError::Unreachable`](crate::NetError::Unreachable).
pub struct AsyncRedisCache<K: ?Sized, V, F = AsJson> {
    pub(in super::super) client: Arc<AsyncClient>,
    pub(in super::super) entries: Entries<K, V, F>,
    tracker: Arc<dyn Tracker>,
}

/// An [`AsyncRedisCache`] of bytes, from [`RedisBuilder::raw`](crate::RedisBuilder::raw).
///
/// ```
/// use ctu_std::{AsyncRawRedisCache, RedisCache};
/// let cache: AsyncRawRedisCache = RedisCache::builder("redis://127.0.0.1").raw().build_async()?;
/// # let _ = cache;
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
pub type AsyncRawRedisCache = AsyncRedisCache<[u8], Vec<u8>, Raw>;

/// An [`AsyncRedisCache`] whose keys are a prefix and plain text, from [`RedisBuilder::prefix`](crate::RedisBuilder::prefix).
///
/// `clear` removes the keys that begin with its prefix, and no other.
///
/// ```
/// use ctu_std::{AsyncPrefixedRedisCache, RedisCache};
/// let builder = RedisCache::builder("redis://127.0.0.1").prefix("app.");
/// let cache: AsyncPrefixedRedisCache<u32, String> = builder.build_async()?;
/// # let _ = cache;
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
pub type AsyncPrefixedRedisCache<K, V> = AsyncRedisCache<K, V, Prefixed>;

#[cfg(feature = "redis-aio")]
impl AsyncRedisCache<str, String> {
    /// Starts to build a cache on an async connection of the `redis` crate: a `MultiplexedConnection`, a
    /// `ConnectionManager` or any other that can be cloned. [`build_async`](crate::RedisBuilder::build_async)
    /// makes the cache.
    ///
    /// The connection decides about reconnects, timeouts and the limits of replies. An operation also ends
    /// within its [deadline](crate::RedisBuilder::deadline). A setting of the way to a server, such as
    /// [`password`](crate::RedisBuilder::password), is an error of `build_async`.
    ///
    /// ```no_run
    /// use ctu_std::{AsyncCacheExt, AsyncRawRedisCache, AsyncRedisCache};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = redis::Client::open("redis://127.0.0.1")?;
    /// let connection = client.get_multiplexed_async_connection().await?;
    /// let cache: AsyncRawRedisCache =
    ///     AsyncRedisCache::from_connection(connection).raw().build_async()?;
    /// cache.insert(b"answer", b"42").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_connection(
        connection: impl redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
    ) -> RedisBuilder {
        RedisBuilder::from_async_connection(connection)
    }
}

impl<K: ?Sized, V, F> AsyncRedisCache<K, V, F> {
    pub(in super::super) fn new(
        client: Arc<AsyncClient>,
        entries: Entries<K, V, F>,
        tracker: Arc<dyn Tracker>,
    ) -> Self {
        Self {
            client,
            entries,
            tracker,
        }
    }
}

impl<K, V, F> AsyncRedisCache<K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    /// The keys of this cache, a few hundred per round trip (SCAN), in no order, as
    /// [`RedisCache::keys`](crate::RedisCache::keys).
    ///
    /// ```no_run
    /// use ctu_std::{AsyncPrefixedRedisCache, RedisCache};
    ///
    /// # async fn run() -> Result<(), ctu_std::RedisError> {
    /// let cache: AsyncPrefixedRedisCache<u32, f64> =
    ///     RedisCache::builder("redis://127.0.0.1").prefix("sqrt.").build_async()?;
    /// let mut keys = cache.keys();
    /// while let Some(key) = keys.next().await {
    ///     println!("{}", key?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn keys(&self) -> AsyncKeys<'_, K, V, F> {
        AsyncKeys::new(self)
    }

    /// The remaining time of the entry at `key`: `None` if there is no entry or no limit.
    ///
    /// # Errors
    /// A failure of the server or of the way to it.
    pub async fn ttl(&self, key: &K) -> Result<Option<Duration>, RedisError> {
        let key = self.entries.key(key)?;
        let command = key_commands::remaining_ttl(&key);
        self.client.execute(&key, &command).await
    }

    /// As [`RedisCache::touch`](crate::RedisCache::touch).
    ///
    /// # Errors
    /// A time that is too long, and a failure of the server or of the way to it.
    pub async fn touch(&self, key: &K, ttl: Option<Duration>) -> Result<bool, RedisError> {
        let key = self.entries.key(key)?;
        let command = key_commands::touch(&key, &self.entries.ttl(ttl)?);
        self.client.execute(&key, &command).await
    }

    /// Removes keys as SCAN has shown them.
    async fn unlink(&self, keys: &[Vec<u8>]) -> Result<(), RedisError> {
        let batch = key_commands::remove_many(self.client.layout(), "UNLINK", keys);
        self.client.execute_batch(batch).await.map(drop)
    }
}

impl<K, V, F> Tracked for AsyncRedisCache<K, V, F>
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
        self.tracker.clone()
    }
}

impl<K, V, F> AsyncTags for AsyncRedisCache<K, V, F>
where
    K: ToOwned + Sync + ?Sized,
    V: Clone + Send,
    F: Form<K, V> + Send + Sync,
{
    async fn insert_with_tags(
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
        self.client.execute(&key, &insert).await
    }

    async fn tag_generations(
        &self,
        key: &K,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> Result<TagGenerations, RedisError> {
        let (key, layout) = (self.entries.key(key)?, self.client.layout());
        match self.entries.generations(layout, &key, ttl, tags)? {
            Some(take) => Ok(TagGenerations::new(self.client.execute(&key, &take).await?)),
            None => Ok(TagGenerations::default()),
        }
    }

    async fn insert_under(
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
        self.client.execute(&key, &insert).await
    }

    async fn invalidate_tag(&self, tag: &str) -> Result<(), RedisError> {
        let (key, invalidate) = self.entries.commands.tagged()?.invalidate(tag)?;
        self.client.execute(&key, &invalidate).await
    }

    async fn get_tagged(&self, key: &K) -> Result<FoundTagged<V>, RedisError> {
        let key = self.entries.key(key)?;
        let get = self.entries.commands.tagged()?.get_tagged(&key);
        let stored = self.client.execute(&key, &get).await?;
        self.entries.decode_tagged(stored)
    }

    async fn get_many_tagged(&self, keys: &[&K]) -> Result<Vec<FoundTagged<V>>, RedisError> {
        let keys = self.entries.keys(keys)?;
        let tagged = self.entries.commands.tagged()?;
        let batch = tagged.get_many_tagged(self.client.layout(), &keys);
        let stored = self.client.execute_batch(batch).await?;
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

impl<K, V, F> AsyncCache for AsyncRedisCache<K, V, F>
where
    K: ToOwned + Sync + ?Sized,
    V: Clone + Send,
    F: Form<K, V> + Send + Sync,
{
    type Key = K;
    type Value = V;
    type Error = RedisError;

    async fn get(&self, key: &K) -> Result<Option<V>, RedisError> {
        let key = self.entries.key(key)?;
        let command = self.entries.commands.get(&key);
        let stored = self.client.execute(&key, &command).await?;
        self.entries.decode(stored)
    }

    async fn insert_entry(
        &self,
        key: &K,
        value: V,
        ttl: Option<Duration>,
    ) -> Result<(), RedisError> {
        let key = self.entries.key(key)?;
        let command = self
            .entries
            .insert(self.client.layout(), &key, value, ttl)?;
        self.client.execute(&key, &command).await
    }

    async fn remove(&self, key: &K) -> Result<bool, RedisError> {
        let key = self.entries.key(key)?;
        let command = key_commands::remove(&key);
        self.client.execute(&key, &command).await
    }

    /// As [`RedisCache`](crate::RedisCache)'s: the keys that begin with the prefix; without a prefix, the whole database.
    async fn clear(&self) -> Result<(), RedisError> {
        if self.entries.settings.form.prefix().is_empty() {
            let command = key_commands::flush();
            let flushed = self.client.execute_on_all(Capability::Clear, &command);
            return flushed.await.map(drop);
        }
        let mut keys = self.keys();
        while let Some(stored) = keys.stored().await? {
            self.unlink(&stored).await?;
        }
        Ok(())
    }

    /// As [`RedisCache`](crate::RedisCache)'s: the number of keys that begin with the prefix; without a
    /// prefix, of the whole database.
    async fn len(&self) -> Result<usize, RedisError> {
        if !self.entries.settings.form.prefix().is_empty() {
            let (mut keys, mut own) = (self.keys(), 0);
            while let Some(stored) = keys.stored().await? {
                own += stored.len();
            }
            return Ok(own);
        }
        let command = key_commands::len();
        let counts = self
            .client
            .execute_on_all(Capability::Len, &command)
            .await?;
        Ok(counts.into_iter().fold(0, usize::saturating_add))
    }

    async fn contains(&self, key: &K) -> Result<bool, RedisError> {
        let key = self.entries.key(key)?;
        let command = self.entries.commands.contains(&key);
        self.client.execute(&key, &command).await
    }

    async fn get_with_ttl(&self, key: &K) -> Result<Found<V>, RedisError> {
        let key = self.entries.key(key)?;
        let command = self.entries.commands.get_with_ttl(&key);
        let stored = self.client.execute(&key, &command).await?;
        self.entries.decode_with_ttl(stored)
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.entries.settings.ttl
    }

    /// In one step (GETDEL, Redis 6.2). Not retried if the connection is lost: the entry may be gone.
    async fn pop(&self, key: &K) -> Result<Option<V>, RedisError> {
        let key = self.entries.key(key)?;
        let command = self.entries.commands.pop(&key);
        let stored = self.client.execute(&key, &command).await?;
        self.entries.decode(stored)
    }

    async fn retain<P>(&self, mut keep: P) -> Result<(), RedisError>
    where
        P: FnMut(&K) -> bool + Send,
    {
        let form = &self.entries.settings.form;
        let mut keys = self.keys();
        while let Some(mut stored) = keys.stored().await? {
            stored.retain(|key| form.own(key).is_some_and(|own| !keep(own.borrow())));
            self.unlink(&stored).await?;
        }
        Ok(())
    }

    async fn get_many(&self, keys: &[&K]) -> Result<Vec<Option<V>>, RedisError> {
        let keys = self.entries.keys(keys)?;
        let batch = self.entries.commands.get_many(self.client.layout(), &keys);
        let stored = self
            .client
            .execute_batch(batch)
            .await?
            .into_iter()
            .flatten();
        stored.map(|stored| self.entries.decode(stored)).collect()
    }

    async fn get_many_with_ttl(&self, keys: &[&K]) -> Result<Vec<Found<V>>, RedisError> {
        let keys = self.entries.keys(keys)?;
        let batch = self
            .entries
            .commands
            .get_many_with_ttl(self.client.layout(), &keys);
        let stored = self
            .client
            .execute_batch(batch)
            .await?
            .into_iter()
            .flatten();
        stored
            .map(|stored| self.entries.decode_with_ttl(stored))
            .collect()
    }

    async fn insert_many(
        &self,
        entries: Vec<(&K, V)>,
        ttl: Option<Duration>,
    ) -> Result<(), RedisError> {
        let ttl = self.entries.ttl(ttl)?;
        let (deadline, mut all) = (self.client.deadline(), entries.into_iter());
        let mut refused = Ok(());
        while let Some(batch) = self
            .entries
            .insert_next(self.client.layout(), &mut all, &ttl)?
        {
            let done = self.client.execute_batch_by(batch, deadline).await;
            entries::after_request(&mut refused, done.map(drop))?;
        }
        refused
    }

    async fn remove_many(&self, keys: &[&K]) -> Result<usize, RedisError> {
        let keys = self.entries.keys(keys)?;
        let batch = key_commands::remove_many(self.client.layout(), "DEL", &keys);
        Ok(self.client.execute_batch(batch).await?.into_iter().sum())
    }
}

impl<K: ?Sized, V, F: Clone> Clone for AsyncRedisCache<K, V, F> {
    fn clone(&self) -> Self {
        let tracker = self.tracker.clone();
        Self::new(self.client.clone(), self.entries.clone(), tracker)
    }
}

impl<K: ?Sized, V, F: fmt::Debug> fmt::Debug for AsyncRedisCache<K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncRedisCache")
            .field("server", self.client.server())
            .field("form", &self.entries.settings.form)
            .field("ttl", &self.entries.settings.ttl)
            .finish_non_exhaustive()
    }
}
