//! The server, or the way to it, fails.

use crate::backend::{
    Backend, assert_late, long_deadline, net, short_deadline, socket_path, with_server,
};
use ctu_std::{Cache, CacheExt, NetError};
use ctu_tests::servers::{Server, free_port};
use socket2::{Domain, SockAddr, Socket, Type};
use std::{
    fs,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    thread,
    time::Duration,
};

on_every_backend! {
    operations_fail_until_the_server_starts
    missing_socket_or_host_is_an_error
    operations_fail_while_the_server_is_killed
    restart_while_idle_fails_no_operation
    stopped_server_times_out_and_then_recovers
    unsendable_request_ends_at_the_deadline
    exhausted_pool_is_an_error_at_the_deadline
    full_accept_queue_is_waited_for
}

fn operations_fail_until_the_server_starts<B: Backend>() {
    let port = free_port();
    let cache = long_deadline::<B>(port);
    let error = net(cache.get(b"a")).unwrap_err();
    let text = format!("no {} at 127.0.0.1:{port}: connection refused", B::NAME);
    assert_eq!(error.to_string(), text);
    assert_eq!(error.server().service(), B::NAME);
    assert_eq!(error.server().address(), format!("127.0.0.1:{port}"));
    let NetError::Unreachable { kind, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(kind, io::ErrorKind::ConnectionRefused);
    // Where the port was taken meanwhile, there is no server to be had.
    if let Some(_server) = Server::<B>::on(port, &[]) {
        assert_eq!(cache.get(b"a"), Ok(None));
    }
}

fn missing_socket_or_host_is_an_error<B: Backend>() {
    let error = |address: &str| {
        let cache = B::cache(address, Duration::from_secs(60), 1);
        net(cache.get(b"a")).unwrap_err().to_string()
    };
    let text = format!("no {} at /nowhere/socket: ", B::NAME);
    assert!(error("unix:///nowhere/socket").starts_with(&text));
    let (name, port) = (B::NAME, B::PORT);
    assert_eq!(
        error(&format!("{}://no.such.host.invalid", B::SCHEME)),
        format!("no {name} at no.such.host.invalid:{port}: no such host")
    );
}

fn operations_fail_while_the_server_is_killed<B: Backend>() {
    let (mut server, cache) = with_server::<B>();
    cache.insert(b"a", b"1").unwrap();
    server.kill();
    let found = net(cache.get(b"a"));
    let refused = matches!(found, Err(NetError::Unreachable { .. }));
    assert!(refused, "{found:?}");
    server.start_again();
    assert_eq!(cache.get(b"a"), Ok(None));
}

fn restart_while_idle_fails_no_operation<B: Backend>() {
    let (mut server, cache) = with_server::<B>();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..50).for_each(|_| cache.insert(b"a", b"1").unwrap()));
        }
    });
    for round in 0..3 {
        server.restart();
        // This includes an operation that is never retried.
        assert_eq!(B::once(&cache), Ok(()), "round {round}");
        assert!(B::was_done(&cache));
        assert_eq!(cache.get(b"a"), Ok(None));
        cache.insert(b"a", b"1").unwrap();
        assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    }
}

fn stopped_server_times_out_and_then_recovers<B: Backend>() {
    let (server, long_deadline) = with_server::<B>();
    let short_deadline = short_deadline::<B>(server.port(), 4);
    long_deadline.insert(b"a", b"old").unwrap();
    while short_deadline.get(b"a").is_err() {}
    server.pause();
    let error = net(short_deadline.get(b"a")).unwrap_err();
    assert!(matches!(error, NetError::TimedOut { .. }), "{error}");
    let (name, port) = (B::NAME, server.port());
    let late = format!("{name} at 127.0.0.1:{port} did not answer within 50ms");
    assert_eq!(error.to_string(), late);
    // On a fresh connection too, which the system accepts in the server's name.
    assert_late(short_deadline.get(b"b"));
    server.resume();
    // Late answers are not taken for those of later questions.
    long_deadline.insert(b"b", b"new").unwrap();
    for _ in 0..20 {
        match short_deadline.get(b"b") {
            Ok(value) => assert_eq!(value.as_deref(), Some(&b"new"[..])),
            late => assert_late(late),
        }
    }
}

fn unsendable_request_ends_at_the_deadline<B: Backend>() {
    let server = Server::<B>::with(B::LARGE);
    let cache = short_deadline::<B>(server.port(), 1);
    server.pause();
    // More than the system keeps for a server that does not read.
    assert_late(cache.insert_entry(b"a", vec![0; 32 << 20], None));
    server.resume();
    while cache.get(b"a").is_err() {}
    // The half of it that was sent is no entry.
    assert_eq!(long_deadline::<B>(server.port()).get(b"a"), Ok(None));
}

fn exhausted_pool_is_an_error_at_the_deadline<B: Backend>() {
    let server = Server::<B>::start();
    let cache = short_deadline::<B>(server.port(), 1);
    server.pause();
    thread::scope(|scope| {
        let all: Vec<_> = (0..3).map(|_| scope.spawn(|| cache.get(b"a"))).collect();
        for one in all {
            match net(one.join().unwrap()) {
                Err(NetError::TimedOut { .. } | NetError::PoolTimedOut { size: Some(1), .. }) => {}
                found => panic!("{found:?}"),
            }
        }
    });
}

fn full_accept_queue_is_waited_for<B: Backend>() {
    let path = socket_path("queue");
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    listener.listen(0).unwrap();
    // The backlog has room for one pending connection.
    let _first = UnixStream::connect(&path).unwrap();
    let address = format!("unix://{}", path.display());
    let short_deadline = B::cache(&address, Duration::from_millis(50), 1);
    assert_late(short_deadline.get(b"a"));
    drop(short_deadline);
    let long_deadline = B::cache(&address, Duration::from_secs(60), 1);
    thread::scope(|scope| {
        let found = scope.spawn(|| long_deadline.get(b"a"));
        let _first = listener.accept().unwrap();
        // The attempt of the other cache may outlive its operation; it ends without a request.
        let mut connection = loop {
            let (mut connection, _) = listener.accept().unwrap();
            // An answer before its request belongs to no request.
            if connection.read(&mut [0; 64]).unwrap() > 0 {
                break connection;
            }
        };
        connection.write_all(&B::get_answer(b"1")).unwrap();
        assert_eq!(found.join().unwrap(), Ok(Some(b"1".to_vec())));
    });
    fs::remove_file(&path).unwrap();
}
