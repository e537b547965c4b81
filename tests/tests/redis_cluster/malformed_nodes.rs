//! A node with invalid answers causes an error: never a panic, a hang or the value of another key.

use crate::{
    at,
    fake::{CLOSE, Fake, map},
    forms::{Form, in_both_forms},
    in_time, raw, shown,
};
use ctu_std::{
    Cache as _, CacheError as _, CacheExt, NetError, PrefixedRedisCache, RedisCache, RedisError,
};
use ctu_tests::servers::{CannedServer, RedisCluster, RedisServer, free_port};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

in_both_forms! {
    endless_redirect_to_itself_is_an_error
    circular_redirects_are_an_error
    malformed_redirect_is_an_error
    redirect_without_a_host_keeps_the_host
    redirect_to_an_unknown_host_refreshes_the_map
    odd_map_entry_leaves_other_slots_served
    malformed_map_is_an_error
    map_of_missing_nodes_is_an_outage
    outage_causes_no_refresh_storm
    server_without_cluster_mode_is_reported
    surplus_reply_is_never_given_to_the_next_caller
    missing_reply_is_never_replaced_by_the_next
    unsafe_operation_is_never_retried
    random_bytes_are_an_error
    every_truncated_map_is_an_error
    a_node_that_is_not_allowed_gets_no_connection
    seed_nodes_are_retried_in_turn
}

const HELLO: &str = "$5\r\nhello\r\n";

/// A cache that gives up soon.
fn short_deadline<C: Form>(node: &Fake) -> C {
    let builder = RedisCache::cluster([node.url()]).raw();
    C::build(builder.deadline(Duration::from_millis(20))).unwrap()
}

/// Asserts that every operation fails, each with an outage.
fn fails(cache: &impl Form) -> RedisError {
    let errors = [
        cache.get(b"a").unwrap_err(),
        cache.insert(b"a", b"1").unwrap_err(),
        cache.pop(b"a").unwrap_err(),
        cache.get_many(&[b"a", b"b"]).unwrap_err(),
        cache.get_many_with_ttl(&[b"a", b"b"]).unwrap_err(),
        cache.remove_many(&[b"a", b"b"]).unwrap_err(),
        cache.len().unwrap_err(),
        cache.clear().unwrap_err(),
        cache.stats().unwrap_err(),
        cache.keys().next().unwrap().unwrap_err(),
    ];
    for error in &errors {
        assert!(error.is_outage(), "{error}");
    }
    errors.into_iter().next().unwrap()
}

fn endless_redirect_to_itself_is_an_error<C: Form>() {
    for kind in ["MOVED", "ASK"] {
        let node = Fake::master(move |port, command| match command {
            "ASKING" => "+OK\r\n".into(),
            _ => format!("-{kind} 15495 127.0.0.1:{port}\r\n"),
        });
        let cache = at::<C>([node.url()]);
        let error = cache.get(b"a").unwrap_err();
        assert!(matches!(error, RedisError::NotReady { .. }), "{error}");
        assert!(error.is_outage());
        assert!(shown(error).starts_with(&format!("Redis at 127.0.0.1:{} is", node.port)));
        assert!(node.count("GET") < 10);
        let asking = if kind == "ASK" {
            node.count("GET") - 1
        } else {
            0
        };
        assert_eq!(node.count("ASKING"), asking);
        assert!(cache.insert_many(vec![(b"a", vec![1])], None).is_err());
        assert!(cache.pop(b"a").is_err());
    }
}

fn circular_redirects_are_an_error<C: Form>() {
    let other = Arc::new(AtomicU16::new(0));
    let first = other.clone();
    let second = Fake::master(move |_, _| {
        let port = first.load(SeqCst);
        format!("-MOVED 15495 127.0.0.1:{port}\r\n")
    });
    let port = second.port;
    let first = Fake::master(move |_, _| format!("-MOVED 15495 127.0.0.1:{port}\r\n"));
    other.store(first.port, SeqCst);
    let error = at::<C>([first.url()]).get(b"a").unwrap_err();
    assert!(matches!(error, RedisError::NotReady { .. }), "{error}");
    assert!(error.is_outage());
    assert!(shown(error).contains("in circles"));
    let (first, second) = (first.count("GET"), second.count("GET"));
    assert!(first + second < 10, "{first} and {second}");
    assert!(first > 1 && first - second <= 1, "{first} and {second}");
}

fn malformed_redirect_is_an_error<C: Form>() {
    for redirect in [
        "MOVED",
        "MOVED 1",
        "ASK 99999 a:1",
        "MOVED x y",
        "ASK 1 a:b",
    ] {
        let node = Fake::master(move |_, _| format!("-{redirect}\r\n"));
        let error = at::<C>([node.url()]).get(b"a").unwrap_err();
        assert!(error.is_outage(), "{redirect}: {error}");
        assert!(shown(error).contains("does not answer as Redis does"));
    }
}

fn redirect_without_a_host_keeps_the_host<C: Form>() {
    let cluster = RedisCluster::start(1);
    let port = cluster.node(0).port();
    let node = Fake::master(move |_, _| format!("-MOVED 15495 :{port}\r\n"));
    assert_eq!(at::<C>([node.url()]).get(b"a"), Ok(None));
    let node = Fake::start(move |_, _| map(&[(0, 16383, "", port)]));
    assert_eq!(at::<C>([node.url()]).get(b"a"), Ok(None));
}

fn redirect_to_an_unknown_host_refreshes_the_map<C: Form>() {
    let cluster = RedisCluster::start(1);
    let port = cluster.node(0).port();
    for address in ["?:7000", "?:0", ":0", "127.0.0.1:0"] {
        let asked = AtomicU16::new(0);
        let node = Fake::start(move |own, command| match command {
            // By the second map the slot has moved.
            "CLUSTER SLOTS" if asked.fetch_add(1, SeqCst) == 0 => {
                map(&[(0, 16383, "127.0.0.1", own)])
            }
            "CLUSTER SLOTS" => map(&[(0, 16383, "127.0.0.1", port)]),
            _ => format!("-MOVED 15495 {address}\r\n"),
        });
        let cache = at::<C>([node.url()]);
        let told = cache.get(b"a");
        // A map is asked for at most every 200 ms: until then the redirect is an outage.
        assert!(
            told.as_ref()
                .map_or_else(|error| error.is_outage(), |_| true)
        );
        assert_eq!(in_time(|| cache.get(b"a")), None, "{address}");
    }
}

fn odd_map_entry_leaves_other_slots_served<C: Form>() {
    let cluster = RedisCluster::start(1);
    let port = cluster.node(0).port();
    // `a` is in slot 15495, `b` in 3300.
    for odd in [
        ("", 0),
        ("?", 7000),
        ("no host", 7000),
        ("127.0.0.1", 0),
        ("redis://127.0.0.1", port),
    ] {
        let node = Fake::start(move |_, _| {
            map(&[(8192, 16383, odd.0, odd.1), (0, 8191, "127.0.0.1", port)])
        });
        let cache = at::<C>([node.url()]);
        assert_eq!(cache.get(b"b"), Ok(None), "{odd:?}");
        for error in [
            cache.get(b"a").unwrap_err(),
            cache.get_many(&[b"b", b"a"]).unwrap_err(),
            cache.insert(b"a", b"1").unwrap_err(),
        ] {
            assert!(matches!(error, RedisError::NotReady { .. }), "{error:?}");
            let text = "the map of slots has no address for the node of slot 15495";
            assert!(shown(error).ends_with(text));
        }
        assert_eq!(cache.get(b"b"), Ok(None));
    }
}

fn malformed_map_is_an_error<C: Form>() {
    let own = |map: &'static str| Fake::start(move |_, _| map.into());
    for garbage in [
        "+OK\r\n",
        "$-1\r\n",
        "*0\r\n",
        "*1\r\n:1\r\n",
        "*1\r\n*2\r\n:0\r\n:16383\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:9\r\n*2\r\n$1\r\na\r\n:99999\r\n",
        "*1\r\n*3\r\n:0\r\n:9\r\n*2\r\n$3\r\na b\r\n:1\r\n",
        "*1000000000\r\n\0\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
    ] {
        let node = own(garbage);
        let error = fails(&at::<C>([node.url()]));
        assert!(shown(error).contains(&node.port.to_string()), "{garbage}");
    }
    // Another node may know better.
    let cluster = RedisCluster::start(1);
    let node = own("+OK\r\n");
    let cache = at::<C>([node.url(), cluster.urls().remove(0)]);
    assert_eq!(cache.get(b"a"), Ok(None));
}

fn map_of_missing_nodes_is_an_outage<C: Form>() {
    let (nobody, port) = (free_port(), free_port());
    let node = Fake::start(move |_, _| {
        let half = |first, port| (first, first + 8191, "127.0.0.1", port);
        map(&[half(0, nobody), half(8192, port)])
    });
    let cache = at::<C>([node.url()]);
    let error = fails(&cache);
    assert!(shown(error).starts_with("no Redis at 127.0.0.1:"));
    let node = Fake::start(|_, _| map(&[(0, 16383, "no.such.host.invalid", 1)]));
    let error = shown(at::<C>([node.url()]).get(b"a").unwrap_err());
    assert_eq!(error, "no Redis at no.such.host.invalid:1: no such host");
}

fn outage_causes_no_refresh_storm<C: Form>() {
    let nobody = free_port();
    let node = Fake::start(move |_, _| map(&[(0, 16383, "127.0.0.1", nobody)]));
    let cache = at::<C>([node.url()]);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| assert!(cache.get(b"a").is_err())));
        }
    });
    // One at once, and one more each 200 ms.
    let most = 1 + begin.elapsed().as_millis() / 200;
    assert!(node.count("CLUSTER") as u128 <= most);
}

fn server_without_cluster_mode_is_reported<C: Form>() {
    let server = RedisServer::start();
    let error = at::<C>([server.url()]).get(b"a").unwrap_err();
    // Waiting for it to become one would be in vain.
    assert!(!error.is_outage(), "{error}");
    assert!(shown(error).contains("cluster support disabled"));
}

/// A node with all slots. It answers a command about `b` with `replies`, and any other with one
/// value.
fn odd(replies: String) -> Fake {
    Fake::master(move |_, command| match command {
        "MGET b" => replies.clone(),
        _ => format!("*1\r\n{HELLO}"),
    })
}

const KEYS: [&[u8]; 4] = [b"a", b"b", b"c", b"d"];

fn surplus_reply_is_never_given_to_the_next_caller<C: Form>() {
    for replies in [
        HELLO.repeat(2),
        format!("*1\r\n{}", HELLO.repeat(2)),
        format!("*2\r\n{}", HELLO.repeat(2)),
    ] {
        let node = odd(replies);
        let cache = at::<C>([node.url()]);
        let error = cache.get_many(&KEYS).unwrap_err();
        let told = matches!(error, RedisError::Net(NetError::Protocol { .. }));
        assert!(told && error.is_outage(), "{error}");
        let found = cache.get_many(&[b"a", b"c"]);
        assert_eq!(found, Ok(vec![Some(b"hello".to_vec()); 2]));
    }
}

fn missing_reply_is_never_replaced_by_the_next<C: Form>() {
    let node = odd(String::new());
    let cache = short_deadline::<C>(&node);
    let error = cache.get_many(&KEYS).unwrap_err();
    let late = matches!(error, RedisError::Net(NetError::TimedOut { .. }));
    assert!(late && error.is_outage(), "{error}");
    // No later caller gets the late reply.
    let found = cache.get_many(&[b"a", b"c"]);
    assert!(found.is_err() || found == Ok(vec![Some(b"hello".to_vec()); 2]));
}

fn unsafe_operation_is_never_retried<C: Form>() {
    let node = Fake::master(|_, command| match command {
        "GET warm" => HELLO.into(),
        _ => CLOSE.into(),
    });
    let cache = at::<C>([node.url()]);
    for (command, times) in [
        ("GETDEL", 1..=1),
        ("GET a", 2..=C::READ_ATTEMPTS),
        ("MGET a", 2..=C::READ_ATTEMPTS),
    ] {
        // A connection that has waited may have died, and is worth another try.
        assert_eq!(cache.get(b"warm"), Ok(Some(b"hello".to_vec())));
        let error = match command {
            "GETDEL" => cache.pop(b"a").unwrap_err(),
            "GET a" => cache.get(b"a").unwrap_err(),
            _ => cache.get_many(&[b"a"]).unwrap_err(),
        };
        assert!(error.is_outage(), "{error}");
        let count = node.count(command);
        assert!(times.contains(&count), "{command}: {count}");
    }
}

fn random_bytes_are_an_error<C: Form>() {
    let parts: [&[u8]; 10] = [
        b"$",
        b"*",
        b":",
        b"-MOVED 1 ",
        b"-ASK ",
        b"\r\n",
        b"16383",
        b"$1\r\na\r\n",
        b"*3\r\n:0\r\n:1\r\n",
        b"*1\r\n",
    ];
    let mut random = StdRng::seed_from_u64(5);
    for round in 0..200 {
        let mut bytes = Vec::new();
        for _ in 0..random.random_range(0..12) {
            if random.random() {
                bytes.extend_from_slice(parts[random.random_range(0..parts.len())]);
            } else {
                bytes.extend((0..random.random_range(0..9)).map(|_| random.random::<u8>()));
            }
        }
        // The additional byte makes the bytes invalid as a reply.
        bytes.push(b'?');
        let server = CannedServer::start(bytes.clone()).unwrap();
        let cache = at::<C>([format!("redis://127.0.0.1:{}", server.port())]);
        assert!(cache.get(b"a").is_err(), "{round}: {bytes:?}");
        assert!(cache.get_many(&[b"a", b"b"]).is_err());
        assert!(cache.len().is_err());
        // Also from a node that seemed to be one, and keeps its connections.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let node = Fake::master(move |_, _| text.clone());
        let found = short_deadline::<C>(&node).get(b"a");
        assert!(!matches!(found, Ok(Some(_))), "{round}: {bytes:?}");
    }
}

fn every_truncated_map_is_an_error<C: Form>() {
    let whole = map(&[(0, 8191, "127.0.0.1", 1), (8192, 16383, "::1", 2)]);
    for end in 0..whole.len() {
        let server = CannedServer::start(&whole[..end]).unwrap();
        let error = at::<C>([format!("redis://127.0.0.1:{}", server.port())])
            .get(b"a")
            .unwrap_err();
        assert!(error.is_outage(), "{end}: {error}");
    }
    let cluster = RedisCluster::start(1);
    assert_eq!(raw::<C>(&cluster).get(b"a"), Ok(None));
}

/// A page of SCAN that leads to another one.
fn page(keys: &[&str]) -> String {
    let keys: String = keys
        .iter()
        .map(|key| format!("${}\r\n{key}\r\n", key.len()))
        .collect();
    let count = keys.matches('$').count();
    format!("*2\r\n$1\r\n7\r\n*{count}\r\n{keys}")
}

#[test]
fn endless_scan_ends_at_its_deadline() {
    for keys in [&[][..], &["app.a", "app.b"]] {
        let answer = page(keys);
        let node = Fake::master(move |_, command| match command.split(' ').next() {
            Some("SCAN") => answer.clone(),
            _ => format!(":{}\r\n", 2),
        });
        let node = || node.url();
        for builder in [RedisCache::builder(node()), RedisCache::cluster([node()])] {
            let soon = Duration::from_millis(50);
            let cache: PrefixedRedisCache<str, String> = builder
                .prefix("app.")
                .deadline(Duration::from_secs(60))
                .scan_deadline(soon)
                .build()
                .unwrap();
            let late = |error: RedisError| match error {
                RedisError::Net(NetError::TimedOut { after, .. }) => assert_eq!(after, soon),
                error => panic!("{error:?}"),
            };
            late(cache.keys().find_map(Result::err).unwrap());
            late(cache.retain(&mut |_| false).unwrap_err());
            late(cache.clear().unwrap_err());
        }
    }
}

/// A node that no cache is allowed to connect to.
fn forbidden() -> Fake {
    Fake::master(|_, _| HELLO.into())
}

fn a_node_that_is_not_allowed_gets_no_connection<C: Form>() {
    let good = RedisCluster::start(1);
    let port = good.node(0).port();
    let allowed = move |host: &str, to: u16| host == "127.0.0.1" && to == port;
    let build = |node: &Fake| {
        let builder = RedisCache::cluster([node.url()]).allowed_nodes(allowed);
        C::build(builder.raw().deadline(Duration::from_secs(60))).unwrap()
    };
    let refused = |error: RedisError, text: &str| {
        let typed = matches!(error, RedisError::NodeNotAllowed { .. });
        assert!(typed && error.is_outage(), "{error:?}");
        assert!(shown(error).contains(text));
    };
    let evil = forbidden();
    let target = evil.port;
    // By the map: `a` is in slot 15495, `b` in 3300.
    let node = Fake::start(move |_, _| {
        let half = |first, port| (first, first + 8191, "127.0.0.1", port);
        map(&[half(0, port), half(8192, target)])
    });
    let cache = build(&node);
    assert_eq!(cache.get(b"b"), Ok(None));
    refused(cache.get(b"a").unwrap_err(), "the node of slot 15495");
    refused(
        cache.get_many(&[b"a", b"b"]).unwrap_err(),
        "the node of slot 15495",
    );
    refused(cache.len().unwrap_err(), "the node of slot 8192");
    // By a redirect.
    for kind in ["MOVED", "ASK"] {
        let node = Fake::master(move |_, _| format!("-{kind} 15495 127.0.0.1:{target}\r\n"));
        let text = format!("127.0.0.1:{target}");
        refused(build(&node).get(b"a").unwrap_err(), &text);
        refused(build(&node).insert(b"a", b"1").unwrap_err(), &text);
    }
    assert_eq!(evil.count(""), 0);
    // A cache without the filter follows.
    assert_eq!(at::<C>([node.url()]).get(b"a"), Ok(Some(b"hello".to_vec())));
    assert!(evil.count("") > 0);
}

fn seed_nodes_are_retried_in_turn<C: Form>() {
    let liar = Fake::start(|own, command| match command {
        "CLUSTER SLOTS" => map(&[(0, 16383, "127.0.0.1", own)]),
        _ => "-CLUSTERDOWN The cluster is down\r\n".into(),
    });
    let target = liar.port;
    // Its first map names the liar alone.
    let asked = AtomicU16::new(0);
    let seed = Fake::start(move |own, command| match command {
        "CLUSTER SLOTS" if asked.fetch_add(1, SeqCst) == 0 => {
            map(&[(0, 16383, "127.0.0.1", target)])
        }
        "CLUSTER SLOTS" => map(&[(0, 16383, "127.0.0.1", own)]),
        _ => HELLO.into(),
    });
    let cache = at::<C>([seed.url()]);
    assert_eq!(in_time(|| cache.get(b"a")), Some(b"hello".to_vec()));
}

#[test]
fn allowed_nodes_of_one_server_are_an_error() {
    let builder = RedisCache::builder("redis://localhost").allowed_nodes(|_, _| true);
    let error = builder.raw().build().unwrap_err();
    assert!(shown(error).contains("allowed_nodes is a setting of RedisCache::cluster"));
}
