//! A node that reads one key again and again, in this process or in another.

use crate::millis;
use ctu_std::{
    Cache, CacheExt, ConcurrentCache, NoClock, PrefixedRedisCache, RedisCache, TwoLevelCache,
};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
    time::{Duration, SystemTime},
};

const PORT: &str = "CTU_READER_PORT";

pub(crate) const BOUND: Duration = millis(300);

/// The time of day in microseconds: the clock that all processes share.
pub(crate) fn now() -> u64 {
    let time = SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970");
    time.as_micros() as u64
}

/// By value, the beginning of the last read with that answer.
#[derive(Default)]
pub(crate) struct Log(pub(crate) HashMap<u64, u64>);

pub(crate) type Node =
    TwoLevelCache<ConcurrentCache<String, u64, NoClock>, PrefixedRedisCache<str, u64>>;

pub(crate) fn node(port: u16) -> Node {
    let builder = RedisCache::builder(format!("redis://127.0.0.1:{port}")).prefix("app.");
    let second = builder
        .no_ttl()
        .deadline(millis(100))
        .connect_deadline(millis(100));
    let first = ConcurrentCache::<String, u64>::with_capacity(1_000);
    TwoLevelCache::builder(first, second.build().expect("a good address"))
        .resilient()
        .open_for(millis(5), millis(50))
        .invalidation_bound(BOUND)
        .build()
}

/// Reads until `done`. Now and then it writes a key of its own.
pub(crate) fn read(node: &Node, own: &str, done: &AtomicBool) -> Log {
    let mut log = Log::default();
    let mut count = 0_u64;
    while !done.load(SeqCst) {
        let began = now();
        if let Some(value) = node.get("k").expect("a resilient cache") {
            log.0.insert(value, began);
        }
        count += 1;
        if count.is_multiple_of(1_000) {
            node.insert(own, count).expect("a resilient cache");
            thread::yield_now();
        }
    }
    log
}

/// A second process: this test program again.
pub(crate) struct Other(Child);

impl Other {
    pub(crate) fn start(port: u16) -> Self {
        let program = std::env::current_exe().expect("this program");
        let child = Command::new(program)
            .args(["reader::second_process", "--exact", "--nocapture"])
            .env(PORT, port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Self(child.expect("a second process"))
    }

    /// Stops all of its threads (SIGSTOP), or lets them go on.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.0.id().to_string();
        let status = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(status.expect("kill").success());
    }

    pub(crate) fn end(mut self) -> Log {
        drop(self.0.stdin.take());
        let output = self.0.stdout.take().expect("its output");
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        let told = lines.filter_map(|line| {
            let (value, last) = line.strip_prefix("read ")?.split_once(' ')?;
            Some((value.parse().ok()?, last.parse().ok()?))
        });
        let log = Log(told.collect());
        assert!(self.0.wait().expect("its end").success());
        log
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The entry point of the second process. On its own it does nothing.
#[test]
fn second_process() {
    let port = std::env::var(PORT).ok().and_then(|port| port.parse().ok());
    let Some(port) = port else { return };
    let node = node(port);
    let done = AtomicBool::new(false);
    let log = thread::scope(|scope| {
        let reading = scope.spawn(|| read(&node, "child", &done));
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        done.store(true, SeqCst);
        reading.join().expect("no panic")
    });
    for (value, last) in log.0 {
        println!("read {value} {last}");
    }
}
