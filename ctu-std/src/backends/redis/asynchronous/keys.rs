use super::{
    super::{
        Form, RedisError,
        scan::{self, Scan, Step},
    },
    AsyncNode, AsyncRedisCache,
};
use ctu_core::Capability;
use std::{fmt, sync::Arc, time::Instant};

/// The keys of an [`AsyncRedisCache`], from [`AsyncRedisCache::keys`]. Ends after the first error.
///
/// ```
/// use ctu_std::{AsyncPrefixedRedisCache, RedisCache};
/// # async fn list() -> Result<(), ctu_std::RedisError> {
/// let builder = RedisCache::builder("redis://127.0.0.1").prefix("app.");
/// let cache: AsyncPrefixedRedisCache<str, String> = builder.build_async()?;
/// let mut keys = cache.keys();
/// while let Some(key) = keys.next().await {
///     println!("{}", key?);
/// }
/// # Ok(())
/// # }
/// ```
pub struct AsyncKeys<'c, K: ?Sized, V, F> {
    cache: &'c AsyncRedisCache<K, V, F>,
    scan: Scan<Arc<AsyncNode>>,
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
        let begin = Instant::now();
        let page = self.page().await;
        self.scan.spend(begin.elapsed());
        page
    }

    async fn page(&mut self) -> Result<Option<Vec<Vec<u8>>>, RedisError> {
        let client = &self.cache.client;
        let deadline = client.deadline();
        let prefix = self.cache.entries.settings.form.prefix();
        loop {
            let (node, cursor) = match self.scan.step() {
                Step::Page(node, cursor) => (node, cursor),
                Step::Server => match client.next(self.scan.done(), deadline).await? {
                    Some(node) => (node, Scan::<()>::start()),
                    None => return Ok(None),
                },
                Step::End => return Ok(None),
            };
            self.scan.check(node.server(), client.scan_deadline())?;
            let page = scan::page(&cursor, prefix);
            let page = node.if_known(Capability::ListKeys, &page.request, deadline, page.read);
            match page.await {
                Ok((cursor, mut keys)) => {
                    self.scan.turn(node, cursor);
                    let entries = &self.cache.entries;
                    keys.retain(|key| {
                        key.starts_with(prefix) && !entries.commands.is_reserved(key)
                    });
                    return Ok(Some(keys));
                }
                Err(error) => client.replaced(&node, error, deadline).await?,
            }
            #[cfg(feature = "cluster")]
            self.scan.retry();
        }
    }
}

impl<K: ?Sized, V, F> fmt::Debug for AsyncKeys<'_, K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncKeys").finish_non_exhaustive()
    }
}
