//! The server, or the way to it, fails.

use crate::{raw, shown};
use ctu_std::CacheError as _;
use ctu_std::{Cache, NetError, RawRedisCache, RedisCache, RedisError};
use ctu_tests::servers::{Parrot, RedisServer, free_port};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{io, thread, time::Duration};

/// A cache that gives up soon, for servers that do not answer.
fn hasty(url: &str, connections: usize) -> RawRedisCache {
    RedisCache::builder(url)
        .raw()
        .pool_size(connections)
        .deadline(Duration::from_millis(50))
        .build()
        .expect("a good address")
}

#[test]
fn no_server_at_start_is_an_error_of_operations_until_it_is_there() {
    let port = free_port();
    let cache = raw(&format!("redis://127.0.0.1:{port}"));
    let error = cache.get(b"a").unwrap_err();
    let refused = matches!(
        error,
        RedisError::Net(NetError::Unreachable {
            kind: io::ErrorKind::ConnectionRefused,
            ..
        })
    );
    assert!(refused, "{error}");
    let text = format!("no Redis at 127.0.0.1:{port}: connection refused");
    assert_eq!(shown(error), text);
    // Where the port was taken meanwhile, there is no server to be had.
    if let Some(_server) = RedisServer::on(port, &[]) {
        assert_eq!(cache.get(b"a"), Ok(None));
    }
}

#[test]
fn no_socket_and_no_host_are_errors() {
    let error = raw("unix:///nowhere/redis.sock").get(b"a").unwrap_err();
    assert!(shown(error).starts_with("no Redis at /nowhere/redis.sock: "));
    let error = raw("redis://no.such.host.invalid").get(b"a").unwrap_err();
    let host = "no Redis at no.such.host.invalid:6379: no such host";
    assert_eq!(shown(error), host);
}

#[test]
fn a_killed_server_is_an_error_until_it_is_back() {
    let mut server = RedisServer::start();
    let cache = raw(&server.url());
    cache.insert(b"a", b"1").unwrap();
    server.kill();
    let error = cache.get(b"a").unwrap_err();
    assert!(
        matches!(error, RedisError::Net(NetError::Unreachable { .. })),
        "{error}"
    );
    assert!(error.is_outage());
    server.start_again();
    assert_eq!(cache.get(b"a"), Ok(None));
}

#[test]
fn a_restart_while_connections_idle_costs_no_operation() {
    let mut server = RedisServer::start();
    let cache = raw(&server.url());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..50).for_each(|_| cache.insert(b"a", b"1").unwrap()));
        }
    });
    for round in 0..3 {
        server.restart();
        assert_eq!(cache.pop(b"a"), Ok(None), "round {round}");
        cache.insert(b"a", b"1").unwrap();
        assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    }
}

#[test]
fn a_connection_that_the_server_closed_costs_no_operation() {
    let server = RedisServer::start();
    let cache = raw(&server.url());
    for _ in 0..10 {
        cache.insert(b"a", b"1").unwrap();
        server.cli(&["client", "kill", "type", "normal", "skipme", "yes"]);
        assert_eq!(cache.pop(b"a"), Ok(Some(b"1".to_vec())));
    }
}

#[test]
fn a_stopped_server_is_too_late_and_then_as_before() {
    let server = RedisServer::start();
    let patient = raw(&server.url());
    let hasty = hasty(&server.url(), 4);
    patient.insert(b"a", b"old").unwrap();
    while hasty.get(b"a").is_err() {}
    server.pause();
    let error = hasty.get(b"a").unwrap_err();
    assert!(matches!(error, RedisError::Net(NetError::TimedOut { .. })));
    let late = format!(
        "Redis at 127.0.0.1:{} did not answer within 50ms",
        server.port()
    );
    assert_eq!(shown(error), late);
    // On a fresh connection too, which the system accepts in the server's name.
    assert!(matches!(
        hasty.get(b"b"),
        Err(RedisError::Net(NetError::TimedOut { .. }))
    ));
    server.resume();
    // Late answers are not taken for those of later questions.
    patient.insert(b"b", b"new").unwrap();
    for _ in 0..20 {
        match hasty.get(b"b") {
            Ok(value) => assert_eq!(value.as_deref(), Some(&b"new"[..])),
            Err(error) => assert!(matches!(error, RedisError::Net(NetError::TimedOut { .. }))),
        }
    }
}

#[test]
fn a_request_that_cannot_be_sent_is_cut_by_the_deadline() {
    let server = RedisServer::start();
    let cache = hasty(&server.url(), 1);
    server.pause();
    // More than the system keeps for a server that does not read.
    let error = cache.put(b"a", vec![0; 32 << 20], None).unwrap_err();
    assert!(
        matches!(error, RedisError::Net(NetError::TimedOut { .. })),
        "{error}"
    );
    server.resume();
    while cache.get(b"a").is_err() {}
    // The half of it that was sent is no entry.
    assert_eq!(raw(&server.url()).get(b"a"), Ok(None));
}

#[test]
fn a_pool_in_use_is_an_error_by_the_deadline() {
    let server = RedisServer::start();
    let cache = hasty(&server.url(), 1);
    server.pause();
    thread::scope(|scope| {
        let all: Vec<_> = (0..3).map(|_| scope.spawn(|| cache.get(b"a"))).collect();
        for one in all {
            let error = one.join().unwrap().unwrap_err();
            let expected = matches!(
                error,
                RedisError::Net(NetError::TimedOut { .. } | NetError::PoolTimedOut { .. })
            );
            assert!(expected, "{error}");
        }
    });
}

#[test]
fn an_answer_that_never_ends_is_cut_by_the_deadline() {
    // A byte now and then would renew a timeout of the operating system each time.
    let parrot = Parrot::dribbling(b"$1000000000\r\n").unwrap();
    let cache = RedisCache::builder(&parrot.url()).raw();
    let cache = cache.deadline(Duration::from_millis(100)).build().unwrap();
    let error = cache.get(b"a").unwrap_err();
    assert!(
        matches!(error, RedisError::Net(NetError::TimedOut { .. })),
        "{error}"
    );
}

#[test]
fn whatever_else_answers_is_an_error() {
    let cut = b"*2\r\n$1\r\na\r\n$1\r\nb\r\n";
    for end in 0..cut.len() {
        let parrot = Parrot::start(&cut[..end]).unwrap();
        let found = raw(&parrot.url()).get_many(&[b"k", b"l"]);
        let lost = matches!(found, Err(RedisError::Net(NetError::Lost { .. })));
        assert!(lost, "{end}: {found:?}");
    }
    for garbage in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"+OK\r\n",
        b":1\r\n",
        b"*1\r\n$1\r\na\r\n",
        b"$1\r\nab\r\n",
        b"$99999999999\r\n",
        b"$1\r\na\r\n$1\r\nb\r\n",
        b"\0\0\0\0",
        b"\xff\xfe\r\n",
    ] {
        let parrot = Parrot::start(garbage).unwrap();
        let found = raw(&parrot.url()).get(b"key");
        match found {
            Err(RedisError::Net(NetError::Protocol { .. } | NetError::Lost { .. })) => {}
            _ => panic!("{garbage:?}: {found:?}"),
        }
    }
}

#[test]
fn random_bytes_are_errors() {
    let parts: [&[u8]; 12] = [
        b"$",
        b"*",
        b":",
        b"+",
        b"-",
        b"-1",
        b"\r\n",
        b"1",
        b"$1\r\na\r\n",
        b"*2\r\n",
        b"OK",
        b"-ERR ",
    ];
    let mut random = StdRng::seed_from_u64(11);
    for round in 0..300 {
        let mut bytes = Vec::new();
        for _ in 0..random.random_range(0..12) {
            if random.random() {
                bytes.extend_from_slice(parts[random.random_range(0..parts.len())]);
            } else {
                bytes.extend((0..random.random_range(0..9)).map(|_| random.random::<u8>()));
            }
        }
        // What is no reply by any chance.
        bytes.push(b'?');
        let parrot = Parrot::start(bytes.clone()).unwrap();
        let cache = raw(&parrot.url());
        assert!(cache.get(b"a").is_err(), "{round}: {bytes:?}");
        assert!(cache.get_many_with_ttl(&[b"a", b"b"]).is_err());
        assert!(cache.insert(b"a", b"1").is_err());
        assert!(cache.keys().next().is_some_and(|key| key.is_err()));
    }
}
