use super::{
    super::{
        Form, RedisError,
        scan::{self, Scan, Step},
    },
    AsyncRedisCache,
};
use ctu_core::Capability;
use std::{fmt, time::Instant};

/// The keys of an [`AsyncRedisCache`], from [`AsyncRedisCache::keys`]. Ends after the first error.
pub struct AsyncKeys<'c, K: ?Sized, V, F> {
    cache: &'c AsyncRedisCache<K, V, F>,
    scan: Scan<()>,
    /// Read and not yet returned, last first.
    ahead: Vec<Vec<u8>>,
}

impl<'c, K, V, F> AsyncKeys<'c, K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    pub(super) fn new(cache: &'c AsyncRedisCache<K, V, F>) -> Self {
        Self {
            cache,
            scan: Scan::new(cache.client.scan_deadline()),
            ahead: Vec::new(),
        }
    }

    /// The next key; `None` at the end.
    ///
    /// Dropping the future loses at most one page of keys.
    pub async fn next(&mut self) -> Option<Result<K::Owned, RedisError>> {
        loop {
            while let Some(stored) = self.ahead.pop() {
                if let Some(key) = self.cache.entries.settings.form.own(&stored) {
                    return Some(Ok(key));
                }
            }
            match self.stored().await {
                Ok(Some(keys)) => self.ahead = keys,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The next keys as they are on the server, perhaps none; `None` at the end. One round trip.
    pub(super) async fn stored(&mut self) -> Result<Option<Vec<Vec<u8>>>, RedisError> {
        let client = &self.cache.client;
        let prefix = self.cache.entries.settings.form.prefix();
        let cursor = match self.scan.step() {
            Step::Page((), cursor) => cursor,
            Step::Server if self.scan.done().is_empty() => Scan::<()>::start(),
            Step::Server | Step::End => return Ok(None),
        };
        self.scan.check(client.server(), client.scan_deadline())?;
        let begin = Instant::now();
        let page = scan::page(&cursor, prefix);
        let page = client.execute_if_known(Capability::ListKeys, &page).await;
        self.scan.spend(begin.elapsed());
        let (cursor, mut keys) = page?;
        self.scan.turn((), cursor);
        keys.retain(|key| key.starts_with(prefix));
        Ok(Some(keys))
    }
}

impl<K: ?Sized, V, F> fmt::Debug for AsyncKeys<'_, K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncKeys").finish_non_exhaustive()
    }
}
