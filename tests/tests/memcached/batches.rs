use crate::{builder, raw, secs};
use ctu_std::{Cache, CacheExt, MemCached, RawMemCached, memcached::MemValue};
use ctu_tests::servers::MemcachedServer;
use std::thread;

/// A counter of the server.
fn count(cache: &RawMemCached, name: &str) -> u64 {
    let info = cache.info("").unwrap();
    info[0].get(name).unwrap().parse().unwrap()
}

#[test]
fn get_many_returns_values_in_key_order() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    // Long and many enough for several requests.
    let keys: Vec<Vec<u8>> = (0..3000)
        .map(|n| format!("a key that is rather long {n:0>60}").into())
        .collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let entries = keys.iter().map(|key| (*key, key.to_vec())).collect();
    cache.insert_many(entries, Some(secs(5000))).unwrap();
    let mut asked = keys.clone();
    asked.insert(1, b"missing");
    asked.insert(2, keys[7]);
    asked.push(b"missing too");
    asked.push(keys[7]);
    let expected: Vec<Option<Vec<u8>>> = asked
        .iter()
        .map(|key| (!key.starts_with(b"missing")).then(|| key.to_vec()))
        .collect();
    assert_eq!(cache.get_many(&asked), Ok(expected.clone()));
    let timed = cache.get_many_with_ttl(&asked).unwrap();
    for (found, expected) in timed.into_iter().zip(expected) {
        let (value, left) = found.unzip();
        assert_eq!(value, expected);
        assert!(left.is_none_or(|left| left.unwrap() > secs(4000)));
    }
    assert_eq!(cache.remove_many(&asked), Ok(3000));
    assert_eq!(cache.is_empty(), Ok(true));
}

#[test]
fn batch_takes_one_round_trip() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    let keys: Vec<Vec<u8>> = (0..100_u32).map(|n| n.to_le_bytes().to_vec()).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let entries = || keys.iter().map(|key| (*key, key.to_vec())).collect();
    cache.insert_many(entries(), None).unwrap();
    // Nothing that was sent is waited for before the rest: a server that is stopped gets it all.
    server.pause();
    let batches = thread::spawn({
        let (cache, keys) = (cache.clone(), keys.iter().map(|key| key.to_vec()).collect());
        move || {
            let keys: Vec<Vec<u8>> = keys;
            let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
            cache.get_many(&keys)
        }
    });
    server.resume();
    assert!(batches.join().unwrap().unwrap().iter().all(Option::is_some));
    let before = count(&cache, "cmd_get");
    cache.get_many(&keys).unwrap();
    assert_eq!(count(&cache, "cmd_get") - before, 100);
}

#[test]
fn large_batches_do_not_deadlock() {
    let server = MemcachedServer::with(&["-m", "1024"]);
    let cache = raw(&server.address());
    let keys: Vec<[u8; 4]> = (0..200_u32).map(u32::to_le_bytes).collect();
    let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    let entries = keys.iter().map(|key| (*key, key.repeat(100_000))).collect();
    cache.insert_many(entries, None).unwrap();
    let found = cache.get_many(&keys).unwrap();
    let timed = cache.get_many_with_ttl(&keys).unwrap();
    for (key, (found, timed)) in keys.iter().zip(found.into_iter().zip(timed)) {
        let value = Some(key.repeat(100_000));
        assert!(found == value && timed.unzip().0 == value);
    }
}

#[test]
fn batch_may_mix_value_types() {
    let server = MemcachedServer::start();
    let cache: MemCached<str, MemValue> = builder(server.address()).build().unwrap();
    let kinds: [MemValue; 3] = [
        (&b"\xff"[..]).into(),
        "text".into(),
        serde_json::json!([1]).into(),
    ];
    let entries = ["a", "b", "c"].into_iter().zip(kinds.clone()).collect();
    cache.insert_many(entries, None).unwrap();
    let found = cache.get_many(&["a", "b", "c"]).unwrap();
    assert_eq!(found, kinds.map(Some));
}

#[test]
fn batch_with_zero_ttl_removes() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    cache.insert(b"a", b"1").unwrap();
    let entries = vec![(&b"a"[..], vec![2]), (b"b", vec![2])];
    cache.insert_many(entries, Some(secs(0))).unwrap();
    assert_eq!(cache.is_empty(), Ok(true));
}
