//! [`TwoLevelCache`] over a second level with tags.

use super::{TwoLevelCache, levels::Failed, second::SecondResult};
use crate::caches::{AsyncTags, IsAsync, Tags};
use ctu_core::{Cache, Capability, Error, InMemory, IntoValue};
use parking_lot::Mutex;
use std::{convert::Infallible, hash::Hash, time::Duration};

/// The result of a computation that may fail.
fn made<V, E, F: From<Error>>(found: Option<V>, failed: Option<E>) -> Result<Result<V, E>, F> {
    match (found, failed) {
        (Some(value), _) => Ok(Ok(value)),
        (None, Some(error)) => Ok(Err(error)),
        (None, None) => Err(Error::Unsupported(Capability::GetOrInsert).into()),
    }
}

impl<A, B> TwoLevelCache<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Tags<Key = A::Key, Value = A::Value>,
{
    /// Inserts an entry that belongs to the groups `tags`, at both levels, as
    /// [`insert_entry`](Cache::insert_entry) otherwise. See [`Tags`].
    ///
    /// The entry is found until the next invalidation of a tag, also if its value was computed before the
    /// last one: see [`get_or_insert_with_tags`](Self::get_or_insert_with_tags).
    ///
    /// # Errors
    /// Those of an insertion, and [`Error::Unsupported`] for a cache without
    /// [tags](super::TwoLevelBuilder::tags).
    pub fn insert_with_tags(
        &self,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> Result<(), Failed<A, B>> {
        let levels = &*self.levels;
        levels.supported()?;
        let marks = tags.iter().filter_map(|tag| levels.second.tag_mark(tag));
        let write = levels.begin_insert(key).with_tags(marks);
        let time = levels.second_time(ttl);
        let result = match levels.admit() {
            Some(call) => {
                let second = &levels.second;
                call.end(second.insert_with_tags(key, value.clone(), time, tags))
            }
            None => SecondResult::Skipped,
        };
        write.end_insert(result, value, ttl)
    }

    /// Returns the value at `key`. On a miss, computes it once among all callers, and stores it with `tags` at
    /// both levels. The tags of the caller that computes count.
    ///
    /// If a tag is invalidated during the computation, its callers get the value and nothing is stored. A
    /// caller that comes after the invalidation computes anew. The tags cost a request before the computation.
    #[cfg_attr(feature = "redis", doc = "```no_run")]
    #[cfg_attr(not(feature = "redis"), doc = "```ignore")]
    /// # fn read_price(shoe: &str) -> u64 { 1 }
    /// use ctu_std::{LruCache, PrefixedRedisCache, RedisCache, TwoLevelCache};
    ///
    /// let server = RedisCache::builder("redis://127.0.0.1").prefix("shop.").tags();
    /// let second: PrefixedRedisCache<str, u64> = server.build()?;
    /// let first = LruCache::<String, u64>::with_capacity(1_000);
    /// let cache = TwoLevelCache::builder(first, second).tags().build();
    /// let price = cache.get_or_insert_with_tags("shoe", &["prices"], || read_price("shoe"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`get_or_insert_with`](crate::CacheExt::get_or_insert_with), and [`Error::Unsupported`] for
    /// a cache without [tags](super::TwoLevelBuilder::tags).
    pub fn get_or_insert_with_tags<T, F>(
        &self,
        key: &A::Key,
        tags: &[&str],
        make: F,
    ) -> Result<A::Value, Failed<A, B>>
    where
        T: IntoValue<A::Value>,
        F: FnOnce() -> T,
    {
        match self.get_or_try_insert_with_tags(key, tags, || Ok::<_, Infallible>(make()))? {
            Ok(value) => Ok(value),
            Err(never) => match never {},
        }
    }

    /// [`get_or_insert_with_tags`](Self::get_or_insert_with_tags) for a computation that may fail: the inner
    /// error is that of `make`.
    ///
    /// # Errors
    /// Those of [`get_or_insert_with_tags`](Self::get_or_insert_with_tags).
    pub fn get_or_try_insert_with_tags<T, E, F>(
        &self,
        key: &A::Key,
        tags: &[&str],
        make: F,
    ) -> Result<Result<A::Value, E>, Failed<A, B>>
    where
        T: IntoValue<A::Value>,
        F: FnOnce() -> Result<T, E>,
    {
        self.levels.supported()?;
        if let Some(value) = self.get_first(key)? {
            return Ok(Ok(value));
        }
        let (mut make, mut failed) = (Some(make), None);
        let found =
            self.levels
                .compute(key, tags, &mut || match make.take().map(|make| make()) {
                    Some(Ok(value)) => value.into_value().map(Some),
                    Some(Err(error)) => {
                        failed = Some(error);
                        Ok(None)
                    }
                    None => Ok(None),
                })?;
        made(found, failed)
    }

    /// Makes all entries with `tag` misses at both levels, in constant time: at once for this node and at
    /// the second level, and for other nodes within their
    /// [`invalidation_bound`](super::TwoLevelBuilder::invalidation_bound), or else the time-to-live of their
    /// first levels.
    ///
    /// # Errors
    /// Those of a removal. An outage is an error also of a [`resilient`](super::TwoLevelBuilder::resilient)
    /// cache ([`TwoLevelError::Unavailable`](super::TwoLevelError::Unavailable) while the breaker is open): the entries are misses at this
    /// first level, and the caller is to repeat the call. [`Error::Unsupported`] for a cache without
    /// [tags](super::TwoLevelBuilder::tags).
    pub fn invalidate_tag(&self, tag: &str) -> Result<(), Failed<A, B>> {
        let levels = &*self.levels;
        levels.supported()?;
        let invalidation = levels.begin_invalidation(levels.second.tag_mark(tag));
        let result = match levels.admit() {
            Some(call) => call.end(levels.second.invalidate_tag(tag)),
            None => SecondResult::Skipped,
        };
        invalidation.end(result)
    }
}

impl<A, B> TwoLevelCache<A, B, IsAsync>
where
    A: Cache<Key: Hash + Eq + ToOwned> + InMemory,
    B: AsyncTags<Key = A::Key, Value = A::Value>,
{
    /// As [`insert_with_tags`](#method.insert_with_tags) of a blocking cache.
    ///
    /// # Errors
    /// Those of a blocking cache.
    pub async fn insert_with_tags(
        &self,
        key: &A::Key,
        value: A::Value,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> Result<(), Failed<A, B, IsAsync>> {
        let levels = &*self.levels;
        levels.supported()?;
        let marks = tags.iter().filter_map(|tag| levels.second.tag_mark(tag));
        let write = levels.begin_insert(key).with_tags(marks);
        let time = levels.second_time(ttl);
        let result = match levels.admit() {
            Some(call) => {
                let second = &levels.second;
                let inserted = second.insert_with_tags(key, value.clone(), time, tags);
                call.end(inserted.await)
            }
            None => SecondResult::Skipped,
        };
        write.end_insert(result, value, ttl)
    }

    /// As [`get_or_insert_with_tags`](#method.get_or_insert_with_tags) of a blocking cache. `make` returns a
    /// future.
    ///
    /// # Errors
    /// Those of a blocking cache.
    pub async fn get_or_insert_with_tags<T, F, Fut>(
        &self,
        key: &A::Key,
        tags: &[&str],
        mut make: F,
    ) -> Result<A::Value, Failed<A, B, IsAsync>>
    where
        T: IntoValue<A::Value> + Send,
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = T> + Send,
    {
        let make = || {
            let made = make();
            async { Ok::<_, Infallible>(made.await) }
        };
        match self.get_or_try_insert_with_tags(key, tags, make).await? {
            Ok(value) => Ok(value),
            Err(never) => match never {},
        }
    }

    /// As [`get_or_try_insert_with_tags`](#method.get_or_try_insert_with_tags) of a blocking cache. `make`
    /// returns a future.
    ///
    /// # Errors
    /// Those of a blocking cache.
    pub async fn get_or_try_insert_with_tags<T, E, F, Fut>(
        &self,
        key: &A::Key,
        tags: &[&str],
        mut make: F,
    ) -> Result<Result<A::Value, E>, Failed<A, B, IsAsync>>
    where
        T: IntoValue<A::Value> + Send,
        E: Send,
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        self.levels.supported()?;
        if let Some(value) = self.get_first(key)? {
            return Ok(Ok(value));
        }
        // The futures of `make` share it.
        let failed = Mutex::<Option<E>>::new(None);
        let compute = || {
            let (made, failed) = (make(), &failed);
            async move {
                match made.await {
                    Ok(value) => value.into_value().map(Some),
                    Err(error) => {
                        *failed.lock() = Some(error);
                        Ok(None)
                    }
                }
            }
        };
        let found = self.levels.compute(key, tags, compute).await?;
        made(found, failed.into_inner())
    }

    /// As [`invalidate_tag`](#method.invalidate_tag) of a blocking cache. A future that is dropped has
    /// invalidated the tag at the first level.
    ///
    /// # Errors
    /// Those of a blocking cache.
    pub async fn invalidate_tag(&self, tag: &str) -> Result<(), Failed<A, B, IsAsync>> {
        let levels = &*self.levels;
        levels.supported()?;
        let invalidation = levels.begin_invalidation(levels.second.tag_mark(tag));
        let result = match levels.admit() {
            Some(call) => call.end(levels.second.invalidate_tag(tag).await),
            None => SecondResult::Skipped,
        };
        invalidation.end(result)
    }
}
