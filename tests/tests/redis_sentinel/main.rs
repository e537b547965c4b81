//! `RedisCache::sentinel` with three real sentinels, a real master and a real replica.

use ctu_std::{
    Cache, CacheError as _, CacheExt, ConcurrentCache, NetError, PrefixedRedisCache, RawRedisCache,
    RedisBuilder, RedisCache, RedisError, Tags, TrackingState, TwoLevelCache,
};
use ctu_tests::servers::{CannedServer, RedisServer, Sentinels, free_port};
use std::time::{Duration, Instant};

/// A master, a replica that has caught up, and their sentinels.
struct Group {
    master: RedisServer,
    replica: RedisServer,
    sentinels: Sentinels,
}

impl Group {
    fn start() -> Self {
        Self::with(&[], &[], "")
    }

    /// With the options of both servers, the configuration of the sentinels, and their password.
    fn with(servers: &[&str], sentinels: &[&str], password: &str) -> Self {
        let master = RedisServer::with(servers);
        let port = master.port().to_string();
        let mut options = vec![
            "--replicaof",
            "127.0.0.1",
            &port,
            "--repl-diskless-sync-delay",
            "0",
        ];
        options.extend_from_slice(servers);
        let replica = RedisServer::with(&options);
        let sentinels = Sentinels::of(&master, 1, password, sentinels);
        Self {
            master,
            replica,
            sentinels,
        }
    }

    fn builder(&self) -> RedisBuilder {
        RedisCache::sentinel(self.sentinels.urls(), "mymaster")
    }
}

fn built(builder: RedisBuilder) -> RawRedisCache {
    let long_deadline = builder.raw().deadline(Duration::from_secs(30));
    long_deadline
        .connect_deadline(Duration::from_secs(10))
        .build()
        .expect("good addresses")
}

/// Repeats a write that meets an outage until it is done.
fn insert_in_time(cache: &RawRedisCache, key: &[u8], value: &[u8]) {
    let end = Instant::now() + Duration::from_secs(60);
    while let Err(error) = cache.insert(key, value) {
        assert!(error.is_outage(), "{error:?}");
        assert!(Instant::now() < end, "no new master: {error}");
        std::thread::yield_now();
    }
}

#[test]
fn master_is_followed_after_it_died() {
    let mut group = Group::start();
    let cache = built(group.builder());
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(group.master.cli(&["get", "a"]), "1");
    group.master.kill();
    insert_in_time(&cache, b"a", b"2");
    assert_eq!(group.replica.cli(&["get", "a"]), "2");
    assert_eq!(cache.get(b"a"), Ok(Some(b"2".to_vec())));
}

#[test]
fn master_is_followed_after_a_failover_while_both_servers_live() {
    let group = Group::start();
    let cache = built(group.builder());
    cache.insert(b"a", b"1").unwrap();
    // A failover needs a replica that the sentinel has heard from.
    let end = Instant::now() + Duration::from_secs(60);
    while group
        .sentinels
        .cli(0, "", &["sentinel", "failover", "mymaster"])
        != "OK"
    {
        assert!(Instant::now() < end, "no failover");
        std::thread::yield_now();
    }
    while group.master.cli(&["role"]).lines().next() != Some("slave") {
        assert!(Instant::now() < end, "the former master stays one");
        insert_in_time(&cache, b"a", b"2");
    }
    insert_in_time(&cache, b"a", b"3");
    assert_eq!(group.replica.cli(&["get", "a"]), "3");
}

#[test]
fn new_master_gets_the_scripts_that_it_lacks() {
    let mut group = Group::start();
    let builder = group.builder().prefix("app.").tags();
    let builder = builder.deadline(Duration::from_secs(30));
    let builder = builder.connect_deadline(Duration::from_secs(10));
    let cache: PrefixedRedisCache<str, u32> = builder.build().unwrap();
    cache.insert_with_tags("a", 1, None, &["t"]).unwrap();
    assert_eq!(cache.get("a"), Ok(Some(1)));
    // The replica has the entry.
    assert_eq!(group.master.cli(&["wait", "1", "60000"]), "1");
    group.replica.cli(&["script", "flush"]);
    group.master.kill();
    let end = Instant::now() + Duration::from_secs(60);
    let found = loop {
        match cache.get("a") {
            Ok(found) => break found,
            Err(error) => assert!(error.is_outage() && Instant::now() < end, "{error:?}"),
        }
        std::thread::yield_now();
    };
    assert_eq!(found, Some(1));
    cache.invalidate_tag("t").unwrap();
    assert_eq!(cache.get("a"), Ok(None));
}

#[test]
fn dead_and_hanging_sentinels_are_passed_over() {
    let mut group = Group::start();
    group.sentinels.kill(0);
    let mut urls = group.sentinels.urls();
    let cache = built(RedisCache::sentinel(&urls, "mymaster"));
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(group.master.cli(&["get", "a"]), "1");
    // One that hangs, and one that answers.
    group.sentinels.pause(1);
    urls.remove(0);
    let builder = RedisCache::sentinel(&urls, "mymaster").raw();
    let cache = builder
        .connect_deadline(Duration::from_millis(900))
        .build()
        .unwrap();
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
}

#[test]
fn replica_that_a_stale_sentinel_names_is_not_used() {
    let group = Group::start();
    let port = group.replica.port().to_string();
    let answer = format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len());
    let stale = CannedServer::start(answer).unwrap();
    let stale = format!("redis://127.0.0.1:{}", stale.port());
    let mut urls = vec![stale.clone()];
    urls.extend(group.sentinels.urls());
    let cache = built(RedisCache::sentinel(&urls, "mymaster"));
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(group.master.cli(&["get", "a"]), "1");
}

#[test]
fn replica_alone_is_an_outage() {
    let master = RedisServer::start();
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    let port = replica.port().to_string();
    let answer = format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len());
    let stale = CannedServer::start(answer).unwrap();
    let url = format!("redis://127.0.0.1:{}", stale.port());
    let error = built(RedisCache::sentinel([url], "mymaster"))
        .get(b"a")
        .unwrap_err();
    assert!(matches!(error, RedisError::ReadOnly { .. }), "{error:?}");
    assert!(error.is_outage());
}

#[test]
fn sentinels_and_master_have_passwords_of_their_own() {
    let servers = ["--requirepass", "master", "--masterauth", "master"];
    let sentinels = ["sentinel auth-pass mymaster master", "requirepass hush"];
    let group = Group::with(&servers, &sentinels, "hush");
    let address = |password: &str| {
        let ports = group.sentinels.ports().into_iter();
        let urls = ports.map(|port| format!("redis://:{password}@127.0.0.1:{port}"));
        urls.collect::<Vec<_>>()
    };
    let master = "redis://:master@mymaster/1?client_name=web";
    let cache = built(RedisCache::sentinel(address("hush"), master));
    cache.insert(b"a", b"1").unwrap();
    let found = group.master.cli(&["-a", "master", "-n", "1", "get", "a"]);
    assert_eq!(found, "1");
    let by_setter = RedisCache::sentinel(address("hush"), "mymaster").password("master");
    assert_eq!(
        built(by_setter.database(1)).get(b"a"),
        Ok(Some(b"1".to_vec()))
    );
    for wrong in [
        RedisCache::sentinel(address("other"), master),
        RedisCache::sentinel(address("hush"), "redis://:other@mymaster"),
        RedisCache::sentinel(address("hush"), "mymaster"),
    ] {
        let error = built(wrong).get(b"a").unwrap_err();
        assert!(matches!(error, RedisError::Auth { .. }), "{error:?}");
        assert!(!error.to_string().contains("other"), "{error}");
    }
}

#[test]
fn unknown_name_is_an_error_that_names_it() {
    let group = Group::start();
    let cache = built(RedisCache::sentinel(group.sentinels.urls(), "other"));
    let error = cache.get(b"a").unwrap_err();
    assert!(matches!(error, RedisError::NotReady { .. }), "{error:?}");
    assert!(error.to_string().contains("other of sentinels"), "{error}");
}

#[test]
fn sentinels_that_are_gone_are_an_outage() {
    let urls = [free_port(), free_port()].map(|port| format!("redis://127.0.0.1:{port}"));
    let error = built(RedisCache::sentinel(urls, "mymaster"))
        .get(b"a")
        .unwrap_err();
    assert!(error.is_outage());
    assert!(
        matches!(error, RedisError::Net(NetError::Unreachable { .. })),
        "{error:?}"
    );
}

#[test]
fn answer_that_is_no_address_is_a_protocol_error() {
    for answer in [
        "+OK\r\n",
        "*0\r\n",
        "*2\r\n$0\r\n\r\n$1\r\n1\r\n",
        "*2\r\n$1\r\na\r\n$1\r\n0\r\n",
        "*2\r\n$1\r\na\r\n$5\r\n99999\r\n",
        "*2\r\n$3\r\na\nb\r\n$1\r\n1\r\n",
    ] {
        let server = CannedServer::start(answer).unwrap();
        let url = format!("redis://127.0.0.1:{}", server.port());
        let error = built(RedisCache::sentinel([url], "mymaster"))
            .get(b"a")
            .unwrap_err();
        let is_protocol = matches!(error, RedisError::Net(NetError::Protocol { .. }));
        assert!(is_protocol, "{answer:?}: {error:?}");
    }
}

#[test]
fn master_that_the_filter_refuses_gets_no_connection() {
    let group = Group::start();
    let refusing = group.builder().allowed_nodes(|host, _| host == "10.1.0.1");
    let error = built(refusing).get(b"a").unwrap_err();
    let RedisError::NodeNotAllowed { node, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*node, format!("127.0.0.1:{}", group.master.port()));
    let port = group.master.port();
    let allowing = group.builder().allowed_nodes(move |_, at| at == port);
    built(allowing).insert(b"a", b"1").unwrap();
    assert_eq!(group.master.cli(&["get", "a"]), "1");
}

#[cfg(feature = "tls")]
#[test]
fn sentinel_and_master_are_reached_through_tls() {
    use ctu_tests::servers::{Certificate, RedisSentinel, Server};
    let certificate = Certificate::of("127.0.0.1");
    let (master_port, sentinel_port) = (free_port(), free_port());
    let (file, key) = (certificate.file(), certificate.key_file());
    let master = RedisServer::with(&[
        "--tls-port",
        &master_port.to_string(),
        "--tls-cert-file",
        &file,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &file,
        "--tls-auth-clients",
        "no",
    ]);
    let lines = [
        format!("sentinel monitor mymaster 127.0.0.1 {master_port} 1"),
        format!("tls-port {sentinel_port}"),
        format!("tls-cert-file {file}"),
        format!("tls-key-file {key}"),
        format!("tls-ca-cert-file {file}"),
        "tls-auth-clients no".into(),
        "tls-replication yes".into(),
    ];
    let _sentinel = Server::<RedisSentinel>::with(&lines.each_ref().map(String::as_str));
    let sentinels = [format!(
        "rediss://127.0.0.1:{sentinel_port}?ssl_ca_certs={file}"
    )];
    let address = format!("rediss://mymaster?ssl_ca_certs={file}");
    built(RedisCache::sentinel(&sentinels, &address))
        .insert(b"a", b"1")
        .unwrap();
    assert_eq!(master.cli(&["get", "a"]), "1");
    // The authority of the master alone does not vouch for the sentinel.
    let untrusted = [format!("rediss://127.0.0.1:{sentinel_port}")];
    let error = built(RedisCache::sentinel(&untrusted, &address)).get(b"a");
    assert!(
        matches!(error, Err(RedisError::Net(NetError::Unreachable { .. }))),
        "{error:?}"
    );
}

/// A first level with an invalidation bound loses its lease with the master, and follows the new one.
#[test]
fn invalidations_follow_the_master() {
    let mut group = Group::start();
    let second: PrefixedRedisCache<str, u64> = group
        .builder()
        .prefix("app.")
        .deadline(Duration::from_secs(5))
        .build()
        .unwrap();
    let first = ConcurrentCache::<String, u64>::with_capacity(100);
    let cache = TwoLevelCache::builder(first, second)
        .resilient()
        .invalidation_bound(Duration::from_millis(500))
        .build();
    let wait = |server: &RedisServer, value: u64| {
        let end = Instant::now() + Duration::from_secs(60);
        let is_seen = || cache.get("k").unwrap() == Some(value);
        while server.cli(&["set", "app.k", &value.to_string()]) != "OK" || !is_seen() {
            assert!(Instant::now() < end, "{:?}", cache.last_unsubscription());
        }
        while cache.stats().tracking != TrackingState::Subscribed {
            assert!(Instant::now() < end, "{:?}", cache.last_unsubscription());
        }
        // From the first level, and then as the report says.
        while cache.get_first("k").unwrap() != Some(value) {
            assert_eq!(cache.get("k").unwrap(), Some(value));
        }
        server.cli(&["set", "app.k", &(value + 1).to_string()]);
        while cache.get("k").unwrap() != Some(value + 1) {
            assert!(Instant::now() < end, "no report of a change");
        }
    };
    wait(&group.master, 1);
    group.master.kill();
    while group.replica.cli(&["role"]).lines().next() != Some("master") {
        let _ = cache.get("k");
    }
    wait(&group.replica, 11);
    assert!(cache.stats().unsubscribed > 0);
}
