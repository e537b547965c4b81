//! `MemCached`.

use super::{
    AsPython, Form, MemCachedBuilder, MemCachedError, Raw, client::Client, entries::Entries,
    stats::sum, ttl::Ttl,
};
use ctu_core::{Cache, Found, IntoValue};
use std::{fmt, sync::Arc, time::Duration};

/// A cache on one Memcached server or several, shared by every program that uses the same servers.
///
/// Keys and values have, byte for byte, the form of Python's `CacheToolsUtils.MemCached` with its
/// `JsonSerde` writes, so programs in both languages can share servers. Keys are any
/// [text](crate::StrKey), at most 250 bytes in base85; values are of any type that has a form in
/// JSON, or [`MemValue`](super::MemValue)s. With [`raw`](MemCachedBuilder::raw) both are bytes
/// ([`RawMemCached`]), with [`prefix`](MemCachedBuilder::prefix) keys have a prefix
/// ([`PrefixedMemCached`]).
///
/// It may be used from many threads at once; clones share one pool of connections.
///
/// ```no_run
/// use ctu_std::{Cache, CacheExt, MemCached};
/// use std::time::Duration;
///
/// let cache = MemCached::builder("localhost").ttl(Duration::from_secs(60)).build()?;
/// cache.insert("answer", 42)?;
/// assert_eq!(cache.get("answer")?, Some(42));
/// # Ok::<(), ctu_std::MemCachedError>(())
/// ```
///
/// # Time to live
/// Memcached counts in whole seconds, by a clock that ticks once a second: times are rounded up, and
/// an entry may end up to a second early. Times over 30 days are sent as a moment since 1970, by the
/// clock of the server, which is asked for it (`stats`) at most once a minute; that moment cannot be
/// after January 2038. Through a proxy that refuses `stats` there are times up to 30 days alone. An
/// entry that is to live for no time is removed instead. Without a time, entries stay until the server
/// evicts them.
///
/// # Behind a proxy
/// twemproxy (`nutcracker`) knows the commands of old alone, and closes the connection at any other. The
/// cache finds out at the first command that it needs, asks again ten minutes later, and tells of it in
/// an event of `tracing`. Then [`contains`](Cache::contains) reads the value,
/// [`get_with_ttl`](Cache::get_with_ttl) returns no remaining time, as with a server before Memcached 1.6,
/// and `clear`, `len`, `info`, `stats` and `hit_rate` are [`Unsupported`](ctu_core::Error::Unsupported).
///
/// # In two steps
/// Memcached has no command that returns the removed value: [`pop`](Cache::pop) is a `get` and a `remove`,
/// and of two that do it at once both may get the value.
///
/// # When the network fails
/// An operation fails with a [`NetError`](crate::NetError) in its error.
/// Every operation ends within its [deadline](MemCachedBuilder::deadline). A connection that failed or
/// was too late is closed. A connection that died in the pool costs no failed operation: every operation
/// but [`add`](Self::add) is retried once on a fresh one. A [`remove`](Cache::remove) that was retried
/// may say that there was nothing. After an answer that came too late the idle connections are closed,
/// too, and the next operation gets a fresh one.
///
/// Operations get connections of the pool in the order in which they come. A pool whose connections are
/// all in use for too long is an [overload](ctu_core::CacheError::is_overload) and no outage.
///
/// Of several servers, one that fails takes its keys with it: they are not looked for elsewhere,
/// since a server that comes back would show its old entries. (pymemcache's `HashClient`
/// does that unless told `retry_attempts=0, dead_timeout=0`.) A batch goes from one server to the next,
/// and each gets its share of the remaining time: a server that hangs leaves the others their time.
///
/// # After `fork`
/// A forked child opens connections of its own; inherited ones are closed unused, without a word to the
/// server. Idle connections of the parent that another thread of it took in the very moment of the fork
/// stay open in the child until it ends. Threads do not survive a fork,
/// and locks that other threads hold stay locked in the child: fork before there are other threads, or
/// while none of them uses a cache.
///
/// # Why not the `memcache` crate
/// Version 0.21 was looked at. In its text protocol keys are written as they come, so that a line
/// break in one begins another command; its other protocol is one that Memcached has given up.
/// Connecting has no deadline; the timeouts of its builder reach one pooled connection, and any count
/// from each system call. A connection that broke goes back to its pool (`has_broken` says no), and so
/// does one with half an answer in it; so every operation asks for the server's version first, which is
/// a round trip more. Here the protocol is spoken by this crate itself, over the pool that `RedisCache`
/// has, and the server says which key each value belongs to. A program that has a `memcache::Client`
/// can put a cache on it, within these limits: `MemCached::from_connection` (feature
/// `memcached-client`).
///
/// # From Python
/// | CacheToolsUtils | here |
/// | --- | --- |
/// | `MemCached(Client("localhost", serde=JsonSerde()))` | `MemCached::builder("localhost").build()` |
/// | `PrefixedMemCached(Client(..), "app.")` | `MemCached::builder("localhost").prefix("app.").build()` |
/// | `MemCached(HashClient(["a", "b"], ..))` | `MemCached::builder("a").server("b").build()` |
/// | `EncryptedCache(MemCached(..), SECRET)` | `EncryptedCache::new(MemCached::builder("localhost").raw().build()?, SECRET)` |
pub struct MemCached<K: ?Sized, V, F = AsPython> {
    pub(super) client: Arc<Client>,
    entries: Entries<K, V, F>,
}

/// A [`MemCached`] of bytes, from [`MemCachedBuilder::raw`]: the base of an
/// [`EncryptedCache`](crate::EncryptedCache) is put on.
///
/// ```
/// use ctu_std::{EncryptedCache, MemCached, RawMemCached};
/// # fn secret() -> [u8; 32] { [9; 32] }
/// let base: RawMemCached = MemCached::builder("127.0.0.1").raw().build()?;
/// let cache = EncryptedCache::new(base, &secret());
/// # let _ = cache;
/// # Ok::<(), ctu_std::MemCachedError>(())
/// ```
pub type RawMemCached = MemCached<[u8], Vec<u8>, Raw>;

/// A [`MemCached`] whose keys have a prefix, from [`MemCachedBuilder::prefix`].
///
/// ```
/// use ctu_std::{MemCached, PrefixedMemCached};
/// let builder = MemCached::builder("127.0.0.1").prefix("app.");
/// let cache: PrefixedMemCached<u32, String> = builder.build()?;
/// # let _ = cache;
/// # Ok::<(), ctu_std::MemCachedError>(())
/// ```
pub type PrefixedMemCached<K, V, F = AsPython> = MemCached<K, V, F>;

impl MemCached<str, String> {
    /// Starts to build a cache on the server at `address`. The server need not be there yet.
    ///
    /// | address | meaning |
    /// | --- | --- |
    /// | `host`, `host:11211`, `[::1]:11211` | TCP |
    /// | `memcache://host:11211` | the same |
    /// | `memcaches://host:11211` | the same through TLS (feature `tls`) |
    /// | `/path`, `unix:/path`, `unix:///path` | a Unix socket |
    ///
    /// In all but `/path`, `%` with two hexadecimal digits stands for a byte. Any other part, such as
    /// a user, a parameter or a fragment, is an error of [`build`](MemCachedBuilder::build).
    ///
    /// The types of keys and values are those that the cache is used with, not the ones named here.
    pub fn builder(address: impl AsRef<str>) -> MemCachedBuilder {
        MemCachedBuilder::at(address)
    }

    /// Starts to build a cache on a client of the crate `memcache` that there is already.
    ///
    /// The cache has the limits of that crate (version 0.21); a cache from
    /// [`builder`](Self::builder) has none of them.
    ///
    /// | subject | limit |
    /// | --- | --- |
    /// | deadline | None of this crate. `timeout` in the client's address limits each system call, so an operation may take longer. `memcache::connect` and the crate's builder take it back on one connection; `Client::with_pool_size` and `with_pool` keep it. Its pool waits for a connection for 30 s unless set otherwise |
    /// | settings | A setting of the way to the servers, such as [`deadline`](MemCachedBuilder::deadline), is an error of [`build`](MemCachedBuilder::build); `raw`, `prefix`, `ttl` and `max_item` have their usual meaning |
    /// | pool | The client's: the calling thread blocks, in no particular order, and a refused connection is reported only when the wait ends. With the pool's check on checkout, each operation costs a round trip more; without it, an operation may fail on a connection that died in the pool |
    /// | late replies | A connection that failed or timed out goes back to the pool. A reply that arrives on it later is never the value of another key, but it may be an older value or a miss of the same key, and it may acknowledge a later write. A client with timeouts needs the check on checkout and `protocol=ascii` in its address, which together drop such a connection. In the binary protocol, which is the default, each later operation on it may fail |
    /// | several servers | The client's `hash_function` distributes keys, not the rule of pymemcache: programs in Python find the entries of one server alone |
    /// | keys and values | The usual limits before a request. A value is read in full, however large its server says that it is |
    /// | time to live | At most 30 days: [`TtlTooLong`](ctu_core::Error::TtlTooLong) beyond. [`get_with_ttl`](Cache::get_with_ttl) returns no remaining time |
    /// | batches | Reads take one round trip a server for every 32 KiB of keys. `insert_many` and `remove_many` take one for each key |
    /// | [`contains`](Cache::contains) | Reads the value |
    /// | [`add`](Self::add), [`len`](Cache::len), [`info`](Self::info), [`stats`](Self::stats), [`hit_rate`](Self::hit_rate) | [`Unsupported`](ctu_core::Error::Unsupported) |
    /// | [`clear`](Cache::clear) | Ends at the first server that fails |
    /// | errors | Name "a memcache::Client" as the server. The size of the pool and the reason of a lost connection may be unknown |
    /// | malformed replies | May panic in the crate |
    /// | `fork` | An error in a forked child: the client's connections belong to its parent |
    ///
    /// ```no_run
    /// use ctu_std::{Cache, CacheExt, MemCached};
    ///
    /// let address = "memcache://localhost:11211?protocol=ascii&timeout=2";
    /// let client = memcache::Client::with_pool_size(address, 4)?;
    /// let cache = MemCached::from_connection(client).prefix("app.").build()?;
    /// cache.insert("answer", 42)?;
    /// assert_eq!(cache.get("answer")?, Some(42));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// Operations panic in the crate if the client has no server (`Client::with_pools(vec![])`).
    #[cfg(feature = "memcached-client")]
    pub fn from_connection(client: memcache::Client) -> MemCachedBuilder {
        MemCachedBuilder::from_connection(client)
    }
}

impl<K: ?Sized, V, F> MemCached<K, V, F> {
    pub(super) fn new(client: Arc<Client>, entries: Entries<K, V, F>) -> Self {
        Self { client, entries }
    }
}

impl<K: ?Sized, V, F: Form<K, V>> MemCached<K, V, F> {
    /// Stores `value` at `key` unless there is an entry, and says whether it did: for `ttl`, or for the
    /// cache's own time where that is `None`.
    ///
    /// Not repeated when the connection breaks: the entry may then be there.
    ///
    /// # Errors
    /// As [`insert_entry`](Cache::insert_entry).
    pub fn add(
        &self,
        key: &K,
        value: impl IntoValue<V>,
        ttl: Option<Duration>,
    ) -> Result<bool, MemCachedError> {
        let entry = self.entries.entry(key, value.into_value()?)?;
        let (server, deadline) = (self.client.of(&entry.key), self.client.deadline());
        match self.entries.expiry(ttl)? {
            Ttl::Expires(expires) => server.add(&entry, expires, deadline),
            Ttl::Expired => Ok(!server.contains(&entry.key, deadline)?),
        }
    }

    /// Lets the entry at `key` live for `ttl` from now, or for the cache's own time where that is
    /// `None`. Says whether there is such an entry.
    ///
    /// # Errors
    /// A time that is too long, and those of the server.
    pub fn touch(&self, key: &K, ttl: Option<Duration>) -> Result<bool, MemCachedError> {
        let key = self.entries.key(key)?;
        let (server, deadline) = (self.client.of(&key), self.client.deadline());
        match self.entries.expiry(ttl)? {
            Ttl::Expires(expires) => server.touch(&key, expires, deadline),
            Ttl::Expired => server.delete(&key, deadline),
        }
    }

    fn remove_keys(&self, keys: Vec<&[u8]>) -> Result<usize, MemCachedError> {
        let mut removed = 0;
        self.client.split(
            keys,
            |key| key,
            |server, keys, deadline| {
                removed += server.delete_many(&keys, deadline)?;
                Ok(())
            },
        )?;
        Ok(removed)
    }
}

impl<K, V, F> Cache for MemCached<K, V, F>
where
    K: ?Sized,
    V: Clone,
    F: Form<K, V>,
{
    type Key = K;
    type Value = V;
    type Error = MemCachedError;

    fn get(&self, key: &K) -> Result<Option<V>, MemCachedError> {
        let key = self.entries.key(key)?;
        let server = self.client.of(&key);
        self.entries
            .decode(server.label(), server.get(&key, self.client.deadline())?)
    }

    fn insert_entry(&self, key: &K, value: V, ttl: Option<Duration>) -> Result<(), MemCachedError> {
        let entry = self.entries.entry(key, value)?;
        let (server, deadline) = (self.client.of(&entry.key), self.client.deadline());
        match self.entries.expiry(ttl)? {
            Ttl::Expires(expires) => server.set(&entry, expires, deadline),
            Ttl::Expired => server.delete(&entry.key, deadline).map(drop),
        }
    }

    fn remove(&self, key: &K) -> Result<bool, MemCachedError> {
        let key = self.entries.key(key)?;
        self.client.of(&key).delete(&key, self.client.deadline())
    }

    /// Without a prefix, removes all entries on all servers (`flush_all`), those of other programs included.
    ///
    /// # Errors
    /// [`Error::Unsupported`](ctu_core::Error::Unsupported) with a prefix: Memcached cannot reliably list its keys, and those of
    /// others are not to be flushed. Let entries expire, or change the prefix.
    fn clear(&self) -> Result<(), MemCachedError> {
        self.entries.owns_all()?;
        let servers = self.client.all().map(|server| (server, ()));
        self.client
            .in_turn(servers.collect(), |server, (), deadline| {
                server.flush(deadline)
            })
    }

    /// The number of entries on all servers, as the servers count them: those of other programs
    /// included, and expired entries that no lookup has met since.
    ///
    /// # Errors
    /// [`Error::Unsupported`](ctu_core::Error::Unsupported) with a prefix, since the servers do not list keys.
    fn len(&self) -> Result<usize, MemCachedError> {
        self.entries.owns_all()?;
        let items = sum(&self.stats()?, |stats| stats.items);
        Ok(usize::try_from(items).unwrap_or(usize::MAX))
    }

    /// As [`Cache::contains`]. The value is not sent (Memcached 1.6).
    fn contains(&self, key: &K) -> Result<bool, MemCachedError> {
        let key = self.entries.key(key)?;
        self.client.of(&key).contains(&key, self.client.deadline())
    }

    /// As [`Cache::get_with_ttl`], in whole seconds. Servers before Memcached 1.6 do not tell the time.
    fn get_with_ttl(&self, key: &K) -> Result<Found<V>, MemCachedError> {
        Ok(self.get_many_with_ttl(&[key])?.pop().flatten())
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.entries.ttl
    }

    /// As [`Cache::get_many`], in one round trip a server for every 32 KiB of keys.
    fn get_many(&self, keys: &[&K]) -> Result<Vec<Option<V>>, MemCachedError> {
        let keys = self.entries.keys(keys)?;
        if let [server] = &*self.client.servers {
            let keys: Vec<&[u8]> = keys.iter().collect();
            let found = server.get_many(&keys, self.client.deadline())?;
            return found
                .into_iter()
                .map(|stored| self.entries.decode(server.label(), stored))
                .collect();
        }
        let mut all: Vec<Option<V>> = keys.iter().map(|_| None).collect();
        self.client.split(
            keys.iter().enumerate().collect(),
            |(_, key)| key,
            |server, keys, deadline| {
                let slices: Vec<&[u8]> = keys.iter().map(|(_, key)| *key).collect();
                let found = server.get_many(&slices, deadline)?;
                for ((place, _), stored) in keys.iter().zip(found) {
                    all[*place] = self.entries.decode(server.label(), stored)?;
                }
                Ok(())
            },
        )?;
        Ok(all)
    }

    /// As [`Cache::get_many_with_ttl`], in one round trip a server for every 32 KiB of keys.
    fn get_many_with_ttl(&self, keys: &[&K]) -> Result<Vec<Found<V>>, MemCachedError> {
        let mut all: Vec<Found<V>> = keys.iter().map(|_| None).collect();
        let keys = self.entries.keys(keys)?;
        self.client.split(
            keys.iter().enumerate().collect(),
            |(_, key)| key,
            |server, keys, deadline| {
                let slices: Vec<&[u8]> = keys.iter().map(|(_, key)| *key).collect();
                let found = match server.get_with_ttl(&slices, deadline)? {
                    Some(found) => found,
                    None => {
                        let found = server.get_many(&slices, deadline)?.into_iter();
                        found
                            .map(|found| found.map(|stored| (stored, None)))
                            .collect()
                    }
                };
                for ((place, _), found) in keys.iter().zip(found) {
                    all[*place] = self.entries.decode_timed(server.label(), found)?;
                }
                Ok(())
            },
        )?;
        Ok(all)
    }

    /// As [`Cache::insert_many`], in one round trip a server for every 2048 entries or 4 MiB. Where a
    /// server refuses an entry, it still stores those after it, and so do other servers; the first
    /// refusal is the error. Nothing is sent where a key, value or time does not fit.
    fn insert_many(
        &self,
        entries: Vec<(&K, V)>,
        ttl: Option<Duration>,
    ) -> Result<(), MemCachedError> {
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(key, value)| self.entries.entry(key, value))
            .collect::<Result<_, _>>()?;
        match self.entries.expiry(ttl)? {
            Ttl::Expires(expires) => self.client.split(
                entries,
                |entry| &entry.key,
                |server, entries, deadline| server.set_many(&entries, expires, deadline),
            ),
            Ttl::Expired => {
                let keys = entries.iter().map(|entry| &*entry.key).collect();
                self.remove_keys(keys).map(drop)
            }
        }
    }

    /// As [`Cache::remove_many`], in one round trip a server for every 2048 keys.
    fn remove_many(&self, keys: &[&K]) -> Result<usize, MemCachedError> {
        self.remove_keys(self.entries.keys(keys)?.iter().collect())
    }
}

impl<K: ?Sized, V, F: Clone> Clone for MemCached<K, V, F> {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), self.entries.clone())
    }
}

impl<K: ?Sized, V, F: fmt::Debug> fmt::Debug for MemCached<K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.client.all().map(|server| server.label());
        f.debug_struct("MemCached")
            .field("servers", &servers.collect::<Vec<_>>())
            .field("form", &self.entries.form)
            .field("prefix", &self.entries.prefix)
            .field("ttl", &self.entries.ttl)
            .finish_non_exhaustive()
    }
}
