//! The tracking connection of a `RedisCache`.

use ctu_std::{
    EncryptedCache, PrefixedCache, PrefixedRedisCache, RawRedisCache, RedisCache, StatsCache,
    Tracked, TrackingConnection, TrackingError, TrackingMessage, test_util::StreamFault,
};
use ctu_tests::servers::{CannedServer, Nutcracker, RedisServer, free_port};
use std::{thread, time::Duration};

const WAIT: Duration = Duration::from_secs(60);

fn prefixed(url: &str) -> PrefixedRedisCache<str, u64> {
    let builder = RedisCache::builder(url).prefix("app.").deadline(WAIT);
    builder.connect_deadline(WAIT).build().unwrap()
}

fn raw(url: &str) -> RawRedisCache {
    let builder = RedisCache::builder(url).raw().deadline(WAIT);
    builder.connect_deadline(WAIT).build().unwrap()
}

type Connection = Box<dyn TrackingConnection>;

/// The messages up to the answer to a ping, and those that arrive together with it, without the answer.
fn until_pong(connection: &mut Connection) -> Vec<TrackingMessage> {
    connection.ping().unwrap();
    let mut messages = Vec::new();
    while !messages.contains(&TrackingMessage::Pong) {
        connection
            .receive(WAIT, &mut |message| messages.push(message))
            .unwrap();
    }
    messages.retain(|message| *message != TrackingMessage::Pong);
    messages
}

/// The messages of the changes that the server has acknowledged.
fn reported(connection: &mut Connection) -> Vec<TrackingMessage> {
    let mut messages = until_pong(connection);
    messages.extend(until_pong(connection));
    messages
}

fn changed<C: Tracked<Key = K>, K: ?Sized>(cache: &C, keys: &[&K]) -> Vec<TrackingMessage> {
    let marks = keys.iter().map(|key| cache.mark(key).unwrap());
    marks.map(TrackingMessage::Changed).collect()
}

#[test]
fn server_reports_every_change_of_a_key_with_the_prefix() {
    let server = RedisServer::start();
    let cache = prefixed(&server.url());
    let mut connection = cache.tracker().open().unwrap();
    let one = changed(&cache, &["a"]);
    for (command, expected) in [
        ("set app.a 1", &*one),
        ("get app.a", &[]),
        ("expire app.a 100", &one),
        ("getex app.a persist", &one),
        ("del app.a", &one),
        ("del app.a", &[]),
        ("set other 1", &[]),
        // Of another database.
        ("-n 3 set app.a 1", &one),
        ("-n 3 flushdb", &[TrackingMessage::AllChanged]),
        ("mset app.a 1 other 1", &one),
        ("rename app.a other", &one),
        ("eval redis.call('set','app.a',1) 0", &one),
        ("flushall", &[TrackingMessage::AllChanged]),
    ] {
        server.cli(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(reported(&mut connection), expected, "{command}");
    }
    server.cli(&["set", "app.a", "1", "px", "1"]);
    // The write, and the end of the entry: the server collects expired entries by itself.
    let mut messages = Vec::new();
    while messages.len() < 2 {
        messages.extend(reported(&mut connection));
    }
    assert_eq!(messages, [&one[..], &one].concat());
}

#[test]
fn server_reports_evictions() {
    let server = RedisServer::with(&["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru"]);
    let cache = prefixed(&server.url());
    let mut connection = cache.tracker().open().unwrap();
    server.cli(&["set", "app.a", "1"]);
    let one = changed(&cache, &["a"]);
    assert_eq!(reported(&mut connection), one);
    let large = "x".repeat(100_000);
    let mut number = 0;
    while reported(&mut connection) != one {
        number += 1;
        assert!(number < 1_000, "no eviction");
        server.cli(&["set", &format!("large{number}"), &large]);
    }
}

/// The server executes both commands in one cycle, answers the ping at once, and reports the change at
/// the end of the cycle.
#[test]
fn change_before_a_pair_of_pings_is_reported_before_its_end() {
    let server = RedisServer::start();
    let cache = prefixed(&server.url());
    let mut connection = cache.tracker().open().unwrap();
    let client = redis::Client::open(server.url()).unwrap();
    let mut author = client.get_connection().unwrap();
    let mut overtaken = 0;
    for round in 0..50 {
        server.pause();
        let set = redis::cmd("SET").arg("app.a").arg(round).to_owned();
        thread::scope(|scope| {
            let write = scope.spawn(|| set.query::<()>(&mut author).unwrap());
            connection.ping().unwrap();
            server.resume();
            write.join().unwrap();
        });
        let mut first = Vec::new();
        while !first.contains(&TrackingMessage::Pong) {
            connection
                .receive(WAIT, &mut |message| first.push(message))
                .unwrap();
        }
        overtaken += u32::from(first[0] == TrackingMessage::Pong);
        first.extend(until_pong(&mut connection));
        first.retain(|message| *message != TrackingMessage::Pong);
        assert_eq!(first, changed(&cache, &["a"]), "{round}");
    }
    println!("pings answered before the report of an earlier change: {overtaken} of 50");
}

#[test]
fn mark_is_that_of_the_key_on_the_server_through_wrappers() {
    let server = RedisServer::start();
    let stored = raw(&server.url());
    let mut connection = stored.tracker().open().unwrap();
    let client = stored.clone();
    let cache = PrefixedCache::new(
        StatsCache::new(EncryptedCache::new(&client, b"a secret of some length")),
        b"p.",
    );
    ctu_std::Cache::insert_entry(&cache, b"key".as_slice(), b"value".to_vec(), None).unwrap();
    assert_eq!(
        reported(&mut connection),
        changed(&cache, &[b"key".as_slice()])
    );
    assert_ne!(cache.mark(b"key"), cache.mark(b"other"));
    // A clone has the same marks, and another cache has others: an attacker cannot choose keys of one stripe.
    assert_eq!(stored.mark(b"key"), stored.clone().mark(b"key"));
    assert_ne!(stored.mark(b"key"), raw(&server.url()).mark(b"key"));
    // A key that the cache does not send to the server.
    let short = RedisCache::builder(server.url()).raw().max_key(2).build();
    assert_eq!(short.unwrap().mark(b"key"), None);
}

#[test]
fn tracking_connection_is_of_the_class_whose_buffer_is_limited() {
    let server = RedisServer::start();
    let cache = prefixed(&server.url());
    let mut connection = cache.tracker().open().unwrap();
    let clients = server.cli(&["client", "list", "type", "pubsub"]);
    assert_eq!(clients.lines().count(), 1, "{clients}");
    server.cli(&["client", "kill", "type", "pubsub"]);
    let lost = loop {
        if let Err(error) = connection.receive(WAIT, &mut |_| ()) {
            break error;
        }
    };
    assert!(matches!(lost, TrackingError::Lost(_)), "{lost}");
}

fn refusal(cache: &impl Tracked) -> String {
    match cache.tracker().open() {
        Err(TrackingError::Refused(reason)) => reason,
        Err(lost) => panic!("{lost}"),
        Ok(_) => panic!("a tracking connection"),
    }
}

#[test]
fn user_without_the_commands_is_refused() {
    let server = RedisServer::start();
    for rules in [
        "+get +set",
        "+@all -client",
        "+@all -subscribe",
        "+@all resetchannels",
    ] {
        let user: Vec<&str> = ["acl", "setuser", "app", "reset", "on", ">hush", "~*", "&*"]
            .into_iter()
            .chain(rules.split(' '))
            .collect();
        server.cli(&user);
        let url = format!("redis://app:hush@127.0.0.1:{}", server.port());
        let reason = refusal(&prefixed(&url));
        assert!(reason.starts_with("Redis does not allow this"), "{reason}");
    }
    let needed = "+hello +client|tracking +subscribe +ping &ctu".split(' ');
    let user = ["acl", "setuser", "app", "reset", "on", ">hush"];
    server.cli(&user.into_iter().chain(needed).collect::<Vec<_>>());
    let url = format!("redis://app:hush@127.0.0.1:{}", server.port());
    let mut connection = prefixed(&url).tracker().open().unwrap();
    assert_eq!(reported(&mut connection), []);
}

#[test]
fn wrong_password_and_missing_server_are_no_refusals() {
    let server = RedisServer::with(&["--requirepass", "secret"]);
    let absent = free_port();
    for url in [
        format!("redis://:wrong@127.0.0.1:{}", server.port()),
        format!("redis://127.0.0.1:{absent}"),
    ] {
        let lost = prefixed(&url).tracker().open().err();
        assert!(matches!(lost, Some(TrackingError::Lost(_))), "{lost:?}");
    }
    let url = format!("redis://:secret@127.0.0.1:{}", server.port());
    assert!(prefixed(&url).tracker().open().is_ok());
}

#[test]
fn proxy_without_the_commands_is_refused() {
    let server = RedisServer::start();
    let proxy = Nutcracker::before_redis(&[server.port()]);
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    assert_eq!(refusal(&prefixed(&url)), "the server does not know HELLO");
}

#[test]
fn server_without_the_commands_is_refused() {
    let unknown =
        CannedServer::start(*b"-ERR unknown command 'HELLO', with args beginning with: '3', \r\n")
            .unwrap();
    let reason = refusal(&prefixed(&format!("redis://127.0.0.1:{}", unknown.port())));
    assert!(reason.contains("unknown command"), "{reason}");
    let old = CannedServer::start(*b"*2\r\n$5\r\nproto\r\n:2\r\n").unwrap();
    let lost = prefixed(&format!("redis://127.0.0.1:{}", old.port()));
    assert!(lost.tracker().open().is_err());
}

#[test]
fn replica_gives_no_tracking_connection() {
    let server = RedisServer::start();
    server.cli(&["replicaof", "127.0.0.1", &free_port().to_string()]);
    let lost = prefixed(&server.url()).tracker().open().err();
    assert!(matches!(lost, Some(TrackingError::Lost(_))), "{lost:?}");
}

#[test]
fn external_connection_is_refused() {
    let server = RedisServer::start();
    let client = redis::Client::open(server.url()).unwrap();
    let given = RedisCache::from_connection(client.get_connection().unwrap());
    let cache: RawRedisCache = given.raw().build().unwrap();
    assert!(refusal(&cache).contains("external connection"));
}

#[test]
fn broken_messages_end_the_connection() {
    let server = RedisServer::start();
    for fault in [
        StreamFault::Close,
        StreamFault::Reset,
        StreamFault::Insert(b"+OK\r\n"),
        StreamFault::Insert(b":1\r\n"),
        StreamFault::Insert(b">2\r\n$10\r\ninvalidate\r\n:1\r\n"),
        StreamFault::Insert(b">2\r\n$10\r\ninvalidate\r\n*1\r\n:1\r\n"),
        StreamFault::Insert(b"-ERR no\r\n"),
    ] {
        let network = server.proxy();
        let cache = prefixed(&format!("redis://127.0.0.1:{}", network.port()));
        let mut connection = cache.tracker().open().unwrap();
        network.fail_reply_after(0, fault);
        connection.ping().unwrap();
        let ended = loop {
            if let Err(error) = connection.receive(WAIT, &mut |_| ()) {
                break error;
            }
        };
        assert!(!ended.to_string().contains('\n'), "{fault:?}: {ended}");
    }
}
