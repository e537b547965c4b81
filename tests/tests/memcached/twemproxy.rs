//! Behind twemproxy, which knows the commands of old alone, and splits a `get` among its servers.

use crate::{raw, secs};
use ctu_std::{Cache, CacheExt, Error, MemCachedError, RawMemCached};
use ctu_tests::servers::{MemcachedServer, Nutcracker};

fn behind_twemproxy(use_it: impl FnOnce(RawMemCached)) {
    let servers = [(); 3].map(|()| MemcachedServer::start());
    let proxy = Nutcracker::before_memcached(&servers.each_ref().map(MemcachedServer::port));
    use_it(raw(&format!("127.0.0.1:{}", proxy.port())));
}

#[test]
fn batch_replies_may_come_in_any_order() {
    behind_twemproxy(|cache| {
        let keys: Vec<[u8; 2]> = (0..300_u16).map(u16::to_le_bytes).collect();
        let entries = keys.iter().map(|key| (&key[..], key.to_vec()));
        cache
            .insert_many(entries.step_by(2).collect(), None)
            .unwrap();
        let mut asked: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        // A key that is asked for twice has two answers.
        asked.push(&keys[0]);
        let found = cache.get_many(&asked).unwrap();
        for (index, found) in found.into_iter().enumerate() {
            let expected = (index % 2 == 0).then(|| asked[index].to_vec());
            assert_eq!(found, expected, "{index}");
        }
    });
}

#[test]
fn plain_commands_serve_where_meta_commands_are_refused() {
    behind_twemproxy(|cache| {
        cache.insert_with_ttl(b"a", b"1", secs(600)).unwrap();
        assert_eq!(cache.contains(b"a"), Ok(true));
        assert_eq!(cache.contains(b"none"), Ok(false));
        // The remaining time is not known.
        assert_eq!(cache.get_with_ttl(b"a"), Ok(Some((b"1".to_vec(), None))));
        let found = cache.get_many_with_ttl(&[b"none", b"a"]);
        assert_eq!(found, Ok(vec![None, Some((b"1".to_vec(), None))]));
        assert_eq!(cache.add(b"a", b"2", None), Ok(false));
        assert_eq!(cache.touch(b"a", None), Ok(true));
        assert_eq!(cache.remove(b"a"), Ok(true));
        assert_eq!(cache.get(b"a"), Ok(None));
    });
}

#[test]
fn refused_commands_are_errors_and_no_outage() {
    behind_twemproxy(|cache| {
        for refused in [cache.clear(), cache.len().map(drop)] {
            let told = matches!(refused, Err(MemCachedError::Core(Error::Unsupported(_))));
            assert!(told, "{refused:?}");
        }
        // Its servers' clocks are not known.
        let month = secs(30 * 24 * 60 * 60);
        assert_eq!(cache.insert_with_ttl(b"a", b"1", month), Ok(()));
        let longer = cache.insert_with_ttl(b"a", b"2", month + secs(1));
        let refused = Error::TtlTooLong { max: month };
        assert_eq!(longer, Err(MemCachedError::Core(refused)));
        assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    });
}
