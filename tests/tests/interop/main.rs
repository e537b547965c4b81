//! The real CacheToolsUtils and ctu on one server: Rust reads the entries of Python, Python reads
//! those of Rust, and both store the same bytes. `tests/run interop` runs it.

use ctu_std::{
    Aes128Cbc, AsyncMemCached, AsyncRedisCache, BytesCache, Cache, ChaCha20, Cipher,
    EncryptedCache, Encryption, MemCached, MemCachedBuilder, RedisCache, Salsa20, StrKey,
    ToBytesCache, full_hash_key_with, json_key_with, memcached::MemValue,
};
use ctu_tests::{
    blocking::Blocking,
    servers::{MemcachedServer, RedisServer},
};
use peer::{Peer, Written};
use serde_json::{Value, json};
use std::time::Duration;

mod peer;
mod sealed;

const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1ff0ff";

/// A cache of ctu with type-erased keys and values.
struct Ours<'c> {
    get: Box<Get<'c>>,
    put: Box<Put<'c>>,
    remove: Box<Remove<'c>>,
}

type Get<'c> = dyn Fn(&Value) -> Done<Option<MemValue>> + 'c;
type Put<'c> = dyn Fn(&Value, MemValue) -> Done<()> + 'c;
type Remove<'c> = dyn Fn(&Value) -> Done<bool> + 'c;

type Done<T> = Result<T, String>;

fn told<E: std::error::Error>(error: E) -> String {
    error.to_string()
}

fn text(key: &Value) -> &str {
    key.as_str().expect("a key that is text")
}

/// Values without bytes.
fn as_json(value: MemValue) -> Value {
    match value {
        MemValue::Text(text) => text.into(),
        MemValue::Json(value) => value,
        MemValue::Bytes(_) => panic!("there are no bytes in JSON"),
    }
}

impl<'c> Ours<'c> {
    /// Keys of any type, values in JSON.
    fn any_key(cache: impl Cache<Key = Value, Value = Value> + Clone + 'c) -> Self {
        let (get, put, remove) = (cache.clone(), cache.clone(), cache);
        Self {
            get: Box::new(move |key| Ok(get.get(key).map_err(told)?.map(MemValue::from))),
            put: Box::new(move |key, value| {
                put.insert_entry(key, as_json(value), None).map_err(told)
            }),
            remove: Box::new(move |key| remove.remove(key).map_err(told)),
        }
    }

    /// Keys of text, values in JSON.
    fn text_key(cache: impl Cache<Key = str, Value = Value> + Clone + 'c) -> Self {
        let (get, put, remove) = (cache.clone(), cache.clone(), cache);
        Self {
            get: Box::new(move |key| Ok(get.get(text(key)).map_err(told)?.map(MemValue::from))),
            put: Box::new(move |key, value| {
                put.insert_entry(text(key), as_json(value), None)
                    .map_err(told)
            }),
            remove: Box::new(move |key| remove.remove(text(key)).map_err(told)),
        }
    }

    /// Keys of text, values of any kind that Memcached has flags for.
    fn any_value(cache: impl Cache<Key = str, Value = MemValue> + Clone + 'c) -> Self {
        let (get, put, remove) = (cache.clone(), cache.clone(), cache);
        Self {
            get: Box::new(move |key| get.get(text(key)).map_err(told)),
            put: Box::new(move |key, value| put.insert_entry(text(key), value, None).map_err(told)),
            remove: Box::new(move |key| remove.remove(text(key)).map_err(told)),
        }
    }
}

/// Tests both directions with `count` random entries. `stored` returns the stored bytes at a key.
fn share(
    peer: &mut Peer,
    setup: Value,
    count: usize,
    ours: &Ours<'_>,
    stored: impl Fn(&[u8]) -> Vec<u8>,
) {
    peer.open(&setup);
    let written = peer.write(count);
    assert_eq!(written.len(), count);
    let keys: Vec<Value> = written.iter().map(own_key).collect();
    let mut of_python = Vec::with_capacity(count);
    for (entry, key) in written.iter().zip(&keys) {
        let found = (ours.get)(key);
        assert_eq!(found, Ok(Some(entry.value.clone())), "{setup} {key}");
        of_python.push(stored(&entry.at));
        assert_eq!((ours.remove)(key), Ok(true), "{setup} {key}");
    }
    peer.gone(&setup);
    for ((entry, key), of_python) in written.iter().zip(&keys).zip(of_python) {
        (ours.put)(key, entry.value.clone()).unwrap_or_else(|error| panic!("{key}: {error}"));
        let of_ours = stored(&entry.at);
        assert!(!of_ours.is_empty());
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            of_ours == of_python,
            "{setup} {key}\n  ours:   {:?}\n  Python: {:?}",
            shown(&of_ours),
            shown(&of_python)
        );
    }
    peer.check(&setup);
    for key in &keys {
        assert_eq!((ours.remove)(key), Ok(true));
    }
    peer.gone(&setup);
}

/// The key in Rust, made by the equivalents of Python's functions and `str()`.
fn own_key(entry: &Written) -> Value {
    let key = &entry.key;
    if let Some(args) = key.get("json_key") {
        return json_key_with(&args[0], &args[1]).unwrap().into();
    }
    if let Some(args) = key.get("full_hash_key") {
        return (*full_hash_key_with(&args[0], &args[1]).unwrap()).into();
    }
    if let Some(bytes) = key.get("bytes") {
        return peer::unhex(bytes).text().into_owned().into();
    }
    key["json"].clone()
}

/// A scalar key as text, for caches with keys of text.
fn in_text(key: &Value) -> Value {
    match key {
        Value::Bool(flag) => flag.text().into(),
        Value::Number(number) => match number.to_string().parse::<i128>() {
            Ok(number) => number.text().into_owned().into(),
            Err(_) => number.as_f64().expect("a float").text().into_owned().into(),
        },
        key => key.clone(),
    }
}

/// The same, with keys that are made into text first.
fn scalars(ours: Ours<'_>) -> Ours<'_> {
    Ours {
        get: Box::new(move |key| (ours.get)(&in_text(key))),
        put: Box::new(move |key, value| (ours.put)(&in_text(key), value)),
        remove: Box::new(move |key| (ours.remove)(&in_text(key))),
    }
}

/// The stored bytes on a Redis. Asserts that the entry has the time-to-live of the cache.
fn on_redis(server: &RedisServer) -> impl Fn(&[u8]) -> Vec<u8> {
    let raw = RedisCache::builder(server.url()).raw().build().unwrap();
    move |key| {
        let (stored, left) = raw.get_with_ttl(key).unwrap().expect("an entry");
        let left = left.expect("a time to live");
        let minutes = Duration::from_secs(500)..=Duration::from_secs(600);
        assert!(minutes.contains(&left), "{left:?}");
        stored
    }
}

/// The stored data, flags and time on several Memcacheds, and the server of the entry.
fn on_memcached(servers: &[MemcachedServer]) -> impl Fn(&[u8]) -> Vec<u8> {
    move |key| {
        let ask = |server: &MemcachedServer| server.ask([b"mg ", key, b" v f t s\r\n"].concat());
        servers.iter().flat_map(ask).collect()
    }
}

/// Every cipher, with sizes at their bounds.
fn ciphers() -> Vec<(&'static str, usize, usize)> {
    let mut all = Vec::new();
    for cipher in ["Salsa20", "ChaCha20", "AES-128-CBC"] {
        for (hsize, csize) in [(16, 0), (8, 32), (32, 0), (32, 32), (8, 1)] {
            all.push((cipher, hsize, csize));
        }
    }
    all
}

/// Runs `share` for ToBytes over Encrypted over the cache of `base`.
fn share_encrypted<C>(
    peer: &mut Peer,
    setup: &Value,
    text: bool,
    base: &C,
    stored: impl Fn(&[u8]) -> Vec<u8>,
) where
    C: Cache<Key = [u8], Value = Vec<u8>>,
{
    fn encrypted<'c, C, X>(base: &'c C, hsize: usize, csize: usize, cipher: X) -> Ours<'c>
    where
        C: Cache<Key = [u8], Value = Vec<u8>>,
        X: Cipher + 'c,
    {
        let secret = peer::unhex(&SECRET.into());
        let encryption = Encryption::try_new(secret).unwrap().hsize(hsize).unwrap();
        let encryption = encryption.csize(csize).unwrap().cipher(cipher);
        let cache: EncryptedCache<_, _, _> = EncryptedCache::with_mapping(base, encryption);
        let cache = ToBytesCache::<_, Value, Value>::new(cache);
        Ours::any_key(std::rc::Rc::new(cache))
    }
    for (cipher, hsize, csize) in ciphers() {
        let ours = match cipher {
            "Salsa20" => encrypted(base, hsize, csize, Salsa20),
            "ChaCha20" => encrypted(base, hsize, csize, ChaCha20),
            _ => encrypted(base, hsize, csize, Aes128Cbc),
        };
        let mut setup = setup.clone();
        setup["encrypted"] = json!({
            "cipher": cipher, "hsize": hsize, "csize": csize, "secret": SECRET, "text": text,
        });
        share(peer, setup, 200, &ours, &stored);
    }
}

fn redis_setup(server: &RedisServer) -> Value {
    json!({"servers": [server.url()], "key": "any", "value": "json"})
}

#[test]
fn redis_cache() {
    let server = RedisServer::start();
    let builder = || RedisCache::builder(server.url());
    let blocking: RedisCache<Value, Value> = builder().build().unwrap();
    let awaited: AsyncRedisCache<Value, Value> = builder().build_async().unwrap();
    let mut peer = Peer::start(1);
    for ours in [Ours::any_key(blocking), Ours::any_key(Blocking(awaited))] {
        let (setup, stored) = (redis_setup(&server), on_redis(&server));
        share(&mut peer, setup, 300, &ours, stored);
    }
}

#[test]
fn prefixed_redis_cache() {
    let server = RedisServer::start();
    let mut peer = Peer::start(2);
    for prefix in ["app.", "é*? ", ""] {
        let builder = || RedisCache::builder(server.url()).prefix(prefix);
        let blocking = builder().build::<str, Value>().unwrap();
        let awaited = builder().build_async::<str, Value>().unwrap();
        let mut setup = redis_setup(&server);
        setup["prefix"] = prefix.into();
        setup["key"] = "text".into();
        for ours in [Ours::text_key(blocking), Ours::text_key(Blocking(awaited))] {
            let setup = setup.clone();
            share(&mut peer, setup, 150, &scalars(ours), on_redis(&server));
        }
    }
}

#[test]
fn encrypted_on_raw_redis() {
    let server = RedisServer::start();
    let cache = RedisCache::builder(server.url()).raw().build().unwrap();
    let mut setup = redis_setup(&server);
    setup["raw"] = true.into();
    let mut peer = Peer::start(3);
    share_encrypted(&mut peer, &setup, false, &cache, on_redis(&server));
    let builder = RedisCache::builder(server.url()).raw();
    let cache = Blocking(builder.build_async().unwrap());
    share_encrypted(&mut peer, &setup, false, &cache, on_redis(&server));
}

#[test]
fn encrypted_as_text_on_redis() {
    let server = RedisServer::start();
    let cache = RedisCache::builder(server.url()).build::<str, String>();
    let cache = BytesCache::new(cache.unwrap());
    let mut peer = Peer::start(4);
    let setup = redis_setup(&server);
    share_encrypted(&mut peer, &setup, true, &cache, on_redis(&server));
}

fn memcached(count: usize) -> (Vec<MemcachedServer>, MemCachedBuilder, Value) {
    let servers: Vec<_> = (0..count).map(|_| MemcachedServer::start()).collect();
    let (builder, setup) = memcached_setup(&servers);
    (servers, builder, setup)
}

fn memcached_setup(servers: &[MemcachedServer]) -> (MemCachedBuilder, Value) {
    let addresses: Vec<String> = servers.iter().map(MemcachedServer::address).collect();
    let mut builder = MemCached::builder(&addresses[0]);
    for address in &addresses[1..] {
        builder = builder.server(address);
    }
    let setup = json!({"servers": addresses, "key": "text", "value": "any"});
    (builder, setup)
}

#[test]
fn memcached_of_one_server_and_prefixed() {
    let (servers, builder, setup) = memcached(1);
    let mut peer = Peer::start(5);
    let cache: MemCached<str, MemValue> = builder.clone().build().unwrap();
    let ours = scalars(Ours::any_value(cache));
    share(&mut peer, setup.clone(), 500, &ours, on_memcached(&servers));
    for prefix in ["app.", "é'\"\\", ""] {
        let builder = builder.clone().prefix(prefix);
        let blocking: MemCached<str, MemValue> = builder.clone().build().unwrap();
        let awaited: AsyncMemCached<str, MemValue> = builder.build_async().unwrap();
        let mut setup = setup.clone();
        setup["prefix"] = prefix.into();
        for ours in [
            Ours::any_value(blocking),
            Ours::any_value(Blocking(awaited)),
        ] {
            let setup = setup.clone();
            share(
                &mut peer,
                setup,
                150,
                &scalars(ours),
                on_memcached(&servers),
            );
        }
    }
}

#[test]
fn memcached_on_a_socket() {
    let servers = [MemcachedServer::on_socket()];
    let (builder, mut setup) = memcached_setup(&servers);
    setup["value"] = "json".into();
    // Values of a type of one's own.
    let cache: MemCached<str, Value> = builder.build().unwrap();
    let ours = scalars(Ours::text_key(cache));
    share(
        &mut Peer::start(6),
        setup,
        300,
        &ours,
        on_memcached(&servers),
    );
}

#[test]
fn memcached_of_several_servers() {
    let (servers, builder, mut setup) = memcached(4);
    let mut peer = Peer::start(7);
    let blocking: MemCached<str, MemValue> = builder.clone().build().unwrap();
    let awaited: AsyncMemCached<str, MemValue> = builder.clone().build_async().unwrap();
    for ours in [
        Ours::any_value(blocking),
        Ours::any_value(Blocking(awaited)),
    ] {
        let setup = setup.clone();
        share(
            &mut peer,
            setup,
            300,
            &scalars(ours),
            on_memcached(&servers),
        );
    }
    setup["prefix"] = "é'\"\\".into();
    let cache = builder.prefix("é'\"\\").build::<str, MemValue>();
    let ours = scalars(Ours::any_value(cache.unwrap()));
    share(&mut peer, setup, 300, &ours, on_memcached(&servers));
}

#[test]
fn encrypted_on_memcached() {
    let (servers, builder, mut setup) = memcached(1);
    setup["key"] = "any".into();
    setup["value"] = "json".into();
    let mut peer = Peer::start(8);
    let cache = builder.clone().raw().build().unwrap();
    share_encrypted(&mut peer, &setup, false, &cache, on_memcached(&servers));
    setup["prefix"] = "app.".into();
    let cache = BytesCache::new(builder.prefix("app.").build::<str, String>().unwrap());
    share_encrypted(&mut peer, &setup, true, &cache, on_memcached(&servers));
}
