//! An async cache as a blocking one, so that the scenarios of blocking backends run on it.

use ctu_core::{AsyncCache, Cache, CacheId, Found};
use std::{sync::LazyLock, time::Duration};
use tokio::runtime::{Builder, Runtime};

/// The runtime of all [`Blocking`] caches of the program.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime")
});

/// Runs each operation of an async cache to its end on [`RUNTIME`].
#[derive(Clone, Debug)]
pub struct Blocking<C>(pub C);

impl<C: AsyncCache> Cache for Blocking<C> {
    type Key = C::Key;
    type Value = C::Value;
    type Error = C::Error;

    fn get(&self, key: &C::Key) -> Result<Option<C::Value>, C::Error> {
        RUNTIME.block_on(self.0.get(key))
    }

    fn insert_entry(
        &self,
        key: &C::Key,
        value: C::Value,
        ttl: Option<Duration>,
    ) -> Result<(), C::Error> {
        RUNTIME.block_on(self.0.insert_entry(key, value, ttl))
    }

    fn remove(&self, key: &C::Key) -> Result<bool, C::Error> {
        RUNTIME.block_on(self.0.remove(key))
    }

    fn clear(&self) -> Result<(), C::Error> {
        RUNTIME.block_on(self.0.clear())
    }

    fn len(&self) -> Result<usize, C::Error> {
        RUNTIME.block_on(self.0.len())
    }

    fn contains(&self, key: &C::Key) -> Result<bool, C::Error> {
        RUNTIME.block_on(self.0.contains(key))
    }

    fn get_with_ttl(&self, key: &C::Key) -> Result<Found<C::Value>, C::Error> {
        RUNTIME.block_on(self.0.get_with_ttl(key))
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.0.default_ttl()
    }

    fn id(&self) -> CacheId {
        self.0.id()
    }

    fn pop(&self, key: &C::Key) -> Result<Option<C::Value>, C::Error> {
        RUNTIME.block_on(self.0.pop(key))
    }

    fn get_many(&self, keys: &[&C::Key]) -> Result<Vec<Option<C::Value>>, C::Error> {
        RUNTIME.block_on(self.0.get_many(keys))
    }

    fn get_many_with_ttl(&self, keys: &[&C::Key]) -> Result<Vec<Found<C::Value>>, C::Error> {
        RUNTIME.block_on(self.0.get_many_with_ttl(keys))
    }

    fn insert_many(
        &self,
        entries: Vec<(&C::Key, C::Value)>,
        ttl: Option<Duration>,
    ) -> Result<(), C::Error> {
        RUNTIME.block_on(self.0.insert_many(entries, ttl))
    }

    fn remove_many(&self, keys: &[&C::Key]) -> Result<usize, C::Error> {
        RUNTIME.block_on(self.0.remove_many(keys))
    }
}
