//! The server is there, and refuses.

use crate::{raw, secs, shown};
use ctu_std::CacheError as _;
use ctu_std::{Cache, RedisCache, RedisError};
use ctu_tests::servers::{RedisServer, free_port};

#[test]
fn a_wrong_password_is_told_and_not_shown() {
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
    let builder = RedisCache::builder(&server.url()).raw().deadline(secs(60));
    let cache = builder.user("default").password("right").build().unwrap();
    assert_eq!(cache.get(b"a"), Ok(None));
}

#[test]
fn a_password_that_nobody_asked_for_is_refused_too() {
    let server = RedisServer::start();
    let url = server.url().replace("//", "//:needless@");
    let error = raw(&url).get(b"a").unwrap_err();
    assert!(matches!(error, RedisError::Auth { .. }), "{error}");
}

#[test]
fn a_renamed_command_shows_no_password_and_no_key() {
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
fn a_database_that_is_not_is_told() {
    let server = RedisServer::start();
    let url = format!("{}/99", server.url());
    let error = raw(&url).get(b"a").unwrap_err();
    assert_eq!(shown(error), "Redis says: ERR DB index is out of range");
}

#[test]
fn what_the_user_may_not_do_is_told() {
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
fn a_replica_is_read_and_not_written() {
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
