//! The iterator over the keys of a cache.

use super::{
    Form, RedisCache, RedisError,
    node::Node,
    scan::{self, Scan, Step},
};
use ctu_core::Capability;
use std::{borrow::ToOwned, fmt, sync::Arc, time::Instant};

/// The keys of a [`RedisCache`], from [`RedisCache::keys`]. Ends after the first error.
///
/// ```no_run
/// use ctu_std::{PrefixedRedisCache, RedisCache};
/// let builder = RedisCache::builder("redis://127.0.0.1").prefix("app.");
/// let cache: PrefixedRedisCache<str, String> = builder.build()?;
/// for key in cache.keys() {
///     println!("{}", key?);
/// }
/// # Ok::<(), ctu_std::RedisError>(())
/// ```
pub struct Keys<'c, K: ?Sized, V, F> {
    cache: &'c RedisCache<K, V, F>,
    scan: Scan<Arc<Node>>,
    /// Read and not yet returned, last first.
    ahead: Vec<Vec<u8>>,
}

impl<'c, K, V, F> Keys<'c, K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    pub(super) fn new(cache: &'c RedisCache<K, V, F>) -> Self {
        Self {
            cache,
            scan: Scan::new(cache.client.scan_deadline()),
            ahead: Vec::new(),
        }
    }

    /// The next keys as they are on the server, perhaps none; `None` at the end. One round trip.
    pub(super) fn stored(&mut self) -> Result<Option<Vec<Vec<u8>>>, RedisError> {
        let begin = Instant::now();
        let page = self.page();
        self.scan.spend(begin.elapsed());
        page
    }

    fn page(&mut self) -> Result<Option<Vec<Vec<u8>>>, RedisError> {
        let client = &self.cache.client;
        let deadline = client.deadline();
        let prefix = self.cache.entries.settings.form.prefix();
        loop {
            let (node, cursor) = match self.scan.step() {
                Step::Page(node, cursor) => (node, cursor),
                Step::Server => match client.next(self.scan.done(), deadline)? {
                    Some(node) => (node, Scan::<()>::start()),
                    None => return Ok(None),
                },
                Step::End => return Ok(None),
            };
            self.scan.check(node.server(), client.scan_deadline())?;
            let page = scan::page(&cursor, prefix);
            let run = || node.execute(&page.request, deadline, page.read);
            match node.if_known(Capability::ListKeys, deadline, run) {
                Ok((cursor, mut keys)) => {
                    self.scan.turn(node, cursor);
                    let entries = &self.cache.entries;
                    keys.retain(|key| {
                        key.starts_with(prefix) && !entries.commands.is_reserved(key)
                    });
                    return Ok(Some(keys));
                }
                Err(error) => client.replaced(&node, error, deadline)?,
            }
            #[cfg(feature = "cluster")]
            self.scan.retry();
        }
    }
}

impl<K, V, F> Iterator for Keys<'_, K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    type Item = Result<K::Owned, RedisError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some(stored) = self.ahead.pop() {
                if let Some(key) = self.cache.entries.settings.form.own(&stored) {
                    return Some(Ok(key));
                }
            }
            match self.stored() {
                Ok(Some(keys)) => self.ahead = keys,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<K: ?Sized, V, F> fmt::Debug for Keys<'_, K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}
