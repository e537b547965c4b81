use super::{Form, RedisCache, RedisError, bounds::Bounds, node::Node, request::Request};
use crate::backends::net::Deadline;
use ctu_core::Capability;
use std::{
    borrow::ToOwned,
    fmt, mem,
    sync::Arc,
    time::{Duration, Instant},
};

/// Keys per round trip.
const BATCH: usize = 500;

/// The keys of a [`RedisCache`], from [`RedisCache::keys`]. Ends after the first error.
pub struct Keys<'c, K: ?Sized, V, F> {
    cache: &'c RedisCache<K, V, F>,
    /// Servers that were gone through.
    done: Vec<Arc<Node>>,
    at: Place,
    /// Read and not yet returned, last first.
    ahead: Vec<Vec<u8>>,
    /// The time that is left to the servers.
    left: Duration,
}

/// Where to go on.
enum Place {
    /// At the start of another server.
    Next,
    /// In the middle of one, by its cursor.
    Within(Arc<Node>, Vec<u8>),
    /// Nowhere.
    End,
}

impl<'c, K, V, F> Keys<'c, K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    pub(super) fn new(cache: &'c RedisCache<K, V, F>) -> Self {
        Self {
            cache,
            done: Vec::new(),
            at: Place::Next,
            ahead: Vec::new(),
            left: cache.client.scan_deadline(),
        }
    }

    /// The next keys as they are on the server, perhaps none; `None` at the end. One round trip.
    pub(super) fn stored(&mut self) -> Result<Option<Vec<Vec<u8>>>, RedisError> {
        let begin = Instant::now();
        let page = self.page();
        self.left = self.left.saturating_sub(begin.elapsed());
        page
    }

    fn page(&mut self) -> Result<Option<Vec<Vec<u8>>>, RedisError> {
        let client = &self.cache.client;
        let deadline = client.deadline();
        loop {
            let (node, cursor) = match mem::replace(&mut self.at, Place::End) {
                Place::Within(node, cursor) => (node, cursor),
                Place::Next => match client.next(&self.done, deadline)? {
                    Some(node) => (node, b"0".to_vec()),
                    None => return Ok(None),
                },
                Place::End => return Ok(None),
            };
            if self.left.is_zero() {
                return Err(RedisError::timed_out(node.server(), client.scan_deadline()));
            }
            let prefix = self.cache.form.prefix();
            match node.if_known(Capability::ListKeys, deadline, || {
                scan(&node, &cursor, prefix, deadline)
            }) {
                Ok((cursor, keys)) => {
                    self.at = if cursor == b"0" {
                        self.done.push(node);
                        Place::Next
                    } else {
                        Place::Within(node, cursor)
                    };
                    return Ok(Some(keys));
                }
                Err(error) => client.replaced(&node, error, deadline)?,
            }
            self.at = Place::Next;
        }
    }
}

/// The keys that begin with `prefix` from `cursor` on, a few hundred, and where to go on.
fn scan(
    node: &Node,
    cursor: &[u8],
    prefix: &[u8],
    deadline: Deadline,
) -> Result<(Vec<u8>, Vec<Vec<u8>>), RedisError> {
    let count = BATCH.to_string();
    let request = Request::of(&[
        b"SCAN",
        cursor,
        b"MATCH",
        &pattern(prefix),
        b"COUNT",
        count.as_bytes(),
    ])
    .expecting(Bounds::PAGE);
    let (cursor, mut keys) = node.all(&request, deadline, |reply| {
        let mut page = reply.array()?;
        let (cursor, mut keys) = (page.string()?, page.array()?);
        if page.len() > 0 {
            return Err(reply.unexpected());
        }
        let keys = (0..keys.len()).map(|_| keys.string());
        Ok((cursor, keys.collect::<Result<Vec<_>, _>>()?))
    })?;
    // A server that reads the pattern in another way does not have keys of others touched.
    keys.retain(|key| key.starts_with(prefix));
    Ok((cursor, keys))
}

/// The pattern of all keys that begin with `prefix`.
fn pattern(prefix: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(prefix.len() + 1);
    for byte in prefix {
        if b"*?[]^\\".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    pattern.push(b'*');
    pattern
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
                if let Some(key) = self.cache.form.own(&stored) {
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

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn prefix_is_escaped_in_a_pattern() {
        assert_eq!(pattern(b"app."), b"app.*");
        assert_eq!(pattern(b"a*b?[c]\\"), b"a\\*b\\?\\[c\\]\\\\*");
    }
}
