//! Groups of entries by tags, which the second level keeps.

use super::{
    TwoLevelError,
    levels::{FirstLevel, Levels},
    second::SecondResult,
    tag_index::{NewTags, TagIndex},
    tagged_computation::Computations,
    versions::Version,
};
use crate::caches::{AnyCache, FoundTagged, IsAsync, IsCache, TagGenerations, TaggedEntry};
use ctu_core::{AsyncCache, Cache, CacheError, Capability, Error, Found};
use std::{pin::Pin, time::Duration};

/// The error of a cache without tags.
const NO_TAGS: Error = Error::Unsupported(Capability::Tags);

type Key<A> = <A as Cache>::Key;
type Value<A> = <A as Cache>::Value;
type Ttl = Option<Duration>;
type Taken<E> = Result<TagGenerations, E>;
type One<A, E> = Result<FoundTagged<<A as Cache>::Value>, E>;
type Many<A, E> = Result<Vec<FoundTagged<<A as Cache>::Value>>, E>;
type Reading<'b, T> = Pin<Box<dyn Future<Output = T> + Send + 'b>>;

type Get<A, B, E> = fn(&B, &Key<A>) -> One<A, E>;
type GetMany<A, B, E> = fn(&B, &[&Key<A>]) -> Many<A, E>;
type AsyncGet<A, B, E> = for<'b> fn(&'b B, &'b Key<A>) -> Reading<'b, One<A, E>>;
type AsyncGetMany<A, B, E> = for<'b> fn(&'b B, &'b [&'b Key<A>]) -> Reading<'b, Many<A, E>>;

type Take<A, B, E> = fn(&B, &Key<A>, Ttl, &[&str]) -> Taken<E>;
type InsertUnder<A, B, E> = fn(&B, &Key<A>, Value<A>, Ttl, &TagGenerations) -> Result<bool, E>;
type AsyncTake<A, B, E> =
    for<'b> fn(&'b B, &'b Key<A>, Ttl, &'b [&'b str]) -> Reading<'b, Taken<E>>;
type AsyncInsertUnder<A, B, E> = for<'b> fn(
    &'b B,
    &'b Key<A>,
    Value<A>,
    Ttl,
    &'b TagGenerations,
) -> Reading<'b, Result<bool, E>>;

/// The requests to a second level with tags, as the builder makes them.
pub(super) enum TagRequests<A: Cache, B, E> {
    Blocking {
        get: Get<A, B, E>,
        get_many: GetMany<A, B, E>,
        take: Take<A, B, E>,
        insert_under: InsertUnder<A, B, E>,
    },
    Async {
        get: AsyncGet<A, B, E>,
        get_many: AsyncGetMany<A, B, E>,
        take: AsyncTake<A, B, E>,
        insert_under: AsyncInsertUnder<A, B, E>,
    },
}

/// The tags of a second level, as the builder makes them.
pub(super) struct SecondTags<A: Cache, B: AnyCache<Kind>, Kind> {
    pub(super) requests: TagRequests<A, B, B::Error>,
    pub(super) mark: fn(&B, &str) -> Option<u64>,
    pub(super) common: fn(&B) -> Vec<u64>,
}

/// The tags of two levels.
pub(super) struct TagSupport<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    pub(super) requests: TagRequests<A, B, B::Error>,
    pub(super) mark: fn(&B, &str) -> Option<u64>,
    /// The tags of each entry.
    pub(super) common: Vec<u64>,
    index: TagIndex<A::Key>,
    /// The computations of values with tags under way.
    pub(super) computations: Computations<A::Key>,
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> TagSupport<A, B, Kind> {
    pub(super) fn new(tags: SecondTags<A, B, Kind>, second: &B, keys: usize) -> Self {
        Self {
            common: (tags.common)(second),
            requests: tags.requests,
            mark: tags.mark,
            index: TagIndex::new(keys),
            computations: Computations::new(),
        }
    }
}

/// An invalidation of a tag under way. Its end, also by a panic or a dropped future, invalidates the tag
/// at the first level.
pub(super) struct Invalidation<'l, A: FirstLevel, B: AnyCache<Kind>, Kind> {
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
    pub(super) fn end<E: CacheError>(
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
        for key in tags.computations.with_tag(mark) {
            // The second level knows whether the change outdates the value: it may be the first generation.
            self.flights.outdate(key.get());
        }
        tags.index.invalidate(mark);
    }

    /// Whether the entry of the first level at `key` has tags beside those of each entry.
    pub(super) fn has_own_tags(&self, key: &A::Key) -> bool {
        let tags = self.tags.as_ref();
        tags.is_some_and(|tags| tags.index.has_other_tags(key, &tags.common))
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

    pub(super) fn begin_invalidation(&self, mark: Option<u64>) -> Invalidation<'_, A, B, Kind> {
        Invalidation { levels: self, mark }
    }

    pub(super) fn supported<E: CacheError>(&self) -> Result<(), TwoLevelError<A::Error, E>> {
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
        match self.tags.as_ref().map(|tags| &tags.requests) {
            Some(TagRequests::Blocking { get, .. }) => get(&self.second, key),
            _ => Ok(untagged(self.second.get_with_ttl(key)?)),
        }
    }

    /// Reads several keys of the second level.
    pub(super) fn read_many_second(
        &self,
        keys: &[&A::Key],
    ) -> Result<Vec<FoundTagged<A::Value>>, B::Error> {
        match self.tags.as_ref().map(|tags| &tags.requests) {
            Some(TagRequests::Blocking { get_many, .. }) => get_many(&self.second, keys),
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
        match self.tags.as_ref().map(|tags| &tags.requests) {
            Some(TagRequests::Async { get, .. }) => get(&self.second, key).await,
            _ => Ok(untagged(self.second.get_with_ttl(key).await?)),
        }
    }

    /// Reads several keys of the second level.
    pub(super) async fn read_many_second(
        &self,
        keys: &[&A::Key],
    ) -> Result<Vec<FoundTagged<A::Value>>, B::Error> {
        match self.tags.as_ref().map(|tags| &tags.requests) {
            Some(TagRequests::Async { get_many, .. }) => get_many(&self.second, keys).await,
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
