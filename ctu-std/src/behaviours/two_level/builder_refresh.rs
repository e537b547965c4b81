//! The settings of refresh ahead by a thread.

use super::{
    TwoLevelBuilder,
    levels::{Levels, Load, Refresh},
    refresh_queue::MAX_QUEUED,
};
use ctu_core::Cache;
use std::hash::Hash;

impl<A, B> TwoLevelBuilder<A, B>
where
    A: Cache<Key: Hash + Eq + ToOwned>,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// Computes an entry of the first level anew by `load` if a read finds it with less than a `share`
    /// of its time left, from 0 to 1. A background thread computes: the read does not wait. `None` leaves the entry.
    /// Keys are as this cache has them, with the prefixes of its wrappers.
    ///
    /// The value is stored without tags, except for those of each entry. An entry with other tags is not
    /// refreshed.
    pub fn refresh_ahead(
        self,
        share: f64,
        load: impl Fn(&A::Key) -> Option<A::Value> + Send + Sync + 'static,
    ) -> Self
    where
        A: Send + Sync + 'static,
        A::Key: ToOwned<Owned: Send>,
        A::Value: Send,
        B: Send + Sync + 'static,
    {
        let each = move |keys: &[&A::Key]| keys.iter().map(|key| load(key)).collect();
        self.refresh_in_thread(share, 1, each)
    }

    /// [`refresh_ahead`](Self::refresh_ahead) of several keys at once, for a loader to which many keys cost
    /// about as much as one. `load` returns a value, or `None`, for each key, in order. All keys that are due
    /// when the thread is free are computed by one call, such as those of one
    /// [`get_many`](Cache::get_many), and stored by one [`insert_many`](Cache::insert_many).
    ///
    /// Another number of values than of keys is counted as an [error](super::TwoLevelStats::errors), and
    /// nothing is stored.
    ///
    /// ```
    /// use ctu_std::{Cache, CacheExt, ConcurrentCache, ManualClock, TwoLevelCache};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let minute = Duration::from_secs(60);
    /// let first = ConcurrentCache::<u32, u32, _>::with_ttl(100, minute, Arc::clone(&clock));
    /// let second = ConcurrentCache::<u32, u32>::with_capacity(1_000);
    /// let cache = TwoLevelCache::builder(first, second)
    ///     .refresh_ahead_many(0.2, |keys| keys.iter().map(|key| Some(**key * 10)).collect())
    ///     .build();
    /// cache.insert(&1, 1_u32)?;
    /// cache.insert(&2, 2_u32)?;
    /// clock.advance(Duration::from_secs(50));
    /// assert_eq!(cache.get_many(&[&1, &2])?, [Some(1), Some(2)]);
    /// while cache.get_many(&[&1, &2])? != [Some(10), Some(20)] {
    ///     std::thread::yield_now();
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refresh_ahead_many(
        self,
        share: f64,
        load: impl Fn(&[&A::Key]) -> Vec<Option<A::Value>> + Send + Sync + 'static,
    ) -> Self
    where
        A: Send + Sync + 'static,
        A::Key: ToOwned<Owned: Send>,
        A::Value: Send,
        B: Send + Sync + 'static,
    {
        self.refresh_in_thread(share, MAX_QUEUED, load)
    }

    fn refresh_in_thread(
        mut self,
        share: f64,
        at_once: usize,
        load: impl Fn(&[&A::Key]) -> Vec<Option<A::Value>> + Send + Sync + 'static,
    ) -> Self
    where
        A: Send + Sync + 'static,
        A::Key: ToOwned<Owned: Send>,
        A::Value: Send,
        B: Send + Sync + 'static,
    {
        let load = Load::Blocking(Box::new(load));
        self.refresh = Some(Refresh::new(
            share,
            load,
            at_once,
            Levels::refresh_in_thread,
        ));
        self
    }
}
