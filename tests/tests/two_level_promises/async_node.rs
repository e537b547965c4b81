//! The node over an async second level.

use crate::{
    node::{First, Node, Switches, build},
    remote::{Failed, Link},
};
use ctu_std::{
    AsyncCache, AsyncTags, Cache, CacheError, Error, Found, FoundTagged, IsAsync, TagGenerations,
    Tags, TwoLevelCache, TwoLevelError,
};
use ctu_tests::{cancel::poll_now, step_cache::yield_once};
use std::{
    fmt,
    pin::pin,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

/// A [`Link`] that suspends the task before and after each request.
pub(crate) struct AsyncLink(Link);

impl AsyncLink {
    async fn run<T>(&self, request: impl FnOnce(&Link) -> T) -> T {
        yield_once().await;
        let answer = request(&self.0);
        yield_once().await;
        answer
    }
}

impl AsyncCache for AsyncLink {
    type Key = u32;
    type Value = u32;
    type Error = Failed;

    async fn get(&self, key: &u32) -> Result<Option<u32>, Failed> {
        self.run(|link| link.get(key)).await
    }

    async fn get_with_ttl(&self, key: &u32) -> Result<Found<u32>, Failed> {
        self.run(|link| link.get_with_ttl(key)).await
    }

    async fn insert_entry(
        &self,
        key: &u32,
        value: u32,
        ttl: Option<Duration>,
    ) -> Result<(), Failed> {
        self.run(|link| link.insert_entry(key, value, ttl)).await
    }

    async fn remove(&self, key: &u32) -> Result<bool, Failed> {
        self.run(|link| link.remove(key)).await
    }

    async fn clear(&self) -> Result<(), Failed> {
        self.run(Cache::clear).await
    }

    async fn len(&self) -> Result<usize, Failed> {
        self.run(Cache::len).await
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.0.default_ttl()
    }

    async fn get_many_with_ttl(&self, keys: &[&u32]) -> Result<Vec<Found<u32>>, Failed> {
        self.run(|link| link.get_many_with_ttl(keys)).await
    }

    async fn insert_many(
        &self,
        entries: Vec<(&u32, u32)>,
        ttl: Option<Duration>,
    ) -> Result<(), Failed> {
        self.run(|link| link.insert_many(entries, ttl)).await
    }

    async fn remove_many(&self, keys: &[&u32]) -> Result<usize, Failed> {
        self.run(|link| link.remove_many(keys)).await
    }
}

impl AsyncTags for AsyncLink {
    async fn insert_with_tags(
        &self,
        key: &u32,
        value: u32,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> Result<(), Failed> {
        self.run(|link| link.insert_with_tags(key, value, ttl, tags))
            .await
    }

    async fn tag_generations(
        &self,
        key: &u32,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> Result<TagGenerations, Failed> {
        self.run(|link| link.tag_generations(key, ttl, tags)).await
    }

    async fn insert_under(
        &self,
        key: &u32,
        value: u32,
        ttl: Option<Duration>,
        generations: &TagGenerations,
    ) -> Result<bool, Failed> {
        self.run(|link| link.insert_under(key, value, ttl, generations))
            .await
    }

    async fn invalidate_tag(&self, tag: &str) -> Result<(), Failed> {
        self.run(|link| link.invalidate_tag(tag)).await
    }

    async fn get_tagged(&self, key: &u32) -> Result<FoundTagged<u32>, Failed> {
        self.run(|link| link.get_tagged(key)).await
    }

    async fn get_many_tagged(&self, keys: &[&u32]) -> Result<Vec<FoundTagged<u32>>, Failed> {
        self.run(|link| link.get_many_tagged(keys)).await
    }

    fn tag_mark(&self, tag: &str) -> Option<u64> {
        self.0.tag_mark(tag)
    }

    fn common_tags(&self) -> Vec<u64> {
        self.0.common_tags()
    }
}

/// The async form. Each operation is polled to its end, or dropped before it.
pub(crate) struct Async {
    cache: TwoLevelCache<First, AsyncLink, IsAsync>,
    drop_after: Mutex<Option<usize>>,
}

/// The end of an operation without a result.
#[derive(Debug)]
pub(crate) enum Ended {
    Failed(TwoLevelError<Error, Failed>),
    Dropped,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Dropped => f.write_str("dropped"),
        }
    }
}

impl std::error::Error for Ended {}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl CacheError for Ended {
    fn as_core(&self) -> Option<Error> {
        None
    }
}

impl Async {
    fn run<T>(
        &self,
        operation: impl Future<Output = Result<T, TwoLevelError<Error, Failed>>>,
    ) -> Result<T, Ended> {
        /// No operation takes more.
        const ALL: usize = 1_000;
        let polls = self.drop_after.lock().unwrap().take();
        match poll_now(polls.unwrap_or(ALL), pin!(operation)) {
            Some(result) => result.map_err(Ended::Failed),
            None => {
                assert!(polls.is_some(), "the operation hangs");
                Err(Ended::Dropped)
            }
        }
    }
}

impl Cache for Async {
    type Key = u32;
    type Value = u32;
    type Error = Ended;

    fn get(&self, key: &u32) -> Result<Option<u32>, Ended> {
        self.run(self.cache.get(key))
    }

    fn insert_entry(&self, key: &u32, value: u32, ttl: Option<Duration>) -> Result<(), Ended> {
        self.run(self.cache.insert_entry(key, value, ttl))
    }

    fn remove(&self, key: &u32) -> Result<bool, Ended> {
        self.run(self.cache.remove(key))
    }

    fn clear(&self) -> Result<(), Ended> {
        self.run(self.cache.clear())
    }

    fn len(&self) -> Result<usize, Ended> {
        self.run(self.cache.len())
    }

    fn pop(&self, key: &u32) -> Result<Option<u32>, Ended> {
        self.run(self.cache.pop(key))
    }

    fn get_many(&self, keys: &[&u32]) -> Result<Vec<Option<u32>>, Ended> {
        self.run(self.cache.get_many(keys))
    }

    fn insert_many(&self, entries: Vec<(&u32, u32)>, ttl: Option<Duration>) -> Result<(), Ended> {
        self.run(self.cache.insert_many(entries, ttl))
    }

    fn remove_many(&self, keys: &[&u32]) -> Result<usize, Ended> {
        self.run(self.cache.remove_many(keys))
    }
}

impl Node for Async {
    fn new(link: Link, switches: Switches, seed: u64) -> Self {
        Self {
            cache: build(link, AsyncLink, |builder| builder.tags(), switches, seed),
            drop_after: Mutex::new(None),
        }
    }

    fn compute(&self, key: u32, value: Option<u32>) -> Result<Option<u32>, Ended> {
        let make = || async move {
            yield_once().await;
            Ok(value)
        };
        self.run(self.cache.get_or_compute(&key, make))
    }

    fn put_tagged(&self, key: u32, value: u32, tag: u32) -> Result<(), Ended> {
        let tag = tag.to_string();
        self.run(self.cache.insert_with_tags(&key, value, None, &[&tag]))
    }

    fn invalidate(&self, tag: u32) -> Result<(), Ended> {
        self.run(self.cache.invalidate_tag(&tag.to_string()))
    }

    fn compute_tagged(
        &self,
        key: u32,
        value: u32,
        tag: u32,
        invalidated: Option<u32>,
        acknowledged: &AtomicBool,
    ) -> Result<u32, Ended> {
        let tag = tag.to_string();
        let make = || async move {
            yield_once().await;
            if let Some(tag) = invalidated {
                let done = self.cache.invalidate_tag(&tag.to_string()).await;
                acknowledged.store(done.is_ok(), SeqCst);
            }
            value
        };
        self.run(self.cache.get_or_insert_with_tags(&key, &[&tag], make))
    }

    fn evict(&self, key: u32) {
        self.cache.first().remove(&key).unwrap();
    }

    fn link(&self) -> &Link {
        &self.cache.second().0
    }

    fn recover(&self) -> Option<Duration> {
        let recover = async { Ok(self.cache.recover().await) };
        self.run(recover).ok().flatten()
    }

    fn journal(&self) -> usize {
        self.cache.stats().journal
    }

    fn drop_after(&self, polls: Option<usize>) {
        *self.drop_after.lock().unwrap() = polls;
    }

    fn is_dropped(error: &Ended) -> bool {
        matches!(error, Ended::Dropped)
    }
}
