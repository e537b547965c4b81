//! `AsyncMemCached`.

use super::{
    super::{
        AsPython, Form, MemCachedError, MemCachedStats, Raw,
        entries::Entries,
        ring,
        stats::{check_section, counts, hit_rate, sum},
        ttl::Ttl,
    },
    AsyncServer,
};
use crate::backends::net::{Deadline, ServerInfo, join_all};
use ctu_core::{AsyncCache, Found, HasAsyncStats, IntoValue};
use std::{fmt, sync::Arc, time::Duration};

/// A [`MemCached`](crate::MemCached) for async callers on tokio (feature `tokio`).
///
/// It has the same settings, from the same [builder](crate::MemCached::builder), and the same entries on
/// the servers, byte for byte. Connections, dropped futures, failures and runtimes are as of
/// [`AsyncRedisCache`](crate::docs::asynchronous): tasks share a few connections to each server, 4 unless
/// [`pool_size`](crate::MemCachedBuilder::pool_size) is set, and writes of a key are always on the same one. A batch
/// goes to all servers at the same time; the first failure is the error.
///
/// ```no_run
/// use ctu_std::{AsyncCache, AsyncCacheExt, AsyncMemCached, MemCached};
///
/// # async fn run() -> Result<(), ctu_std::MemCachedError> {
/// let cache: AsyncMemCached<str, u32> = MemCached::builder("localhost").build_async()?;
/// cache.insert("answer", 42_u32).await?;
/// assert_eq!(cache.get("answer").await?, Some(42));
/// # Ok(())
/// # }
/// ```
pub struct AsyncMemCached<K: ?Sized, V, F = AsPython> {
    servers: Arc<[AsyncServer]>,
    deadline: Duration,
    entries: Entries<K, V, F>,
}

/// An [`AsyncMemCached`] of bytes, from [`MemCachedBuilder::raw`](crate::MemCachedBuilder::raw).
///
/// ```
/// use ctu_std::{AsyncRawMemCached, MemCached};
/// let cache: AsyncRawMemCached = MemCached::builder("127.0.0.1").raw().build_async()?;
/// # let _ = cache;
/// # Ok::<(), ctu_std::MemCachedError>(())
/// ```
pub type AsyncRawMemCached = AsyncMemCached<[u8], Vec<u8>, Raw>;

/// An [`AsyncMemCached`] whose keys have a prefix, from
/// [`MemCachedBuilder::prefix`](crate::MemCachedBuilder::prefix).
///
/// ```
/// use ctu_std::{AsyncPrefixedMemCached, MemCached};
/// let builder = MemCached::builder("127.0.0.1").prefix("app.");
/// let cache: AsyncPrefixedMemCached<u32, String> = builder.build_async()?;
/// # let _ = cache;
/// # Ok::<(), ctu_std::MemCachedError>(())
/// ```
pub type AsyncPrefixedMemCached<K, V, F = AsPython> = AsyncMemCached<K, V, F>;

impl<K: ?Sized, V, F> AsyncMemCached<K, V, F> {
    pub(in super::super) fn new(
        servers: Vec<AsyncServer>,
        deadline: Duration,
        entries: Entries<K, V, F>,
    ) -> Self {
        Self {
            servers: servers.into(),
            deadline,
            entries,
        }
    }

    /// As [`MemCached::info`](crate::MemCached::info).
    ///
    /// # Errors
    /// [`Error::Encode`](ctu_core::Error::Encode) for a section that is not one word, and a failure of a server or of the way to it.
    pub async fn info(&self, section: &str) -> Result<Vec<ServerInfo>, MemCachedError> {
        check_section(section)?;
        let deadline = self.deadline();
        let info = join_all(self.servers.iter().map(|server| async move {
            let fields = server.stats(section, deadline).await?;
            let server = server.label.to_string();
            Ok(ServerInfo { server, fields })
        }));
        info.await.into_iter().collect()
    }

    /// As [`MemCached::stats`](crate::MemCached::stats).
    ///
    /// # Errors
    /// A failure of a server or of the way to it.
    pub async fn stats(&self) -> Result<Vec<MemCachedStats>, MemCachedError> {
        Ok(self.info("").await?.into_iter().map(counts).collect())
    }

    /// The share of the servers' reads that found a key, 0 to 1.
    ///
    /// # Errors
    /// A failure of a server or of the way to it.
    pub async fn hit_rate(&self) -> Result<f64, MemCachedError> {
        Ok(hit_rate(&self.stats().await?))
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.deadline)
    }

    fn place(&self, key: &[u8]) -> usize {
        ring::pick(self.servers.iter().map(|server| &*server.name), key)
    }

    fn of(&self, key: &[u8]) -> &AsyncServer {
        &self.servers[self.place(key)]
    }

    /// The items of each server that has some.
    fn split<T>(&self, items: Vec<T>, key: impl Fn(&T) -> &[u8]) -> Vec<(&AsyncServer, Vec<T>)> {
        let mut parts: Vec<Vec<T>> = self.servers.iter().map(|_| Vec::new()).collect();
        for item in items {
            let place = self.place(key(&item));
            parts[place].push(item);
        }
        let parts = self.servers.iter().zip(parts);
        parts.filter(|(_, part)| !part.is_empty()).collect()
    }

    async fn remove_keys(&self, keys: Vec<&[u8]>) -> Result<usize, MemCachedError> {
        let deadline = self.deadline();
        let parts = self.split(keys, |key| key).into_iter();
        let removed = join_all(parts.map(|(server, keys)| server.delete_many(keys, deadline)));
        removed.await.into_iter().sum()
    }
}

impl<K: ?Sized, V, F> HasAsyncStats for AsyncMemCached<K, V, F>
where
    Self: Sync,
{
    type Stats = Vec<MemCachedStats>;
    type Error = MemCachedError;

    fn stats_async(
        &self,
    ) -> impl Future<Output = Result<Vec<MemCachedStats>, MemCachedError>> + Send {
        self.stats()
    }

    fn hit_rate_async(&self) -> impl Future<Output = Result<f64, MemCachedError>> + Send {
        self.hit_rate()
    }
}

impl<K: ?Sized, V, F: Form<K, V>> AsyncMemCached<K, V, F> {
    /// As [`MemCached::add`](crate::MemCached::add).
    ///
    /// # Errors
    /// As [`insert_entry`](AsyncCache::insert_entry).
    pub async fn add(
        &self,
        key: &K,
        value: impl IntoValue<V>,
        ttl: Option<Duration>,
    ) -> Result<bool, MemCachedError> {
        let entry = self.entries.entry(key, value.into_value()?)?;
        let (server, deadline) = (self.of(&entry.key), self.deadline());
        match self.entries.expiry(ttl)? {
            Ttl::Expires(expires) => server.add(&entry, expires, deadline).await,
            Ttl::Expired => Ok(!server.contains(&entry.key, deadline).await?),
        }
    }

    /// As [`MemCached::touch`](crate::MemCached::touch).
    ///
    /// # Errors
    /// A time that is too long, and a failure of the server or of the way to it.
    pub async fn touch(&self, key: &K, ttl: Option<Duration>) -> Result<bool, MemCachedError> {
        let key = self.entries.key(key)?;
        let (server, deadline) = (self.of(&key), self.deadline());
        match self.entries.expiry(ttl)? {
            Ttl::Expires(expires) => server.touch(&key, expires, deadline).await,
            Ttl::Expired => server.delete(&key, deadline).await,
        }
    }
}

impl<K, V, F> AsyncCache for AsyncMemCached<K, V, F>
where
    K: Sync + ?Sized,
    V: Clone + Send,
    F: Form<K, V> + Send + Sync,
{
    type Key = K;
    type Value = V;
    type Error = MemCachedError;

    async fn get(&self, key: &K) -> Result<Option<V>, MemCachedError> {
        let key = self.entries.key(key)?;
        let server = self.of(&key);
        let stored = server.get(&key, self.deadline()).await?;
        self.entries.decode(&server.label, stored)
    }

    async fn insert_entry(
        &self,
        key: &K,
        value: V,
        ttl: Option<Duration>,
    ) -> Result<(), MemCachedError> {
        let entry = self.entries.entry(key, value)?;
        let (server, deadline) = (self.of(&entry.key), self.deadline());
        match self.entries.expiry(ttl)? {
            Ttl::Expires(expires) => server.set(&entry, expires, deadline).await,
            Ttl::Expired => server.delete(&entry.key, deadline).await.map(drop),
        }
    }

    async fn remove(&self, key: &K) -> Result<bool, MemCachedError> {
        let key = self.entries.key(key)?;
        self.of(&key).delete(&key, self.deadline()).await
    }

    /// As of [`MemCached`](crate::MemCached): without a prefix, removes everything on all servers.
    async fn clear(&self) -> Result<(), MemCachedError> {
        self.entries.owns_all()?;
        let deadline = self.deadline();
        let flushed = join_all(self.servers.iter().map(|server| server.flush(deadline)));
        flushed.await.into_iter().collect()
    }

    async fn len(&self) -> Result<usize, MemCachedError> {
        self.entries.owns_all()?;
        let items = sum(&self.stats().await?, |stats| stats.items);
        Ok(usize::try_from(items).unwrap_or(usize::MAX))
    }

    async fn contains(&self, key: &K) -> Result<bool, MemCachedError> {
        let key = self.entries.key(key)?;
        self.of(&key).contains(&key, self.deadline()).await
    }

    async fn get_with_ttl(&self, key: &K) -> Result<Found<V>, MemCachedError> {
        Ok(self.get_many_with_ttl(&[key]).await?.pop().flatten())
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.entries.ttl
    }

    async fn get_many(&self, keys: &[&K]) -> Result<Vec<Option<V>>, MemCachedError> {
        let mut all: Vec<Option<V>> = keys.iter().map(|_| None).collect();
        let (keys, deadline) = (self.entries.keys(keys)?, self.deadline());
        let parts = self.split(keys.iter().enumerate().collect(), |(_, key)| key);
        let found = join_all(parts.iter().map(|(server, keys)| async move {
            let keys: Vec<&[u8]> = keys.iter().map(|(_, key)| *key).collect();
            server.get_many(&keys, deadline).await
        }));
        for ((server, keys), found) in parts.iter().zip(found.await) {
            for ((place, _), stored) in keys.iter().zip(found?) {
                all[*place] = self.entries.decode(&server.label, stored)?;
            }
        }
        Ok(all)
    }

    async fn get_many_with_ttl(&self, keys: &[&K]) -> Result<Vec<Found<V>>, MemCachedError> {
        let mut all: Vec<Found<V>> = keys.iter().map(|_| None).collect();
        let (keys, deadline) = (self.entries.keys(keys)?, self.deadline());
        let parts = self.split(keys.iter().enumerate().collect(), |(_, key)| key);
        let found = join_all(parts.iter().map(|(server, keys)| async move {
            let keys: Vec<&[u8]> = keys.iter().map(|(_, key)| *key).collect();
            server.get_with_ttl(&keys, deadline).await
        }));
        for ((server, keys), found) in parts.iter().zip(found.await) {
            for ((place, _), timed) in keys.iter().zip(found?) {
                all[*place] = self.entries.decode_timed(&server.label, timed)?;
            }
        }
        Ok(all)
    }

    async fn insert_many(
        &self,
        entries: Vec<(&K, V)>,
        ttl: Option<Duration>,
    ) -> Result<(), MemCachedError> {
        let encode = |(key, value)| self.entries.entry(key, value);
        let entries: Vec<_> = entries.into_iter().map(encode).collect::<Result<_, _>>()?;
        let deadline = self.deadline();
        match self.entries.expiry(ttl)? {
            Ttl::Expires(expires) => {
                let parts = self.split(entries, |entry| &entry.key).into_iter();
                let stored = parts.map(|(server, part)| server.set_many(part, expires, deadline));
                join_all(stored).await.into_iter().collect()
            }
            Ttl::Expired => {
                let keys = entries.iter().map(|entry| &*entry.key).collect();
                self.remove_keys(keys).await.map(drop)
            }
        }
    }

    async fn remove_many(&self, keys: &[&K]) -> Result<usize, MemCachedError> {
        let keys = self.entries.keys(keys)?;
        self.remove_keys(keys.iter().collect()).await
    }
}

impl<K: ?Sized, V, F: Clone> Clone for AsyncMemCached<K, V, F> {
    fn clone(&self) -> Self {
        Self {
            servers: self.servers.clone(),
            deadline: self.deadline,
            entries: self.entries.clone(),
        }
    }
}

impl<K: ?Sized, V, F: fmt::Debug> fmt::Debug for AsyncMemCached<K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.servers.iter().map(|server| &server.label);
        f.debug_struct("AsyncMemCached")
            .field("servers", &servers.collect::<Vec<_>>())
            .field("form", &self.entries.form)
            .field("prefix", &self.entries.prefix)
            .field("ttl", &self.entries.ttl)
            .finish_non_exhaustive()
    }
}
