//! A plain Python program (redis-py) as the author of the writes.

use crate::{
    author::Author,
    reader::{node, read},
};
use ctu_std::TrackingState;
use ctu_tests::servers::RedisServer;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
};

const PROGRAM: &str = "
import sys, redis
server = redis.Redis(port=int(sys.argv[1]))
for line in sys.stdin:
    server.set('app.k', line.strip())
    print('done', flush=True)
";

#[test]
fn writes_of_python_are_seen_within_the_bound() {
    let server = RedisServer::start();
    let python = std::env::var_os("CTU_PYTHON").expect("CTU_PYTHON: see tests/run interop");
    let mut child = Command::new(python)
        .args(["-c", PROGRAM, &server.port().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python");
    let mut orders = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let (node, author, done) = (
        node(server.port()),
        Author::default(),
        AtomicBool::new(false),
    );
    let log = thread::scope(|scope| {
        let reading = scope.spawn(|| read(&node, "parent", &done));
        while node.stats().tracking != TrackingState::Subscribed {
            thread::yield_now();
        }
        for _ in 0..2_000 {
            author.event(|number| {
                writeln!(orders, "{number}").unwrap();
                answers.next().unwrap().unwrap() == "done"
            });
        }
        done.store(true, SeqCst);
        reading.join().unwrap()
    });
    drop(orders);
    assert!(child.wait().unwrap().success());
    assert!(author.check(&log) > 10);
    let stats = node.stats();
    assert!(
        stats.first_hits > 100 && stats.invalidated > 10,
        "{stats:?}"
    );
}
