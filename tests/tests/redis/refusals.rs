//! The server is there, and refuses.

use crate::{raw, secs, shown};
use ctu_std::CacheError as _;
use ctu_std::{Cache, CacheExt, Error, RedisCache, RedisError};
use ctu_tests::servers::{RedisCluster, RedisServer, free_port};

#[test]
fn wrong_password_is_reported_and_not_shown() {
    let server = RedisServer::with(&["--requirepass", "right"]);
    for url in [
        server.url(),
        server.url().replace("//", "//:wr0ng@"),
        server.url().replace("//", "//someone:wr0ng@"),
    ] {
        let error = raw(&url).get(b"a").unwrap_err();
        assert!(matches!(error, RedisError::Auth { .. }), "{error}");
        assert!(!format!("{error:?}").contains("wr0ng"));
        assert!(shown(error).ends_with("refuses this user and password"));
    }
    let cache = raw(&server.url().replace("//", "//:right@"));
    assert_eq!(cache.get(b"a"), Ok(None));
    assert!(!format!("{cache:?}").contains("right"));
    let builder = RedisCache::builder(server.url()).raw().deadline(secs(60));
    let cache = builder.user("default").password("right").build().unwrap();
    assert_eq!(cache.get(b"a"), Ok(None));
}

#[test]
fn unneeded_password_is_an_error() {
    let server = RedisServer::start();
    let url = server.url().replace("//", "//:needless@");
    let error = raw(&url).get(b"a").unwrap_err();
    assert!(matches!(error, RedisError::Auth { .. }), "{error}");
}

#[test]
fn error_of_a_renamed_command_hides_password_and_key() {
    let server = RedisServer::with(&[
        "--rename-command",
        "AUTH",
        "LOGIN",
        "--rename-command",
        "EXISTS",
        "HAS",
    ]);
    let url = server.url().replace("//", "//:hunter2@");
    let error = raw(&url).get(b"a").unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error}");
    let error = raw(&server.url()).contains(b"private").unwrap_err();
    assert!(!format!("{error:?}").contains("private"));
    assert_eq!(shown(error), "Redis says: ERR unknown command 'EXISTS'");
}

#[test]
fn missing_database_is_reported() {
    let server = RedisServer::start();
    let url = format!("{}/99", server.url());
    let error = raw(&url).get(b"a").unwrap_err();
    assert_eq!(shown(error), "Redis says: ERR DB index is out of range");
}

#[test]
fn denied_command_is_reported() {
    let server = RedisServer::start();
    server.cli(&["acl", "setuser", "reader", "on", ">secret", "~*", "+get"]);
    let cache = raw(&server.url().replace("//", "//reader:secret@"));
    assert_eq!(cache.get(b"a"), Ok(None));
    let error = cache.insert(b"a", b"1").unwrap_err();
    assert!(matches!(error, RedisError::Denied { .. }), "{error}");
    assert!(!error.is_outage());
    assert!(shown(error).starts_with("Redis does not allow this: "));
}

#[test]
fn replica_is_readable_and_write_is_an_error() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    cache.insert(b"a", b"1").unwrap();
    let master = free_port().to_string();
    server.cli(&["replicaof", "127.0.0.1", &master]);
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    let error = cache.insert(b"a", b"2").unwrap_err();
    assert!(matches!(error, RedisError::ReadOnly { .. }), "{error}");
    assert!(shown(error).ends_with("is a read-only replica"));
    server.cli(&["replicaof", "no", "one"]);
    assert_eq!(cache.insert(b"a", b"3"), Ok(()));
}

#[test]
fn passwordless_user_still_authenticates() {
    let server = RedisServer::start();
    server.cli(&["acl", "setuser", "weak", "on", "nopass", "~*", "+get"]);
    server.cli(&["acl", "setuser", "strong", "on", ">s3cret", "~*", "+@all"]);
    let builder = |user: &str| RedisCache::builder(server.url()).raw().user(user);
    let cache = builder("weak").deadline(secs(60)).build().unwrap();
    assert_eq!(cache.get(b"a"), Ok(None));
    let error = cache.insert(b"a", b"1").unwrap_err();
    assert!(matches!(error, RedisError::Denied { .. }), "{error}");
    let cache = builder("strong").deadline(secs(60)).build().unwrap();
    let error = cache.get(b"a").unwrap_err();
    assert!(matches!(error, RedisError::Auth { .. }), "{error}");
}

#[test]
fn oversized_value_is_not_sent() {
    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url()).deadline(secs(60));
    let cache = builder.max_value(10).raw().build().unwrap();
    cache.insert(b"a", &[b'x'; 10]).unwrap();
    let long = Err(RedisError::Core(Error::ValueTooLong { len: 11, max: 10 }));
    assert_eq!(cache.insert(b"a", &[b'y'; 11]), long);
    let entries = vec![(&b"b"[..], vec![1]), (b"a", vec![b'y'; 11])];
    assert_eq!(cache.insert_many(entries, None), long);
    assert_eq!(cache.get(b"a"), Ok(Some(vec![b'x'; 10])));
    assert_eq!(cache.len(), Ok(1));
}

#[test]
fn key_over_the_limit_is_not_sent() {
    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url()).deadline(secs(60));
    let cache = builder.max_key(10).raw().build().unwrap();
    cache.insert(b"0123456789", b"x").unwrap();
    let long = &b"01234567890"[..];
    let refused = RedisError::Core(Error::KeyTooLong { len: 11, max: 10 });
    assert_eq!(cache.insert(long, b"y").unwrap_err(), refused);
    assert_eq!(cache.get(long).unwrap_err(), refused);
    assert_eq!(cache.remove(long).unwrap_err(), refused);
    assert_eq!(cache.ttl(long).unwrap_err(), refused);
    assert_eq!(cache.touch(long, None).unwrap_err(), refused);
    assert_eq!(cache.get_many(&[b"a", long]).unwrap_err(), refused);
    let entries = vec![(&b"b"[..], vec![1]), (long, vec![1])];
    assert_eq!(cache.insert_many(entries, None).unwrap_err(), refused);
    assert_eq!(cache.len(), Ok(1));
}

#[test]
fn value_rejected_by_the_server_is_no_outage() {
    let server = RedisServer::with(&["--proto-max-bulk-len", "1mb"]);
    let cache = raw(&server.url());
    let value = |mib: usize| vec![b'x'; mib << 20];
    let middle = || {
        let mut entries: Vec<(&[u8], Vec<u8>)> = vec![(b"a", vec![1]); 99];
        entries[50].1 = value(2);
        entries
    };
    for round in 0..20 {
        // On a connection that has waited: it is not sent again.
        let before = cache.stats().unwrap().connections;
        let error = match round % 3 {
            0 => cache.insert(b"a", value(2)),
            1 => cache.insert(b"a", value(20)),
            _ => cache.insert_many(middle(), None),
        };
        let error = error.unwrap_err();
        assert!(!error.is_outage(), "{error}");
        assert_eq!(
            shown(error),
            "Redis says: ERR Protocol error: invalid bulk length"
        );
        assert_eq!(cache.stats().unwrap().connections, before + 1);
    }
}

#[test]
fn cluster_node_without_cluster_mode_is_reported() {
    let cluster = RedisCluster::start(2);
    let cache = raw(&cluster.urls()[0]);
    // `a` is at the other node, and not with `b`.
    for error in [
        cache.get(b"a").unwrap_err(),
        cache.get_many(&[b"a", b"b"]).unwrap_err(),
    ] {
        assert!(!error.is_outage(), "{error}");
        assert!(shown(error).ends_with("it is in a cluster: use RedisCache::cluster"));
    }
}
