use super::{Form, RedisCache, RedisError, cache::BATCH, request::Request};
use redis::Value;
use std::{borrow::ToOwned, fmt};

/// The keys of a [`RedisCache`], from [`RedisCache::keys`]. Ends after the first error.
pub struct Keys<'c, K: ?Sized, V, F> {
    cache: &'c RedisCache<K, V, F>,
    /// Where to go on; `None` at the end.
    cursor: Option<Vec<u8>>,
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
            cursor: Some(b"0".to_vec()),
            ahead: Vec::new(),
        }
    }

    /// The next keys as they are on the server, perhaps none; `None` at the end. One round trip.
    pub(super) fn stored(&mut self) -> Result<Option<Vec<Vec<u8>>>, RedisError> {
        let Some(cursor) = self.cursor.take() else {
            return Ok(None);
        };
        let client = &self.cache.client;
        let prefix = self.cache.form.prefix();
        let count = BATCH.to_string();
        let request = Request::of(&[
            b"SCAN",
            &cursor,
            b"MATCH",
            &pattern(prefix),
            b"COUNT",
            count.as_bytes(),
        ]);
        let (cursor, mut keys) = client.one(&request, |value| {
            let mut parts = client.as_array(value)?;
            let (Some(keys), Some(cursor), None) = (parts.pop(), parts.pop(), parts.pop()) else {
                return Err(client.surprise());
            };
            let bytes = |value: Value| client.as_bytes(value)?.ok_or_else(|| client.surprise());
            let keys = client
                .as_array(keys)?
                .into_iter()
                .map(bytes)
                .collect::<Result<Vec<_>, _>>()?;
            Ok((bytes(cursor)?, keys))
        })?;
        // Whatever a server makes of the pattern, keys of others are not touched.
        keys.retain(|key| key.starts_with(prefix));
        self.cursor = (cursor != b"0").then_some(cursor);
        Ok(Some(keys))
    }
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
    fn a_prefix_stands_for_itself_alone() {
        assert_eq!(pattern(b"app."), b"app.*");
        assert_eq!(pattern(b"a*b?[c]\\"), b"a\\*b\\?\\[c\\]\\\\*");
    }
}
