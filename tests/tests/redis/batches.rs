use crate::{raw, secs};
use ctu_std::Cache;
use ctu_tests::servers::RedisServer;

#[test]
fn take_one_round_trip() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    let keys: Vec<Vec<u8>> = (0..1000).map(|n| format!("key {n}").into()).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let entries = keys.iter().map(|key| (*key, key.to_vec())).collect();
    cache.put_many(entries, Some(secs(50))).unwrap();
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
fn with_the_time_left_take_one_round_trip() {
    let mut server = RedisServer::start();
    let cache = raw(&server.url());
    assert_eq!(cache.default_ttl(), Some(secs(600)));
    cache.insert_for(b"long", b"1", secs(5000)).unwrap();
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
