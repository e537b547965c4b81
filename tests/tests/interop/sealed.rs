//! `SealedCache` and its Python twin on one server, with the same bytes, expiry included.

use crate::{
    Ours, SECRET, on_memcached, on_redis,
    peer::{self, Peer},
    redis_setup, share,
};
use ctu_std::{
    Aes256GcmSiv, Cache, KeyRing, KeyedAead, MemCached, RedisCache, SealedCache, ToBytesCache,
    WallClock, XChaCha20Poly1305,
};
use ctu_tests::{
    blocking::Blocking,
    servers::{MemcachedServer, RedisServer},
};
use serde_json::{Value, json};
use std::rc::Rc;

/// The time of day, in seconds since 1970: one for both sides, so that their entries are equal.
const NOW: u64 = 1_790_000_000;

struct Fixed;

impl WallClock for Fixed {
    fn now(&self) -> Option<u64> {
        Some(NOW * 1000)
    }
}

fn ring<X: KeyedAead>() -> KeyRing<X, 0> {
    let secret = peer::unhex(&SECRET.into());
    KeyRing::derived(&secret, 7, &secret).expect("a secret that is long enough")
}

fn ours<X: KeyedAead + 'static, C>(base: &C, plain: bool) -> Ours<'_>
where
    C: Cache<Key = [u8], Value = Vec<u8>>,
{
    let cache = SealedCache::with_keys(base, ring::<X>());
    let cache = cache.context(b"acme").epoch(3).wall_clock(Fixed);
    if plain {
        let cache = ToBytesCache::<_, Value, Value>::new(cache.plain_names());
        return Ours::any_key(Rc::new(cache));
    }
    let cache = cache.name_size(20).expect("a size in range");
    Ours::any_key(Rc::new(ToBytesCache::<_, Value, Value>::new(cache)))
}

fn share_sealed<C>(
    peer: &mut Peer,
    setup: &Value,
    names: &[bool],
    base: &C,
    stored: impl Fn(&[u8]) -> Vec<u8>,
) where
    C: Cache<Key = [u8], Value = Vec<u8>>,
{
    for plain in names {
        for suite in ["XChaCha20-Poly1305", "AES-256-GCM-SIV"] {
            let ours = match suite {
                "XChaCha20-Poly1305" => ours::<XChaCha20Poly1305, _>(base, *plain),
                _ => ours::<Aes256GcmSiv, _>(base, *plain),
            };
            let mut setup = setup.clone();
            setup["sealed"] = json!({
                "suite": suite, "secret": SECRET, "id": 7, "context": "acme", "epoch": 3,
                "plain": plain, "name_size": 20, "now": NOW, "ttl": base.default_ttl().map(|ttl| ttl.as_secs()),
            });
            share(peer, setup, 200, &ours, &stored);
        }
    }
}

#[test]
fn sealed_entries_on_redis_are_the_same_in_python() {
    let server = RedisServer::start();
    let cache = RedisCache::builder(server.url()).raw().build().unwrap();
    let mut setup = redis_setup(&server);
    setup["raw"] = true.into();
    let mut peer = Peer::start(9);
    share_sealed(&mut peer, &setup, &[false, true], &cache, on_redis(&server));
    let builder = RedisCache::builder(server.url()).raw();
    let cache = Blocking(builder.build_async().unwrap());
    share_sealed(&mut peer, &setup, &[false], &cache, on_redis(&server));
}

#[test]
fn sealed_entries_on_memcached_are_the_same_in_python() {
    let servers = [MemcachedServer::start()];
    let address = servers[0].address();
    let cache = MemCached::builder(&address).raw().build().unwrap();
    let setup = json!({"servers": [address], "key": "any", "value": "json"});
    let mut peer = Peer::start(10);
    share_sealed(&mut peer, &setup, &[false], &cache, on_memcached(&servers));
}
