//! Behind twemproxy, which splits batches among its servers and refuses commands about all keys.

use crate::{raw, secs};
use ctu_std::{Cache, Error, RedisError};
use ctu_tests::servers::{Nutcracker, RedisServer};

#[test]
fn refused_commands_are_errors_and_all_others_work() {
    let servers = [(); 3].map(|()| RedisServer::start());
    let proxy = Nutcracker::before_redis(&servers.each_ref().map(RedisServer::port));
    let cache = raw(&format!("redis://127.0.0.1:{}", proxy.port()));
    let keys: Vec<[u8; 2]> = (0..300_u16).map(u16::to_le_bytes).collect();
    let entries = keys.iter().map(|key| (&key[..], key.to_vec()));
    cache
        .insert_many(entries.step_by(2).collect(), Some(secs(600)))
        .unwrap();
    let asked: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    let found = cache.get_many(&asked).unwrap();
    let timed = cache.get_many_with_ttl(&asked).unwrap();
    for (index, (found, timed)) in found.into_iter().zip(timed).enumerate() {
        let expected = (index % 2 == 0).then(|| asked[index].to_vec());
        assert_eq!(found, expected, "{index}");
        assert_eq!(timed.map(|(value, _)| value), expected, "{index}");
    }
    assert_eq!(cache.contains(&keys[0]), Ok(true));
    assert_eq!(cache.pop(&keys[0]), Ok(Some(keys[0].to_vec())));
    assert_eq!(cache.remove_many(&asked), Ok(149));
    for refused in [
        cache.clear(),
        cache.len().map(drop),
        cache.retain(&mut |_| true),
        cache.keys().next().unwrap().map(drop),
        cache.stats().map(drop),
    ] {
        let told = matches!(refused, Err(RedisError::Core(Error::Unsupported(_))));
        assert!(told, "{refused:?}");
    }
}
