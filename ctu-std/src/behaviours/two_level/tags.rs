//! Groups of entries by tags, which the second level keeps.

use super::{
    TwoLevelCache, TwoLevelError,
    levels::{Failed, FirstLevel, Levels},
    second::SecondResult,
    tag_index::{NewTags, TagIndex},
    versions::Version,
};
use crate::caches::{AnyCache, AsyncTags, FoundTagged, IsAsync, IsCache, TaggedEntry, Tags};
use ctu_core::{AsyncCache, Cache, CacheError, Capability, Error, Found, InMemory};
use std::{hash::Hash, pin::Pin, time::Duration};

/// The error of a cache without tags.
const NO_TAGS: Error = Error::Unsupported(Capability::Tags);

type Key<A> = <A as Cache>::Key;
type One<A, E> = Result<FoundTagged<<A as Cache>::Value>, E>;
type Many<A, E> = Result<Vec<FoundTagged<<A as Cache>::Value>>, E>;
type Reading<'b, T> = Pin<Box<dyn Future<Output = T> + Send + 'b>>;

type Get<A, B, E> = fn(&B, &Key<A>) -> One<A, E>;
type GetMany<A, B, E> = fn(&B, &[&Key<A>]) -> Many<A, E>;
type AsyncGet<A, B, E> = for<'b> fn(&'b B, &'b Key<A>) -> Reading<'b, One<A, E>>;
type AsyncGetMany<A, B, E> = for<'b> fn(&'b B, &'b [&'b Key<A>]) -> Reading<'b, Many<A, E>>;

/// The reads of a second level with tags, as the builder makes them.
pub(super) enum TagReads<A: Cache, B, E> {
    Blocking {
        get: Get<A, B, E>,
        get_many: GetMany<A, B, E>,
    },
    Async {
        get: AsyncGet<A, B, E>,
        get_many: AsyncGetMany<A, B, E>,
    },
}

/// The tags of a second level, as the builder makes them.
pub(super) struct SecondTags<A: Cache, B: AnyCache<Kind>, Kind> {
    pub(super) reads: TagReads<A, B, B::Error>,
    pub(super) common: fn(&B) -> Vec<u64>,
}

/// The tags of two levels.
pub(super) struct TagSupport<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    reads: TagReads<A, B, B::Error>,
    /// The tags of each entry.
    common: Vec<u64>,
    index: TagIndex<A::Key>,
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> TagSupport<A, B, Kind> {
    pub(super) fn new(tags: SecondTags<A, B, Kind>, second: &B, keys: usize) -> Self {
        Self {
            common: (tags.common)(second),
            reads: tags.reads,
            index: TagIndex::new(keys),
        }
    }
}

/// An invalidation of a tag under way. Its end, also by a panic or a dropped future, invalidates the tag
/// at the first level.
struct Invalidation<'l, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    levels: &'l Levels<A, B, Kind>,
    mark: Option<u64>,
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Drop for Invalidation<'_, A, B, Kind> {
    fn drop(&mut self) {
        if let Some(mark) = self.mark {
            self.levels.tag_changed(mark);
        }
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Invalidation<'_, A, B, Kind> {
    /// Ends the invalidation. An outage is an error even of a resilient cache: the journal records keys.
    fn end<E: CacheError>(
        self,
        result: SecondResult<(), E>,
    ) -> Result<(), TwoLevelError<A::Error, E>> {
        let levels = self.levels;
        drop(self);
        levels.done_or_error(result)
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    /// The number of invalidations so far, to be read before a request to the second level.
    pub(super) fn invalidations(&self) -> u64 {
        self.tags.as_ref().map_or(0, |tags| tags.index.now())
    }

    /// The tags of an entry that is written without tags of its own.
    pub(super) fn common_tags(&self) -> &[u64] {
        self.tags.as_ref().map_or(&[], |tags| &tags.common)
    }

    /// Whether the entry of the first level at `key`, which was read before, has no invalidated tag.
    #[inline]
    pub(super) fn has_current_tags(&self, key: &A::Key) -> bool {
        match &self.tags {
            None => true,
            Some(tags) => tags.index.is_current(key),
        }
    }

    /// The server, or this node, has invalidated a tag.
    pub(super) fn tag_changed(&self, mark: u64) {
        let Some(tags) = &self.tags else { return };
        if tags.common.contains(&mark) {
            self.flights.all_written();
        }
        tags.index.invalidate(mark);
    }

    /// Runs `put`, which puts an entry with `marks` at `key` into the first level, unless one of them was
    /// invalidated since `version`: the first level then has no entry at `key`.
    pub(super) fn put_tagged<T>(
        &self,
        key: &A::Key,
        version: Version,
        marks: &[u64],
        put: impl FnOnce() -> Result<T, A::Error>,
    ) -> Result<Option<T>, A::Error> {
        let Some(tags) = &self.tags else {
            return put().map(Some);
        };
        let new = NewTags {
            marks,
            at: version.invalidations(),
        };
        match tags.index.put(key, new, self, put) {
            Some(done) => done.map(Some),
            None => self.forget_first(key).map(|_| None),
        }
    }

    /// An expired value at `key`, within the grace time.
    pub(super) fn stale(&self, key: &A::Key) -> Option<A::Value> {
        let stale = self.side_tables.stale(key, self.now());
        stale.filter(|_| self.has_current_tags(key))
    }

    fn begin_invalidation(&self, mark: Option<u64>) -> Invalidation<'_, A, B, Kind> {
        Invalidation { levels: self, mark }
    }

    fn supported<E: CacheError>(&self) -> Result<(), TwoLevelError<A::Error, E>> {
        match &self.tags {
            Some(_) => Ok(()),
            None => Err(self.second_failed(NO_TAGS.into())),
        }
    }
}

impl<A, B> Levels<A, B, IsCache>
where
    A: FirstLevel,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// Reads the second level.
    pub(super) fn read_second(&self, key: &A::Key) -> Result<FoundTagged<A::Value>, B::Error> {
        match self.tags.as_ref().map(|tags| &tags.reads) {
            Some(TagReads::Blocking { get, .. }) => get(&self.second, key),
            _ => Ok(untagged(self.second.get_with_ttl(key)?)),
        }
    }

    /// Reads several keys of the second level.
    pub(super) fn read_many_second(
        &self,
        keys: &[&A::Key],
    ) -> Result<Vec<FoundTagged<A::Value>>, B::Error> {
        match self.tags.as_ref().map(|tags| &tags.reads) {
            Some(TagReads::Blocking { get_many, .. }) => get_many(&self.second, keys),
            _ => Ok(all_untagged(self.second.get_many_with_ttl(keys)?)),
        }
    }
}

impl<A, B> Levels<A, B, IsAsync>
where
    A: FirstLevel,
    B: AsyncCache<Key = A::Key, Value = A::Value>,
{
    /// Reads the second level.
    pub(super) async fn read_second(
        &self,
        key: &A::Key,
    ) -> Result<FoundTagged<A::Value>, B::Error> {
        match self.tags.as_ref().map(|tags| &tags.reads) {
            Some(TagReads::Async { get, .. }) => get(&self.second, key).await,
            _ => Ok(untagged(self.second.get_with_ttl(key).await?)),
        }
    }

    /// Reads several keys of the second level.
    pub(super) async fn read_many_second(
        &self,
        keys: &[&A::Key],
    ) -> Result<Vec<FoundTagged<A::Value>>, B::Error> {
        match self.tags.as_ref().map(|tags| &tags.reads) {
            Some(TagReads::Async { get_many, .. }) => get_many(&self.second, keys).await,
            _ => Ok(all_untagged(self.second.get_many_with_ttl(keys).await?)),
        }
    }
}

fn untagged<V>(found: Found<V>) -> FoundTagged<V> {
    found.map(|(value, ttl)| TaggedEntry {
        value,
        ttl,
        tags: Vec::new(),
    })
}

fn all_untagged<V>(found: Vec<Found<V>>) -> Vec<FoundTagged<V>> {
    found.into_iter().map(untagged).collect()
}

impl<A, B> TwoLevelCache<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Tags<Key = A::Key, Value = A::Value>,
{
    /// Inserts an entry that belongs to the groups `tags`, at both levels, as
    /// [`insert_entry`](Cache::insert_entry) otherwise. See [`Tags`].
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

    /// Makes all entries with `tag` misses at both levels, in constant time: at once for this node and at
    /// the second level, and for other nodes within their
    /// [`invalidation_bound`](super::TwoLevelBuilder::invalidation_bound), or else the time-to-live of their
    /// first levels.
    ///
    /// # Errors
    /// Those of a removal. An outage is an error also of a [`resilient`](super::TwoLevelBuilder::resilient)
    /// cache ([`TwoLevelError::Unavailable`] while the breaker is open): the entries are misses at this
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
