//! The server, or the way to it, fails.

use crate::{raw, secs, shown};
use ctu_std::{Cache, CacheError, MemCached, MemCachedError, NetError, RawMemCached};
use ctu_tests::servers::{MemcachedServer, Parrot, free_port};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{io, thread, time::Duration};

/// A cache that gives up soon, for servers that do not answer.
fn hasty(address: &str, connections: usize) -> RawMemCached {
    MemCached::builder(address)
        .raw()
        .pool_size(connections)
        .deadline(Duration::from_millis(50))
        .build()
        .expect("a good address")
}

fn of_parrot(parrot: &Parrot) -> RawMemCached {
    raw(&format!("127.0.0.1:{}", parrot.port()))
}

#[test]
fn no_server_at_start_is_an_error_of_operations_until_it_is_there() {
    let port = free_port();
    let cache = raw(&format!("127.0.0.1:{port}"));
    let error = cache.get(b"a").unwrap_err();
    let refused = matches!(
        error,
        MemCachedError::Net(NetError::Unreachable {
            kind: io::ErrorKind::ConnectionRefused,
            ..
        })
    );
    assert!(refused, "{error}");
    let text = format!("no Memcached at 127.0.0.1:{port}: connection refused");
    assert_eq!(shown(error), text);
    // Where the port was taken meanwhile, there is no server to be had.
    if let Some(_server) = MemcachedServer::on(port, &[]) {
        assert_eq!(cache.get(b"a"), Ok(None));
    }
}

#[test]
fn no_socket_and_no_host_are_errors() {
    let error = raw("unix:///nowhere/m.sock").get(b"a").unwrap_err();
    assert!(shown(error).starts_with("no Memcached at /nowhere/m.sock: "));
    let error = raw("no.such.host.invalid").get(b"a").unwrap_err();
    let host = "no Memcached at no.such.host.invalid:11211: no such host";
    assert_eq!(shown(error), host);
}

#[test]
fn a_killed_server_is_an_error_until_it_is_back() {
    let mut server = MemcachedServer::start();
    let cache = raw(&server.address());
    cache.insert(b"a", b"1").unwrap();
    server.kill();
    let error = cache.get(b"a").unwrap_err();
    let refused = matches!(error, MemCachedError::Net(NetError::Unreachable { .. }));
    assert!(refused, "{error}");
    assert!(error.is_outage());
    server.start_again();
    assert_eq!(cache.get(b"a"), Ok(None));
}

#[test]
fn a_restart_while_connections_idle_costs_no_operation() {
    let mut server = MemcachedServer::start();
    let cache = raw(&server.address());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..50).for_each(|_| cache.insert(b"a", b"1").unwrap()));
        }
    });
    for round in 0..3 {
        server.restart();
        // What is never repeated, too.
        assert_eq!(cache.add(b"a", b"1", None), Ok(true), "round {round}");
        assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    }
}

#[test]
fn a_stopped_server_is_too_late_and_then_as_before() {
    let server = MemcachedServer::start();
    let patient = raw(&server.address());
    let hasty = hasty(&server.address(), 4);
    patient.insert(b"a", b"old").unwrap();
    while hasty.get(b"a").is_err() {}
    server.pause();
    let error = hasty.get(b"a").unwrap_err();
    assert!(matches!(
        error,
        MemCachedError::Net(NetError::TimedOut { .. })
    ));
    let late = format!(
        "Memcached at {} did not answer within 50ms",
        server.address()
    );
    assert_eq!(shown(error), late);
    // On a fresh connection too, which the system accepts in the server's name.
    let found = hasty.get(b"b");
    assert!(matches!(
        found,
        Err(MemCachedError::Net(NetError::TimedOut { .. }))
    ));
    server.resume();
    // Late answers are not taken for those of later questions.
    patient.insert(b"b", b"new").unwrap();
    for _ in 0..20 {
        match hasty.get(b"b") {
            Ok(value) => assert_eq!(value.as_deref(), Some(&b"new"[..])),
            Err(error) => assert!(matches!(
                error,
                MemCachedError::Net(NetError::TimedOut { .. })
            )),
        }
    }
}

#[test]
fn a_request_that_cannot_be_sent_is_cut_by_the_deadline() {
    let server = MemcachedServer::with(&["-I", "64m", "-m", "256"]);
    let hasty = MemCached::builder(&server.address())
        .raw()
        .max_item(64 << 20)
        .deadline(Duration::from_millis(50));
    let hasty = hasty.build().unwrap();
    server.pause();
    // More than the system keeps for a server that does not read.
    let error = hasty.put(b"a", vec![0; 32 << 20], None).unwrap_err();
    let late = matches!(error, MemCachedError::Net(NetError::TimedOut { .. }));
    assert!(late, "{error}");
    server.resume();
    while hasty.get(b"a").is_err() {}
    // The half of it that was sent is no entry.
    assert_eq!(raw(&server.address()).get(b"a"), Ok(None));
}

#[test]
fn a_pool_in_use_is_an_error_by_the_deadline() {
    let server = MemcachedServer::start();
    let cache = hasty(&server.address(), 1);
    server.pause();
    thread::scope(|scope| {
        let all: Vec<_> = (0..3).map(|_| scope.spawn(|| cache.get(b"a"))).collect();
        for one in all {
            let error = one.join().unwrap().unwrap_err();
            let expected = matches!(
                error,
                MemCachedError::Net(NetError::TimedOut { .. } | NetError::PoolTimedOut { .. })
            );
            assert!(expected, "{error}");
        }
    });
}

#[test]
fn a_server_with_too_many_clients_is_told() {
    // It counts some places of its own.
    let server = MemcachedServer::with(&["-c", "64"]);
    let held: Vec<_> = (0..64).map(|_| raw(&server.address())).collect();
    let found: Vec<_> = held.iter().map(|cache| cache.get(b"a")).collect();
    let told = |found: &Result<_, _>| {
        matches!(
            found,
            Err(MemCachedError::Net(NetError::TooManyClients { .. }))
        )
    };
    assert_eq!(found[0], Ok(None));
    assert!(found.iter().any(told), "{found:?}");
    assert!(
        found.iter().all(|found| found.is_ok() || told(found)),
        "{found:?}"
    );
    assert_eq!(held[0].get(b"a"), Ok(None));
}

#[test]
fn an_answer_that_never_ends_is_cut_by_the_deadline() {
    // b85 of "b'a'", as Python writes the key.
    let head = "VALUE Vp-Z^ 1 1000000000\r\n";
    let head = head.replace("Vp-Z^", std::str::from_utf8(&key(b"a")).unwrap());
    let parrot = Parrot::dribbling(head).unwrap();
    let cache = MemCached::builder(&format!("127.0.0.1:{}", parrot.port())).raw();
    let cache = cache.deadline(Duration::from_millis(100)).build().unwrap();
    let error = cache.get(b"a").unwrap_err();
    let late = matches!(error, MemCachedError::Net(NetError::TimedOut { .. }));
    assert!(late, "{error}");
}

/// A key of a raw cache, as it is on the server.
fn key(key: &[u8]) -> Vec<u8> {
    let text = ctu_std::StrKey::text(key);
    ctu_std::memcached::encode_key("", &text).unwrap()
}

#[test]
fn every_truncation_of_an_answer_is_an_error() {
    let key = String::from_utf8(key(b"a")).unwrap();
    let get = format!("VALUE {key} 1 5\r\nvalue\r\nEND\r\n");
    let meta = format!("VA 5 k{key} f1 t50\r\nvalue\r\n");
    let lost = |end: usize, found: Result<(), MemCachedError>| {
        let lost = matches!(found, Err(MemCachedError::Net(NetError::Lost { .. })));
        assert!(lost, "{end}: {found:?}");
    };
    for end in 0..get.len() {
        let parrot = Parrot::start(&get[..end]).unwrap();
        lost(end, of_parrot(&parrot).get(b"a").map(drop));
    }
    for end in 0..meta.len() {
        let parrot = Parrot::start(&meta[..end]).unwrap();
        lost(end, of_parrot(&parrot).get_with_ttl(b"a").map(drop));
    }
    for end in 0..b"STORED\r\n".len() {
        let parrot = Parrot::start(&b"STORED\r\n"[..end]).unwrap();
        lost(end, of_parrot(&parrot).insert(b"a", b"1"));
    }
    let parrot = Parrot::start(get).unwrap();
    assert_eq!(of_parrot(&parrot).get(b"a"), Ok(Some(b"value".to_vec())));
    let parrot = Parrot::start(meta).unwrap();
    let found = of_parrot(&parrot).get_with_ttl(b"a");
    assert_eq!(found, Ok(Some((b"value".to_vec(), Some(secs(50))))));
}

#[test]
fn whatever_else_answers_is_an_error() {
    let own = String::from_utf8(key(b"a")).unwrap();
    for garbage in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "+OK\r\n",
        "STORED\r\n",
        "END\r\nEND\r\n",
        "VALUE other 1 1\r\nx\r\nEND\r\n",
        "VALUE {own} 1 1\r\nxy\r\nEND\r\n",
        "VALUE {own} 1 99999999999999999999\r\n",
        "VALUE {own} 1 2000000000\r\n",
        "VALUE {own} -1 1\r\nx\r\nEND\r\n",
        "VALUE {own} 99999999999 1\r\nx\r\nEND\r\n",
        "VALUE {own} 1\r\nx\r\nEND\r\n",
        "VALUE {own} 1 1\r\nx\r\nVALUE {own} 1 1\r\ny\r\nEND\r\n",
        "VALUE {own} 1 1\nx\nEND\n",
        "VA 1\r\nx\r\n",
        "\0\0\0\0",
        "\r\n",
        "END \r\n",
        "SERVER_ERROR\r\n",
        "ERROR\r\n",
        "CLIENT_ERROR bad\x1b command\r\n",
    ] {
        let parrot = Parrot::start(garbage.replace("{own}", &own)).unwrap();
        let found = of_parrot(&parrot).get(b"a");
        match found {
            Err(
                MemCachedError::Net(NetError::Protocol { .. } | NetError::Lost { .. })
                | MemCachedError::Server { .. },
            ) => {}
            _ => panic!("{garbage:?}: {found:?}"),
        }
    }
}

#[test]
fn a_refusal_and_more_is_no_refusal() {
    // Were the connection kept, the rest would answer the next operation.
    let parrot = Parrot::start("SERVER_ERROR object too large for cache\r\nSTORED\r\n").unwrap();
    let error = of_parrot(&parrot).insert(b"a", b"1").unwrap_err();
    let told = matches!(error, MemCachedError::Net(NetError::Protocol { .. }));
    assert!(told, "{error}");
}

#[test]
fn random_bytes_are_errors() {
    let own = key(b"a");
    let head = [b"VALUE ", &*own, b" 1 1\r\n"].concat();
    let parts: [&[u8]; 9] = [
        b"VALUE ", b"END\r\n", b"\r\n", b" 1 ", b"VA ", b"-1", b"STORED", &own, &head,
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
        // What is no answer by any chance.
        bytes.push(b'?');
        let parrot = Parrot::start(bytes.clone()).unwrap();
        let cache = of_parrot(&parrot);
        let found = cache.get(b"a").map(drop);
        assert!(found.is_err(), "{round}: {bytes:?}");
        assert!(cache.get_many_with_ttl(&[b"a", b"b"]).is_err());
        assert!(cache.insert(b"a", b"1").is_err());
        assert!(cache.stats().is_err());
    }
}
