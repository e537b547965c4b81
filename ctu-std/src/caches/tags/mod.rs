//! Caches on a server that keeps groups of entries.

mod forward;

use ctu_core::{AsyncCache, Cache, IntoValue};
use std::{convert::Infallible, future::Future, time::Duration};

/// An entry of a cache with tags, from [`Tags::get_tagged`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedEntry<V> {
    /// The value.
    pub value: V,
    /// The remaining time-to-live. `None` for no limit.
    pub ttl: Option<Duration>,
    /// The [marks](Tags::tag_mark) of its tags. Empty for an entry without tags.
    pub tags: Vec<u64>,
}

impl<V> TaggedEntry<V> {
    /// The entry as a lookup without tags finds it.
    pub(crate) fn found(self) -> (V, Option<Duration>) {
        (self.value, self.ttl)
    }
}

/// The result of a lookup with tags, as [`Found`](crate::Found). `None` is a miss.
pub type FoundTagged<V> = Option<TaggedEntry<V>>;

/// The generations of tags at one time, from [`Tags::tag_generations`], in the form of the server's cache.
///
/// An invalidation of a tag changes its generation. An entry that is
/// [stored under](Tags::insert_under) earlier generations than the present ones would be a miss.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagGenerations(Vec<u8>);

impl TagGenerations {
    /// The generations in the form of a cache.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes of [`new`](Self::new).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A cache on a server that keeps groups of entries by their tags.
///
/// An entry has any number of tags. [`invalidate_tag`](Self::invalidate_tag) makes all entries with a tag
/// misses at once, for all programs, in constant time. [`RedisCache`](crate::RedisCache) with
/// [`tags`](crate::RedisBuilder::tags) is such a cache, and so is each mapping on it. The page
/// [coherence](crate::docs::coherence) has the format of the entries.
///
/// The names of tags are those of the base: two mappings on one cache share them.
#[cfg_attr(feature = "redis", doc = "```no_run")]
#[cfg_attr(not(feature = "redis"), doc = "```ignore")]
/// use ctu_std::{Cache, PrefixedRedisCache, RedisCache, Tags};
///
/// let server = RedisCache::builder("redis://127.0.0.1").prefix("shop.").tags();
/// let cache: PrefixedRedisCache<str, String> = server.build()?;
/// cache.insert_with_tags("shoe", "red".into(), None, &["shoes", "red"])?;
/// cache.invalidate_tag("shoes")?;
/// assert_eq!(cache.get("shoe")?, None);
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "the server of `{Self}` keeps no tags",
    label = "not a cache with tags",
    note = "`RedisCache`, and mappings on it, are such caches; Memcached has no tags"
)]
pub trait Tags: Cache {
    /// Inserts an entry that belongs to the groups `tags`. `ttl` is that of
    /// [`Cache::insert_entry`](crate::Cache::insert_entry). One round trip.
    ///
    /// The entry is found until the next invalidation of a tag. A value that was computed before the last
    /// invalidation is found, too: [`get_or_insert_with_tags`](Self::get_or_insert_with_tags) stores no such
    /// value.
    ///
    /// # Errors
    /// Those of an insertion, of a tag that is too long, of too many tags, and
    /// [`Error::Unsupported`](crate::Error::Unsupported) for a cache without tags.
    fn insert_with_tags(
        &self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> Result<(), Self::Error>;

    /// Makes all entries with `tag` misses, in constant time. An entry that is inserted later is found.
    ///
    /// # Errors
    /// Those of a removal. [`Error::Unsupported`](crate::Error::Unsupported) for a cache without tags.
    fn invalidate_tag(&self, tag: &str) -> Result<(), Self::Error>;

    /// Takes the generations of `tags` for an entry at `key` that is to live for `ttl`, and those of the tags
    /// that every entry gets. One round trip.
    ///
    /// # Errors
    /// Those of [`insert_with_tags`](Self::insert_with_tags).
    fn tag_generations(
        &self,
        key: &Self::Key,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> Result<TagGenerations, Self::Error>;

    /// Inserts an entry with tags whose generations were taken before its value was read or computed.
    /// Returns `false`, and stores nothing, if one of the tags was invalidated since. One round trip.
    ///
    /// # Errors
    /// Those of [`insert_with_tags`](Self::insert_with_tags).
    fn insert_under(
        &self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
        generations: &TagGenerations,
    ) -> Result<bool, Self::Error>;

    /// Returns the value at `key`. On a miss, computes it and stores it with `tags`, unless one of them is
    /// invalidated during the computation: the caller gets the value, and the next caller computes it again.
    ///
    /// Three round trips on a miss. Several callers may compute at the same time: a
    /// [`TwoLevelCache`](crate::TwoLevelCache::get_or_insert_with_tags) computes once.
    #[cfg_attr(feature = "redis", doc = "```no_run")]
    #[cfg_attr(not(feature = "redis"), doc = "```ignore")]
    /// # fn read_price(shoe: &str) -> u64 { 1 }
    /// use ctu_std::{PrefixedRedisCache, RedisCache, Tags};
    ///
    /// let server = RedisCache::builder("redis://127.0.0.1").prefix("shop.").tags();
    /// let cache: PrefixedRedisCache<str, u64> = server.build()?;
    /// let price = cache.get_or_insert_with_tags("shoe", &["prices"], || read_price("shoe"))?;
    /// # Ok::<(), ctu_std::RedisError>(())
    /// ```
    ///
    /// # Errors
    /// Those of a lookup and of [`insert_with_tags`](Self::insert_with_tags).
    fn get_or_insert_with_tags<T, F>(
        &self,
        key: &Self::Key,
        tags: &[&str],
        make: F,
    ) -> Result<Self::Value, Self::Error>
    where
        Self: Sized,
        T: IntoValue<Self::Value>,
        F: FnOnce() -> T,
    {
        match self.get_or_try_insert_with_tags(key, tags, || Ok::<_, Infallible>(make()))? {
            Ok(value) => Ok(value),
            Err(never) => match never {},
        }
    }

    /// [`get_or_insert_with_tags`](Self::get_or_insert_with_tags) for a computation that may fail: nothing is
    /// stored then, and the inner error is that of `make`.
    ///
    /// # Errors
    /// Those of [`get_or_insert_with_tags`](Self::get_or_insert_with_tags).
    fn get_or_try_insert_with_tags<T, E, F>(
        &self,
        key: &Self::Key,
        tags: &[&str],
        make: F,
    ) -> Result<Result<Self::Value, E>, Self::Error>
    where
        Self: Sized,
        T: IntoValue<Self::Value>,
        F: FnOnce() -> Result<T, E>,
    {
        if let Some(value) = self.get(key)? {
            return Ok(Ok(value));
        }
        let generations = self.tag_generations(key, None, tags)?;
        let value = match make() {
            Ok(value) => value.into_value()?,
            Err(error) => return Ok(Err(error)),
        };
        self.insert_under(key, value.clone(), None, &generations)?;
        Ok(Ok(value))
    }

    /// Looks up an entry with the marks of its tags, in one round trip.
    ///
    /// # Errors
    /// Those of a lookup. [`Error::Unsupported`](crate::Error::Unsupported) for a cache without tags.
    fn get_tagged(&self, key: &Self::Key) -> Result<FoundTagged<Self::Value>, Self::Error>;

    /// Looks up many entries as [`get_tagged`](Self::get_tagged), in one round trip.
    ///
    /// # Errors
    /// As [`get_tagged`](Self::get_tagged).
    fn get_many_tagged(
        &self,
        keys: &[&Self::Key],
    ) -> Result<Vec<FoundTagged<Self::Value>>, Self::Error>;

    /// The mark of `tag`: a hash. [`TrackingMessage::TagChanged`](crate::TrackingMessage::TagChanged) has
    /// the same mark. `None` for a tag that is too long.
    fn tag_mark(&self, tag: &str) -> Option<u64>;

    /// The marks of the tags that every entry of this cache gets.
    fn common_tags(&self) -> Vec<u64>;
}

/// [`Tags`] of an async cache.
#[diagnostic::on_unimplemented(
    message = "the server of `{Self}` keeps no tags",
    label = "not an async cache with tags",
    note = "`AsyncRedisCache`, and mappings on it, are such caches; Memcached has no tags"
)]
pub trait AsyncTags: AsyncCache {
    /// As [`Tags::insert_with_tags`].
    ///
    /// # Errors
    /// Those of [`Tags::insert_with_tags`].
    fn insert_with_tags(
        &self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// As [`Tags::invalidate_tag`].
    ///
    /// # Errors
    /// Those of [`Tags::invalidate_tag`].
    fn invalidate_tag(&self, tag: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// As [`Tags::tag_generations`].
    ///
    /// # Errors
    /// Those of [`Tags::tag_generations`].
    fn tag_generations(
        &self,
        key: &Self::Key,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> impl Future<Output = Result<TagGenerations, Self::Error>> + Send;

    /// As [`Tags::insert_under`].
    ///
    /// # Errors
    /// Those of [`Tags::insert_under`].
    fn insert_under(
        &self,
        key: &Self::Key,
        value: Self::Value,
        ttl: Option<Duration>,
        generations: &TagGenerations,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// As [`Tags::get_or_insert_with_tags`]. `make` returns a future.
    ///
    /// # Errors
    /// Those of [`Tags::get_or_insert_with_tags`].
    fn get_or_insert_with_tags<T, F, Fut>(
        &self,
        key: &Self::Key,
        tags: &[&str],
        make: F,
    ) -> impl Future<Output = Result<Self::Value, Self::Error>> + Send
    where
        T: IntoValue<Self::Value> + Send,
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = T> + Send,
    {
        async move {
            let make = || async { Ok::<_, Infallible>(make().await) };
            match self.get_or_try_insert_with_tags(key, tags, make).await? {
                Ok(value) => Ok(value),
                Err(never) => match never {},
            }
        }
    }

    /// As [`Tags::get_or_try_insert_with_tags`]. `make` returns a future.
    ///
    /// # Errors
    /// Those of [`Tags::get_or_try_insert_with_tags`].
    fn get_or_try_insert_with_tags<T, E, F, Fut>(
        &self,
        key: &Self::Key,
        tags: &[&str],
        make: F,
    ) -> impl Future<Output = Result<Result<Self::Value, E>, Self::Error>> + Send
    where
        T: IntoValue<Self::Value> + Send,
        E: Send,
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        async move {
            if let Some(value) = self.get(key).await? {
                return Ok(Ok(value));
            }
            let generations = self.tag_generations(key, None, tags).await?;
            let value = match make().await {
                Ok(value) => value.into_value()?,
                Err(error) => return Ok(Err(error)),
            };
            let stored = self.insert_under(key, value.clone(), None, &generations);
            stored.await?;
            Ok(Ok(value))
        }
    }

    /// As [`Tags::get_tagged`].
    ///
    /// # Errors
    /// Those of [`Tags::get_tagged`].
    fn get_tagged(
        &self,
        key: &Self::Key,
    ) -> impl Future<Output = Result<FoundTagged<Self::Value>, Self::Error>> + Send;

    /// As [`Tags::get_many_tagged`].
    ///
    /// # Errors
    /// Those of [`Tags::get_many_tagged`].
    fn get_many_tagged(
        &self,
        keys: &[&Self::Key],
    ) -> impl Future<Output = Result<Vec<FoundTagged<Self::Value>>, Self::Error>> + Send;

    /// As [`Tags::tag_mark`].
    fn tag_mark(&self, tag: &str) -> Option<u64>;

    /// As [`Tags::common_tags`].
    fn common_tags(&self) -> Vec<u64>;
}
