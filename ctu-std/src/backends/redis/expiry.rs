use super::{Form, RedisCache, RedisError, key_commands};
use std::time::Duration;

impl<K, V, F> RedisCache<K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    /// The remaining time of the entry at `key`: `None` if there is no entry or no limit.
    ///
    /// # Errors
    /// A failure of the server or of the way to it.
    pub fn ttl(&self, key: &K) -> Result<Option<Duration>, RedisError> {
        let key = self.entries.key(key)?;
        self.client
            .execute(&key, &key_commands::remaining_ttl(&key))
    }

    /// Lets the entry at `key` live for `ttl` from now, or for the cache's own time if that is `None`.
    /// Returns whether there is such an entry.
    ///
    /// # Errors
    /// A time that is too long, and a failure of the server or of the way to it.
    pub fn touch(&self, key: &K, ttl: Option<Duration>) -> Result<bool, RedisError> {
        let key = self.entries.key(key)?;
        let ttl = self.entries.ttl(ttl)?;
        self.client.execute(&key, &key_commands::touch(&key, &ttl))
    }
}
