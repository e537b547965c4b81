use crate::raw;
use ctu_std::{Cache, CacheExt, NetError, RedisCache, RedisError};
use ctu_tests::servers::RedisServer;
use std::{os::unix::fs::symlink, time::Duration};

#[test]
fn clear_empties_only_the_database_of_the_query() {
    let server = RedisServer::start();
    server.cli(&["set", "other", "1"]);
    let cache = raw(&format!("{}?db=2", server.url()));
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(server.cli(&["-n", "2", "get", "a"]), "1");
    cache.clear().unwrap();
    assert_eq!(server.cli(&["-n", "2", "dbsize"]), "0");
    assert_eq!(server.cli(&["get", "other"]), "1");
}

#[test]
fn user_and_password_of_the_query_log_in() {
    let server = RedisServer::start();
    server.cli(&["acl", "setuser", "me", "on", ">a+b c", "~*", "+@all"]);
    server.cli(&["acl", "setuser", "default", "off"]);
    let socket = server.socket();
    for address in [server.url(), format!("unix://{}", socket.display())] {
        let cache = raw(&format!("{address}?username=me&password=a+b%20c"));
        assert_eq!(cache.get(b"a"), Ok(None), "{address}");
        let cache = raw(&format!("{address}?user=me&pass=a%2Bb%20c"));
        assert_eq!(cache.get(b"a"), Ok(None), "{address}");
    }
}

#[test]
fn server_lists_the_client_name() {
    let server = RedisServer::start();
    let by_address = raw(&format!("{}?client_name=by-address", server.url()));
    by_address.get(b"a").unwrap();
    let builder = RedisCache::builder(server.url()).client_name("by-builder");
    let by_builder = builder.raw().build().unwrap();
    by_builder.get(b"a").unwrap();
    let clients = server.cli(&["client", "list"]);
    for name in ["name=by-address ", "name=by-builder "] {
        assert!(clients.contains(name), "{clients}");
    }
    let odd = RedisCache::builder(server.url()).client_name("a b");
    let error = odd.raw().build().unwrap_err();
    assert!(error.to_string().contains("client_name"), "{error}");
}

#[test]
fn timeouts_of_the_query_bound_operations() {
    let server = RedisServer::start();
    let url = format!("{}?socket_timeout=0.02&max_connections=1", server.url());
    let cache = RedisCache::builder(url).raw().build().unwrap();
    cache.get(b"a").unwrap();
    server.pause();
    let late = cache.get(b"a").unwrap_err();
    server.resume();
    let after = Duration::from_millis(20);
    assert!(
        matches!(late, RedisError::Net(NetError::TimedOut { after: was, .. }) if was == after),
        "{late:?}"
    );
}

#[test]
fn setter_of_the_builder_precedes_the_address() {
    let server = RedisServer::start();
    let builder = RedisCache::builder(format!("{}/1?max_connections=0", server.url()));
    let cache = builder.database(3).pool_size(1).raw().build().unwrap();
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(server.cli(&["-n", "3", "get", "a"]), "1");
}

#[test]
fn socket_path_may_have_blanks_and_percent_signs() {
    let server = RedisServer::start();
    let odd = server.socket().with_file_name("a%20 b+c");
    symlink(server.socket(), &odd).unwrap();
    let path = odd.display().to_string().replace('%', "%25");
    for path in [path.clone(), path.replace(' ', "%20")] {
        let cache = raw(&format!("unix://{path}"));
        assert_eq!(cache.get(b"a"), Ok(None));
    }
}

#[test]
fn setting_that_has_no_effect_is_an_error_of_build() {
    let server = RedisServer::start();
    let given = || {
        let client = redis::Client::open(server.url()).unwrap();
        RedisCache::from_connection(client.get_connection().unwrap())
    };
    for builder in [
        given().password("x"),
        given().database(1),
        given().keep_alive(None),
        RedisCache::builder("redis://localhost?socket_timeout=0"),
        RedisCache::builder("redis://localhost#1"),
        #[cfg(feature = "tls")]
        RedisCache::builder("redis://localhost").root_certificates("pem"),
    ] {
        let error = builder.raw().build().unwrap_err();
        assert!(matches!(error, RedisError::Url(_)), "{error:?}");
    }
}
