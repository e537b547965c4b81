use super::*;
use std::{
    io::{Read, Write},
    sync::mpsc::{self, Receiver},
};

const HOUR: Duration = Duration::from_secs(3600);

/// A server that answers each request with the same bytes, and the requests that it has read.
fn echo() -> (FaultProxy, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let proxy = FaultProxy::new(listener.local_addr().unwrap()).unwrap();
    let (sent, requests) = mpsc::channel();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let sent = sent.clone();
            thread::spawn(move || {
                let mut buffer = [0; 64];
                while let Ok(len @ 1..) = client.read(&mut buffer) {
                    // The test may have ended.
                    let _ = sent.send(buffer[..len].to_vec());
                    if client.write_all(&buffer[..len]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    (proxy, requests)
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).unwrap()
}

/// Sends four bytes, and reads as many.
fn exchange(mut client: &TcpStream) -> io::Result<[u8; 4]> {
    client.write_all(b"ping")?;
    let mut reply = [0; 4];
    client.read_exact(&mut reply)?;
    Ok(reply)
}

/// The bytes that arrive until the connection is closed.
fn rest(mut client: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // The end may be a reset.
    let _ = client.read_to_end(&mut bytes);
    bytes
}

fn works(proxy: &FaultProxy) -> bool {
    exchange(&connect(proxy)).is_ok_and(|reply| reply == *b"ping")
}

#[test]
fn bytes_pass_without_a_fault() {
    let (proxy, _requests) = echo();
    let client = connect(&proxy);
    for _ in 0..3 {
        assert_eq!(exchange(&client).unwrap(), *b"ping");
    }
}

#[test]
fn closed_network_closes_open_and_new_connections() {
    let (proxy, _requests) = echo();
    let client = connect(&proxy);
    exchange(&client).unwrap();
    proxy.fail(NetworkFault::Closed);
    assert_eq!(rest(&client), b"");
    assert!(!works(&proxy));
    proxy.work();
    assert!(works(&proxy));
}

#[test]
fn black_hole_swallows_requests_and_keeps_its_connections() {
    let (proxy, requests) = echo();
    let mut client = connect(&proxy);
    exchange(&client).unwrap();
    requests.recv().unwrap();
    proxy.fail(NetworkFault::BlackHole);
    client.write_all(b"lost").unwrap();
    // A connection from before, and one from meanwhile: neither has an answer, also later.
    let other = connect(&proxy);
    (&other).write_all(b"lost").unwrap();
    // The bytes of both are lost before the fault ends.
    while !has_lost(&proxy, 2) {
        thread::yield_now();
    }
    proxy.work();
    assert!(works(&proxy));
    client.write_all(b"late").unwrap();
    proxy.close_connections();
    assert_eq!((rest(&client), rest(&other)), (vec![], vec![]));
    let seen: Vec<_> = requests.try_iter().collect();
    assert_eq!(seen, [b"ping"]);
}

/// Whether as many connections have lost bytes of requests.
fn has_lost(proxy: &FaultProxy, connections: usize) -> bool {
    let state = proxy.shared.state.lock();
    let lost = state.open.values();
    lost.filter(|connection| connection.loses(Direction::Requests))
        .count()
        == connections
}

#[test]
fn lost_replies_leave_the_request_done() {
    let (proxy, requests) = echo();
    proxy.fail(NetworkFault::RepliesLost);
    let mut client = connect(&proxy);
    client.write_all(b"ping").unwrap();
    assert_eq!(requests.recv().unwrap(), b"ping");
    // Its connection stays without replies, and requests arrive.
    let loses = || {
        let state = proxy.shared.state.lock();
        let mut open = state.open.values();
        open.any(|connection| connection.loses(Direction::Replies))
    };
    while !loses() {
        thread::yield_now();
    }
    proxy.work();
    client.write_all(b"more").unwrap();
    assert_eq!(requests.recv().unwrap(), b"more");
    proxy.close_connections();
    assert_eq!(rest(&client), b"");
}

#[test]
fn delayed_reply_arrives_when_the_delay_ends() {
    let (proxy, requests) = echo();
    proxy.fail(NetworkFault::Delay(HOUR));
    let mut client = connect(&proxy);
    client.write_all(b"ping").unwrap();
    requests.recv().unwrap();
    proxy.work();
    let mut reply = [0; 4];
    client.read_exact(&mut reply).unwrap();
    assert_eq!(reply, *b"ping");
    // An end of the connection ends the delay, too: its reply is lost.
    proxy.fail(NetworkFault::Delay(HOUR));
    client.write_all(b"pong").unwrap();
    requests.recv().unwrap();
    proxy.close_connections();
    assert_eq!(rest(&client), b"");
    // A short delay ends by itself.
    proxy.fail(NetworkFault::Delay(Duration::from_nanos(1)));
    assert!(works(&proxy));
}

#[test]
fn flapping_network_closes_each_connection_after_a_reply() {
    let (proxy, _requests) = echo();
    proxy.fail(NetworkFault::ClosedAfterReply);
    for _ in 0..3 {
        let mut client = connect(&proxy);
        client.write_all(b"ping").unwrap();
        assert_eq!(rest(&client), b"ping");
    }
}

#[test]
fn fault_is_limited_to_selected_connections() {
    let (proxy, requests) = echo();
    proxy.select(b"TRACK");
    let (plain, mut tracking) = (connect(&proxy), connect(&proxy));
    tracking.write_all(b"TRACKING").unwrap();
    let mut reply = [0; 8];
    tracking.read_exact(&mut reply).unwrap();
    requests.recv().unwrap();
    proxy.fail(NetworkFault::BlackHole);
    assert_eq!(exchange(&plain).unwrap(), *b"ping");
    tracking.write_all(b"lost").unwrap();
    while !has_lost(&proxy, 1) {
        thread::yield_now();
    }
    proxy.fail(NetworkFault::Closed);
    assert_eq!(exchange(&plain).unwrap(), *b"ping");
    tracking.write_all(b"closed").unwrap();
    assert_eq!(rest(&tracking), b"");
    let seen: Vec<_> = requests.try_iter().collect();
    assert_eq!(seen, [b"ping", b"ping"]);
}

#[test]
fn stream_fails_once_at_the_chosen_byte() {
    let (proxy, requests) = echo();
    for (fault, arrived) in [
        (StreamFault::Close, &b"pi"[..]),
        (StreamFault::Reset, b"pi"),
        (StreamFault::Insert(b"--"), b"pi--ng"),
    ] {
        proxy.fail_reply_after(2, fault);
        let mut client = connect(&proxy);
        client.write_all(b"ping").unwrap();
        let mut bytes = vec![0; arrived.len()];
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, arrived, "{fault:?}");
        proxy.close_connections();
        assert_eq!(rest(&client), b"", "{fault:?}");
        assert!(proxy.has_failed() && works(&proxy), "{fault:?}");
    }
    proxy.fail_request_after(1, StreamFault::Hold);
    let mut client = connect(&proxy);
    client.write_all(b"held").unwrap();
    while requests.recv().unwrap() != b"h" {}
    assert!(proxy.has_failed());
    proxy.release();
    assert_eq!(requests.recv().unwrap(), b"eld");
}

#[test]
fn connection_is_reset_above_its_limit() {
    let (proxy, requests) = echo();
    proxy.limit_requests(4);
    let mut client = connect(&proxy);
    assert_eq!(exchange(&client).unwrap(), *b"ping");
    client.write_all(b"more").unwrap();
    assert_eq!(rest(&client), b"");
    assert!(works(&proxy));
    let seen: Vec<_> = requests.try_iter().collect();
    assert_eq!(seen, [b"ping", b"ping"]);
}

#[test]
fn new_connections_lead_to_the_server_of_that_time() {
    let (proxy, _requests) = echo();
    let (other, requests) = echo();
    let client = connect(&proxy);
    exchange(&client).unwrap();
    proxy.set_server(other.address()).unwrap();
    assert!(works(&proxy));
    assert_eq!(requests.try_iter().count(), 1);
    exchange(&client).unwrap();
    assert_eq!(requests.try_iter().count(), 0);
    let unknown = proxy.set_server("localhost:no-port");
    assert!(unknown.is_err());
    assert!(works(&proxy));
}

#[test]
fn dropped_proxy_closes_its_connections_and_its_port() {
    let (proxy, _requests) = echo();
    let client = connect(&proxy);
    exchange(&client).unwrap();
    let (address, shared) = (proxy.address(), Arc::downgrade(&proxy.shared));
    drop(proxy);
    assert_eq!(rest(&client), b"");
    // Each thread ends.
    while shared.strong_count() > 0 {
        thread::yield_now();
    }
    assert!(TcpStream::connect(address).is_err());
}
