//! Faults of a whole process: `fork` and signals. A test among threads cannot run them, so the
//! program `process` does.

use crate::backend::{Backend, address, socket_path};
use ctu_tests::servers::{MemcachedServer, RedisServer, Server};
use std::process::{Command, Stdio};

on_every_blocking_backend! {
    a_forked_child_never_uses_the_connections_of_its_parent
    a_child_that_is_forked_beside_busy_threads_works
    a_closed_connection_raises_no_signal
}

fn run(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_process"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
}

fn a_forked_child_never_uses_the_connections_of_its_parent<B: Backend>() {
    let server = Server::<B>::start();
    run(&["fork", &address::<B>(server.port())]);
}

fn a_child_that_is_forked_beside_busy_threads_works<B: Backend>() {
    let server = Server::<B>::start();
    run(&["fork-with-threads", &address::<B>(server.port())]);
}

fn a_closed_connection_raises_no_signal<B: Backend>() {
    let socket = socket_path("sigpipe");
    run(&["sigpipe", B::SCHEME, &socket.display().to_string()]);
    std::fs::remove_file(socket).expect("the socket");
}

#[test]
fn a_given_connection_is_not_used_by_a_forked_child() {
    let server = RedisServer::start();
    run(&["fork-given", &server.url()]);
}

#[test]
fn a_memcache_client_is_not_used_by_a_forked_child() {
    let server = MemcachedServer::start();
    run(&["fork-client", &format!("memcache://{}", server.address())]);
}
