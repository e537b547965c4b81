use crate::{raw, secs};
use ctu_std::{Cache, CacheExt, RedisCache, test_util::StreamFault};
use ctu_tests::servers::RedisServer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

#[test]
fn batch_takes_one_round_trip() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    let keys: Vec<Vec<u8>> = (0..1000).map(|n| format!("key {n}").into()).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let entries = keys.iter().map(|key| (*key, key.to_vec())).collect();
    cache.insert_many(entries, Some(secs(50))).unwrap();
    assert!(cache.ttl(keys[7]).unwrap().unwrap() <= secs(50));
    let before = cache.stats().unwrap().commands;
    let mut asked = keys.clone();
    asked.insert(1, b"missing");
    let found = cache.get_many(&asked).unwrap();
    assert_eq!(found.len(), asked.len());
    for (key, value) in asked.iter().zip(found) {
        assert_eq!(value, (*key != b"missing").then(|| key.to_vec()));
    }
    assert_eq!(cache.remove_many(&asked), Ok(1000));
    // The INFO before, MGET and DEL.
    assert_eq!(cache.stats().unwrap().commands - before, 3);
    assert_eq!(cache.is_empty(), Ok(true));
}

#[test]
fn batch_with_ttl_takes_one_round_trip() {
    let mut server = RedisServer::start();
    let cache = raw(&server.url());
    assert_eq!(cache.default_ttl(), Some(secs(600)));
    cache.insert_with_ttl(b"long", b"1", secs(5000)).unwrap();
    cache.insert(b"usual", b"2").unwrap();
    server.cli(&["set", "ever", "3"]);
    server.cli(&["lpush", "list", "4"]);
    let found = cache
        .get_many_with_ttl(&[b"long", b"none", b"usual", b"ever", b"list"])
        .unwrap();
    let [Some(long), None, Some(usual), Some(ever), None] = &found[..] else {
        panic!("{found:?}");
    };
    assert!(long.0 == b"1" && long.1 > Some(secs(600)));
    assert!(usual.0 == b"2" && usual.1 <= Some(secs(600)) && usual.1.is_some());
    assert_eq!(*ever, (b"3".to_vec(), None));
    server.kill();
    assert_eq!(cache.get_many_with_ttl(&[]), Ok(vec![]));
    assert!(cache.get_many_with_ttl(&[b"a"]).is_err());
}

#[test]
fn huge_batch_is_split_into_commands() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    let keys: Vec<Vec<u8>> = (0..25_001).map(|n| format!("key {n}").into()).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let entries = keys.iter().map(|key| (*key, key.to_vec())).collect();
    cache.insert_many(entries, None).unwrap();
    let found = cache.get_many(&keys).unwrap();
    assert!(
        found
            .into_iter()
            .eq(keys.iter().map(|key| Some(key.to_vec())))
    );
    let found = cache.get_many_with_ttl(&keys).unwrap();
    let found = found.into_iter().map(|found| found.map(|(value, _)| value));
    assert!(found.eq(keys.iter().map(|key| Some(key.to_vec()))));
    assert_eq!(cache.remove_many(&keys), Ok(25_001));
    let stats = server.cli(&["info", "commandstats"]);
    // Redis before 7.0 accepts a million arguments, and one command blocks those of all other
    // clients.
    assert!(stats.contains("cmdstat_del:calls=3,"), "{stats}");
}

#[test]
fn batch_with_ttl_pairs_each_value_with_its_ttl() {
    let server = RedisServer::start();
    let direct = raw(&server.url());
    let proxy = server.proxy();
    let cache = raw(&format!("redis://127.0.0.1:{}", proxy.port()));
    let keys: Vec<[u8; 1]> = (b'a'..=b'k').map(|key| [key]).collect();
    let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    let put = |value: &[u8], ttl| {
        let entries = keys.iter().map(|key| (*key, value.to_vec())).collect();
        direct.insert_many(entries, Some(secs(ttl))).unwrap();
    };
    put(b"old", 500);
    // The server has read about three of the keys when another client replaces all.
    proxy.fail_request_after(126, StreamFault::Hold);
    let found = thread::scope(|scope| {
        let found = scope.spawn(|| cache.get_many_with_ttl(&keys));
        let calls = || server.cli(&["info", "commandstats"]);
        while !calls().contains("cmdstat_mget") {
            thread::yield_now();
        }
        put(b"new", 5000);
        proxy.release();
        found.join().unwrap().unwrap()
    });
    for found in found {
        let (value, left) = found.unwrap();
        assert_eq!(value == b"new", left > Some(secs(500)), "{value:?}");
    }
}

/// A value of 1 MiB that counts, while it is encoded, the encoded values that the server lacks.
#[derive(Clone)]
struct Counted<'s>(Option<&'s RedisServer>);

static ENCODED: AtomicUsize = AtomicUsize::new(0);
static MOST_WAITING: AtomicUsize = AtomicUsize::new(0);

impl Serialize for Counted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let server = self.0.expect("values that are stored have a server");
        let stored: usize = server.cli(&["dbsize"]).parse().unwrap();
        let encoded = ENCODED.fetch_add(1, Relaxed) + 1;
        MOST_WAITING.fetch_max(encoded - stored, Relaxed);
        serializer.serialize_str(&"x".repeat(1 << 20))
    }
}

impl<'de> Deserialize<'de> for Counted<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|_| Self(None))
    }
}

#[test]
fn large_batch_is_encoded_in_pieces() {
    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url()).deadline(secs(60));
    let cache: RedisCache<u32, Counted<'_>> = builder.build().unwrap();
    let keys: Vec<u32> = (0..30).collect();
    let entries = keys.iter().map(|key| (key, Counted(Some(&server))));
    cache.insert_many(entries.collect(), None).unwrap();
    assert_eq!((cache.len(), ENCODED.load(Relaxed)), (Ok(30), 30));
    // Pieces of 4 MiB, and the value that exceeds it.
    assert!(MOST_WAITING.load(Relaxed) <= 5, "{MOST_WAITING:?}");
}
