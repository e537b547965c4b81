use super::{Form, RedisCache, RedisError, request::Request, ttl::Ttl};
use std::time::Duration;

impl<K, V, F> RedisCache<K, V, F>
where
    K: ToOwned + ?Sized,
    F: Form<K, V>,
{
    /// How much longer the entry at `key` lives: `None` where there is no entry or no limit.
    ///
    /// # Errors
    /// Whatever keeps the server from telling.
    pub fn ttl(&self, key: &K) -> Result<Option<Duration>, RedisError> {
        let key = self.key(key)?;
        let left = self.client.number(&key, &Request::of(&[b"PTTL", &key]))?;
        Ok(u64::try_from(left).ok().map(Duration::from_millis))
    }

    /// Lets the entry at `key` live for `ttl` from now, or for the cache's own time where that is
    /// `None`. Says whether there is such an entry.
    ///
    /// # Errors
    /// A time that is too long, and whatever keeps the server from doing it.
    pub fn touch(&self, key: &K, ttl: Option<Duration>) -> Result<bool, RedisError> {
        let key = self.key(key)?;
        let request = match Ttl::new(ttl.or(self.ttl))? {
            Ttl::Forever => Request::batch()
                .and(&[b"PERSIST", &key])
                .and(&[b"EXISTS", &key]),
            Ttl::For(unit, time) => Request::of(&[unit.expire(), &key, time.as_bytes()]),
            Ttl::Expired => return self.remove_key(&key),
        };
        self.client.all(&key, &request, |reply| {
            // The last command tells.
            while reply.len() > 1 {
                reply.number()?;
            }
            Ok(reply.number()? == 1)
        })
    }
}
