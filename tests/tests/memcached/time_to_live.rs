use crate::{builder, raw, secs};
use ctu_std::{Cache, CacheExt, Error, MemCachedError};
use ctu_tests::servers::{CannedServer, MemcachedServer};
use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    thread,
    time::Duration,
};

const DAY: u64 = 24 * 60 * 60;

#[test]
fn default_ttl_is_unlimited() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    assert_eq!(cache.default_ttl(), None);
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(cache.get_with_ttl(b"a"), Ok(Some((b"1".to_vec(), None))));
    assert_eq!(cache.get_with_ttl(b"none"), Ok(None));
}

#[test]
fn entry_ttl_overrides_the_default() {
    let server = MemcachedServer::start();
    let cache = builder(server.address()).ttl(secs(600)).raw().build();
    let cache = cache.unwrap();
    assert_eq!(cache.default_ttl(), Some(secs(600)));
    cache.insert(b"default", b"").unwrap();
    cache.insert_with_ttl(b"own", b"", secs(5000)).unwrap();
    let odd = Duration::from_micros(5_000_000_500);
    cache.insert_with_ttl(b"odd", b"", odd).unwrap();
    let left = |key: &[u8]| cache.get_with_ttl(key).unwrap().unwrap().1.unwrap();
    assert!(left(b"default") <= secs(600));
    assert!((secs(601)..=secs(5000)).contains(&left(b"own")));
    assert!((secs(601)..=secs(5001)).contains(&left(b"odd")));
}

#[test]
fn ttl_over_30_days_is_stored() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    for days in [29, 30, 31, 365] {
        let ttl = secs(days * DAY);
        cache.insert_with_ttl(b"a", b"1", ttl).unwrap();
        let (value, left) = cache.get_with_ttl(b"a").unwrap().unwrap();
        let left = left.unwrap();
        // Its clock and ours may be a second apart.
        let expected = ttl - secs(60)..=ttl + secs(2);
        assert!(value == b"1" && expected.contains(&left), "{left:?}");
        assert_eq!(cache.touch(b"a", Some(ttl * 2)), Ok(true));
        assert!(cache.get_with_ttl(b"a").unwrap().unwrap().1.unwrap() > ttl);
    }
}

#[test]
fn touch_changes_the_ttl() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(cache.touch(b"a", Some(secs(5000))), Ok(true));
    assert!(cache.get_with_ttl(b"a").unwrap().unwrap().1.unwrap() > secs(600));
    assert_eq!(cache.touch(b"a", None), Ok(true));
    assert_eq!(cache.get_with_ttl(b"a").unwrap().unwrap().1, None);
    assert_eq!(cache.touch(b"none", None), Ok(false));
    assert_eq!(cache.touch(b"a", Some(Duration::ZERO)), Ok(true));
    assert_eq!(cache.contains(b"a"), Ok(false));
    assert_eq!(cache.touch(b"a", Some(Duration::ZERO)), Ok(false));
}

#[test]
fn zero_ttl_removes_and_huge_ttl_is_rejected() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    cache.insert(b"a", b"1").unwrap();
    cache.insert_with_ttl(b"a", b"2", Duration::ZERO).unwrap();
    assert_eq!(cache.get(b"a"), Ok(None));
    cache.insert(b"a", b"1").unwrap();
    let error = cache
        .insert_with_ttl(b"a", b"2", Duration::MAX)
        .unwrap_err();
    let refused = matches!(error, MemCachedError::Core(Error::TtlTooLong { .. }));
    assert!(refused, "{error}");
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
}

#[test]
fn expired_entry_is_a_miss() {
    let server = MemcachedServer::start();
    let cache = raw(&server.address());
    cache.insert(b"a", b"1").unwrap();
    // Of a second in 1970; the cache itself has no word for the past.
    let key = ctu_std::memcached::encode_key("", "b'a'").unwrap();
    let touched = server.ask([b"touch ", &*key, b" 2600000\r\n"].concat());
    assert_eq!(touched, b"TOUCHED\r\n");
    assert_eq!(cache.get(b"a"), Ok(None));
    assert_eq!(cache.get_with_ttl(b"a"), Ok(None));
    assert_eq!(cache.contains(b"a"), Ok(false));
}

#[test]
fn remaining_ttl_is_unknown_on_old_servers() {
    // Such servers answer `ERROR` to unknown commands; this one answers so to all.
    let server = CannedServer::start("ERROR\r\n").unwrap();
    let cache = raw(&format!("127.0.0.1:{}", server.port()));
    let error = cache.get_with_ttl(b"a").unwrap_err();
    // It was asked again, in the words of old.
    assert!(matches!(error, MemCachedError::Server { .. }), "{error}");
}

#[test]
fn ttl_over_30_days_uses_the_clock_of_the_server() {
    // Far from this machine's.
    const TIME: u64 = 1_000_000_000;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut writer = stream.try_clone().unwrap();
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        let mut asked = Vec::new();
        while let Some(line) = lines.next() {
            let answer = match line.split(' ').next() {
                Some("stats") => format!("STAT time {TIME}\r\nEND\r\n"),
                Some("touch") => "TOUCHED\r\n".to_owned(),
                _ => {
                    lines.next();
                    "STORED\r\n".to_owned()
                }
            };
            writer.write_all(answer.as_bytes()).unwrap();
            asked.push(line);
        }
        asked
    });
    let cache = raw(&format!("127.0.0.1:{port}"));
    for days in [30, 31, 40] {
        cache.insert_with_ttl(b"a", b"1", secs(days * DAY)).unwrap();
    }
    assert_eq!(cache.touch(b"a", Some(secs(50 * DAY))), Ok(true));
    drop(cache);
    let asked = server.join().unwrap();
    // The clock was asked for once.
    assert_eq!(asked.len(), 5, "{asked:?}");
    let times = asked.iter().filter_map(|line| {
        let mut words = line.split(' ');
        match words.next() {
            Some("set") => words.nth(2),
            Some("touch") => words.nth(1),
            _ => None,
        }
    });
    let times: Vec<u64> = times.map(|time| time.parse().unwrap()).collect();
    assert_eq!(times[0], 30 * DAY);
    for (time, days) in times[1..].iter().zip([31, 40, 50]) {
        // A clock goes on while the test runs.
        let expected = TIME + days * DAY;
        assert!((expected..expected + 600).contains(time), "{time}");
    }
}
