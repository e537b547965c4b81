//! Large values beside small ones.

use crate::{on_both, raw};
use ctu_std::{AsyncCache, AsyncCacheExt, AsyncRawMemCached, MemCached};
use ctu_tests::{
    cancel::poll_at_most,
    fake::Fake,
    servers::{MemcachedServer, RedisServer},
};
use std::sync::{
    Arc, Condvar, Mutex,
    atomic::{AtomicBool, Ordering::SeqCst},
};

const LARGE: usize = 1 << 20;

/// A gate that replies wait for while it is closed.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn close(&self, closed: bool) {
        *self.0.lock().unwrap() = closed;
        self.1.notify_all();
    }

    fn pass(&self) {
        let closed = self.0.lock().unwrap();
        drop(self.1.wait_while(closed, |closed| *closed).unwrap());
    }
}

#[test]
fn small_values_do_not_wait_behind_a_large_one() {
    let gate = Arc::new(Gate::default());
    let own = gate.clone();
    let server = Fake::start(move |_, command| match command {
        "GET large" => {
            own.pass();
            format!("${LARGE}\r\n{}\r\n", "x".repeat(LARGE))
        }
        _ => "$1\r\na\r\n".into(),
    });
    on_both(|| async {
        gate.close(false);
        let cache = raw(server.port, 3);
        // The first read finds that the value is large.
        assert_eq!(cache.get(b"large").await.unwrap().unwrap().len(), LARGE);
        gate.close(true);
        let before = server.count("GET large");
        let large = cache.clone();
        let ended = Arc::new(AtomicBool::new(false));
        let has_ended = ended.clone();
        let large = tokio::spawn(async move {
            let found = large.get(b"large").await;
            has_ended.store(true, SeqCst);
            found
        });
        while server.count("GET large") < before + 1 {
            tokio::task::yield_now().await;
        }
        for n in 0..100_u8 {
            assert_eq!(cache.get(&[n]).await, Ok(Some(b"a".to_vec())));
        }
        assert!(!ended.load(SeqCst));
        gate.close(false);
        assert_eq!(large.await.unwrap().unwrap().unwrap().len(), LARGE);
    });
}

#[test]
fn small_values_do_not_wait_behind_a_large_write() {
    let gate = Arc::new(Gate::default());
    let own = gate.clone();
    let server = Fake::start(move |_, command| {
        if command.starts_with("SET large xxx") {
            own.pass();
        }
        match command.starts_with("SET") {
            true => "+OK\r\n".into(),
            false => "$1\r\na\r\n".into(),
        }
    });
    on_both(|| async {
        gate.close(true);
        let cache = raw(server.port, 3);
        let before = server.count("SET large xxx");
        let sent = async |command: &str, count: usize| {
            while server.count(command) < count {
                tokio::task::yield_now().await;
            }
        };
        let write = |byte, len| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.insert(b"large", &vec![byte; len]).await })
        };
        let first = write(b'x', 10 * LARGE);
        sent("SET large xxx", before + 1).await;
        // The caller hangs up, and the write is under way.
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let large = write(b'x', LARGE);
        for n in 0..100_u8 {
            assert_eq!(cache.get(&[n]).await, Ok(Some(b"a".to_vec())));
        }
        // A later write of the key waits for the large one.
        let small = write(b's', 5);
        for n in 0..100_u8 {
            assert_eq!(cache.get(&[n]).await, Ok(Some(b"a".to_vec())));
        }
        assert!(!large.is_finished() && !small.is_finished());
        gate.close(false);
        large.await.unwrap().unwrap();
        small.await.unwrap().unwrap();
    });
}

#[test]
fn writes_of_a_key_keep_their_order_whatever_their_sizes() {
    let server = RedisServer::start();
    let direct = raw(server.port(), 1);
    on_both(|| async {
        let cache = raw(server.port(), 4);
        for round in 0..100_u32 {
            let key = (round % 7).to_le_bytes();
            let small = || round.to_le_bytes().to_vec();
            let large = || vec![round as u8; LARGE];
            let (old, new) = match round % 2 {
                0 => (large(), small()),
                _ => (small(), large()),
            };
            let polls = 1 + round as usize % 4;
            poll_at_most(polls, cache.insert_entry(&key, old, None)).await;
            cache.insert(&key, &new).await.unwrap();
            assert!(cache.get(&key).await.unwrap() == Some(new.clone()));
            // By the time of a reply, any other connection sees the write.
            assert!(direct.get(&key).await.unwrap() == Some(new.clone()));
            assert!(cache.get_many(&[&key]).await.unwrap() == [Some(new)]);
        }
        let clients = server.cli(&["client", "list"]);
        let own = clients.lines().filter(|line| !line.contains("cmd=client"));
        // Those of `cache`, and the one of `direct` on each runtime.
        assert!(own.count() <= 4 + 2, "{clients}");
    });
}

#[test]
fn value_that_becomes_small_shares_a_connection_again() {
    let server = RedisServer::start();
    on_both(|| async {
        let cache = raw(server.port(), 2);
        for len in [LARGE, 10, LARGE, LARGE, 10, 10] {
            cache.insert(b"a", &vec![b'x'; len]).await.unwrap();
            for _ in 0..3 {
                assert_eq!(cache.get(b"a").await.unwrap().unwrap().len(), len);
                let (found, _) = cache.get_with_ttl(b"a").await.unwrap().unwrap();
                assert_eq!(found.len(), len);
            }
        }
    });
}

#[test]
fn large_values_of_memcached_are_found() {
    let server = MemcachedServer::start();
    on_both(|| async {
        let builder = MemCached::builder(server.address()).pool_size(2);
        let cache: AsyncRawMemCached = builder.raw().build_async().unwrap();
        for len in [LARGE / 2, 10, LARGE / 2] {
            cache.insert(b"a", &vec![b'x'; len]).await.unwrap();
            for _ in 0..3 {
                assert_eq!(cache.get(b"a").await.unwrap().unwrap().len(), len);
                let both = cache.get_many(&[b"a", b"b"]).await.unwrap();
                assert_eq!(both[0].as_ref().map(Vec::len), Some(len));
            }
        }
    });
}
