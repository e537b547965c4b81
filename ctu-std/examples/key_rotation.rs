//! Encrypted values on a Redis server, and the rotation of their key.
//!
//! ```text
//! cargo run -p ctu-std --example key_rotation
//! ```
//!
//! The program starts a Redis server of its own.

use ctu_std::{
    Cache, CacheExt, KeyRing, RawRedisCache, RedisCache, SealedCache, XChaCha20Poly1305,
};
use std::{
    error::Error,
    io::{self, Write},
};

#[allow(dead_code, reason = "other examples use the rest")]
#[path = "support/redis.rs"]
mod redis;

// Examples. Real secrets are at least 16 random bytes from a key store, and not in the source.
const NAMES: &[u8] = b"the names of the entries, for good";
const SECRET_2025: &[u8] = b"an example, not a secret: 2025";
const SECRET_2026: &[u8] = b"an example, not a secret: 2026";

/// Writes with one key, and reads with up to two more.
type Ring = KeyRing<XChaCha20Poly1305, 2>;

/// The cache of a program with these keys.
fn sealed(redis: &RawRedisCache, ring: Ring) -> SealedCache<&RawRedisCache, Ring> {
    SealedCache::with_keys(redis, ring).context(b"sessions")
}

fn title(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "\n{text}")
}

fn show(key: &str, found: Option<Vec<u8>>) -> io::Result<()> {
    let text = found.map(|value| String::from_utf8_lossy(&value).into_owned());
    writeln!(
        io::stdout(),
        "  {key}: {}",
        text.as_deref().unwrap_or("none")
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = redis::Redis::start()?;
    let redis: RawRedisCache = RedisCache::builder(server.url()).raw().build()?;

    title("1. Key 25 writes")?;
    let cache = sealed(&redis, Ring::derived(NAMES, 25, SECRET_2025)?);
    for (key, value) in [("alice", "token A"), ("bob", "token B")] {
        cache.insert(key.as_bytes(), value.as_bytes())?;
        show(key, cache.get(key.as_bytes())?)?;
    }

    title("2. The server has neither keys nor values in plain text")?;
    for entry in redis.keys() {
        let key = entry?;
        let value = redis.get(&key)?.unwrap_or_default();
        let plain = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            ["alice", "bob", "token"]
                .iter()
                .any(|word| text.contains(word))
        };
        let is_plain = plain(&key) || plain(&value);
        writeln!(
            io::stdout(),
            "  a key of {} bytes, a value of {} bytes, plain text inside: {is_plain}",
            key.len(),
            value.len()
        )?;
    }

    title("3. Every program gets key 26 as a reader, before any writes with it")?;
    let mut ring = Ring::derived(NAMES, 25, SECRET_2025)?;
    ring.add(26, SECRET_2026)?;
    let cache = sealed(&redis, ring);
    show("alice", cache.get(b"alice")?)?;

    title("4. Key 26 writes; key 25 still reads")?;
    let mut ring = Ring::derived(NAMES, 26, SECRET_2026)?;
    ring.add(25, SECRET_2025)?;
    let cache = sealed(&redis, ring);
    cache.insert(b"bob", b"token C".as_slice())?;
    show("alice", cache.get(b"alice")?)?;
    show("bob", cache.get(b"bob")?)?;

    title("5. Key 25 is retired after the longest time-to-live: its entries are misses")?;
    let cache = sealed(&redis, Ring::derived(NAMES, 26, SECRET_2026)?);
    show("alice", cache.get(b"alice")?)?;
    show("bob", cache.get(b"bob")?)?;
    writeln!(
        io::stdout(),
        "  entries of unknown keys: {}",
        cache.unknown_key()
    )?;

    title("6. A value that is moved to another key is rejected")?;
    let keys: Vec<Vec<u8>> = redis.keys().collect::<Result<_, _>>()?;
    let [one, other] = &keys[..] else {
        return Err("two entries were expected".into());
    };
    let (first, second) = (redis.get(one)?, redis.get(other)?);
    redis.insert(one, second.unwrap_or_default())?;
    redis.insert(other, first.unwrap_or_default())?;
    show("bob", cache.get(b"bob")?)?;
    writeln!(io::stdout(), "  rejected entries: {}", cache.rejected())?;
    Ok(())
}
