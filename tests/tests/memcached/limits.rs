//! Limits of the length of keys and values, and of the size of batches.

use crate::{builder, secs, shown};
use ctu_std::{Cache, CacheError, CacheExt, Error, MemCached, MemCachedError};
use ctu_tests::servers::{MemcachedServer, free_port};

#[test]
fn oversized_entry_is_not_sent() {
    // No server listens, so an attempt to send would fail.
    let cache: MemCached<str, String> = builder(format!("127.0.0.1:{}", free_port()))
        .build()
        .unwrap();
    let long = "x".repeat(201);
    let expected = MemCachedError::Core(Error::KeyTooLong { len: 252, max: 250 });
    assert_eq!(cache.get(&long), Err(expected.clone()));
    assert_eq!(cache.insert(&long, ""), Err(expected.clone()));
    assert_eq!(cache.remove(&long), Err(expected.clone()));
    assert_eq!(cache.contains(&long), Err(expected.clone()));
    assert_eq!(cache.touch(&long, None), Err(expected.clone()));
    assert_eq!(cache.get_many(&["a", &long]), Err(expected.clone()));
    assert_eq!(cache.remove_many(&["a", &long]), Err(expected.clone()));
    assert_eq!(
        cache.insert_many(vec![("a", "".into()), (&long, "".into())], None),
        Err(expected)
    );
    let empty = cache.get("").unwrap_err();
    assert!(matches!(empty, MemCachedError::Core(Error::Encode(_))));
    let large = cache.insert("a", "x".repeat(1 << 20)).unwrap_err();
    let refused = matches!(large, MemCachedError::Core(Error::ValueTooLong { .. }));
    assert!(refused, "{large}");
    let ages = cache.insert_with_ttl("a", "", secs(1 << 40)).unwrap_err();
    assert!(matches!(
        ages,
        MemCachedError::Core(Error::TtlTooLong { .. })
    ));
}

#[test]
fn longest_key_of_memcached_is_accepted() {
    let server = MemcachedServer::start();
    let cache: MemCached<str, u8> = builder(server.address()).build().unwrap();
    let long = "x".repeat(200);
    cache.insert(&long, 1).unwrap();
    assert_eq!(cache.get(&long), Ok(Some(1)));
    assert_eq!(cache.get_with_ttl(&long), Ok(Some((1, None))));
    assert_eq!(cache.touch(&long, Some(secs(50))), Ok(true));
    assert_eq!(cache.add(&long, 1, None), Ok(false));
    assert_eq!(cache.remove_many(&[&long]), Ok(1));
}

#[test]
fn largest_value_of_memcached_is_accepted() {
    for (options, max_item) in [
        (&[][..], 1 << 20),
        (&["-I", "2m"], 2 << 20),
        (&["-I", "512k"], 512 << 10),
    ] {
        let server = MemcachedServer::with(options);
        let cache = builder(server.address()).raw().max_item(max_item).build();
        let cache = cache.unwrap();
        let Err(MemCachedError::Core(Error::ValueTooLong { max, .. })) =
            cache.insert_entry(b"key", vec![1; max_item], None)
        else {
            panic!("it does not fit");
        };
        for len in [max - 1, max] {
            cache.insert_entry(b"key", vec![7; len], None).unwrap();
            assert!(cache.get(b"key").unwrap().unwrap() == vec![7; len]);
        }
        // The server's own limit is a byte or a few above.
        let unaware = builder(server.address())
            .raw()
            .max_item(max_item * 2)
            .build();
        let unaware = unaware.unwrap();
        let error = unaware
            .insert_entry(b"key", vec![7; max + 8], None)
            .unwrap_err();
        let told = matches!(error, MemCachedError::TooLarge { .. });
        assert!(told, "{error}");
        assert!(!error.is_outage());
    }
}

#[test]
fn rejected_value_leaves_the_connection_in_step() {
    let server = MemcachedServer::start();
    let cache = builder(server.address()).raw().max_item(8 << 20).build();
    let cache = cache.unwrap();
    cache.insert(b"warm", b"up").unwrap();
    let before = cache.stats().unwrap()[0].connections;
    let large = || vec![b'x'; 2 << 20];
    let batch = vec![
        (&b"a"[..], b"1".to_vec()),
        (b"b", large()),
        (b"c", b"3".to_vec()),
    ];
    let error = cache.insert_many(batch, None).unwrap_err();
    assert!(matches!(error, MemCachedError::TooLarge { .. }), "{error}");
    assert!(shown(error).starts_with("value larger than Memcached at "));
    let found = cache.get_many(&[b"a", b"b", b"c"]);
    assert_eq!(
        found,
        Ok(vec![Some(b"1".to_vec()), None, Some(b"3".to_vec())])
    );
    assert!(cache.insert_entry(b"b", large(), None).is_err());
    assert_eq!(cache.get(b"c"), Ok(Some(b"3".to_vec())));
    assert_eq!(cache.stats().unwrap()[0].connections, before);
}
