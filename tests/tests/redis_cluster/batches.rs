use crate::{
    at,
    fake::Fake,
    forms::{Form, in_both_forms},
    raw, secs,
};
use ctu_std::{RawRedisCache, RedisCache};
use ctu_tests::servers::RedisCluster;
use std::{thread, time::Duration};

in_both_forms! {
    batch_over_all_slots_keeps_its_order
    batches_of_threads_do_not_deadlock
    large_batch_round_trips
    batch_retries_dead_pooled_connections
}

fn batch_over_all_slots_keeps_its_order<C: Form>() {
    let cluster = RedisCluster::start(3);
    let cache = raw::<C>(&cluster);
    // Every byte, in keys and values.
    let keys: Vec<Vec<u8>> = (0..3000_u32)
        .map(|n| [&n.to_le_bytes()[..], b"\r\n{", &[n as u8]].concat())
        .collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let value = |key: &[u8]| key.repeat(3);
    let entries = keys.iter().map(|key| (*key, value(key))).collect();
    cache.insert_many(entries, Some(secs(5000))).unwrap();
    assert_eq!(cache.len(), Ok(3000));
    let mut asked = keys.clone();
    asked.reverse();
    asked.insert(1, b"missing");
    asked.push(keys[7]);
    let expected = |key: &[u8]| (key != b"missing").then(|| value(key));
    let found = cache.get_many(&asked).unwrap();
    assert!(found.into_iter().eq(asked.iter().map(|key| expected(key))));
    let found = cache.get_many_with_ttl(&asked).unwrap();
    assert_eq!(found.len(), asked.len());
    for (key, found) in asked.iter().zip(found) {
        let long = |(value, left): (Vec<u8>, Option<Duration>)| {
            assert!(left > Some(secs(600)));
            value
        };
        assert_eq!(found.map(long), expected(key));
    }
    // One key twice is removed once.
    assert_eq!(cache.remove_many(&asked), Ok(3000));
    assert_eq!(cache.is_empty(), Ok(true));
    let gone = keys.iter().map(|key| (*key, vec![])).collect();
    cache.insert_many(gone, Some(Duration::ZERO)).unwrap();
    assert_eq!(cache.remove_many(&[]), Ok(0));
}

fn batches_of_threads_do_not_deadlock<C: Form>() {
    let cluster = RedisCluster::start(3);
    // With one connection to each node, two threads that have one each and want both would wait for
    // ever.
    let urls = cluster.urls();
    let cache = RedisCache::cluster(&urls).raw().pool_size(1);
    let cache = C::build(cache.deadline(secs(60))).unwrap();
    thread::scope(|scope| {
        for thread in 0..8_u8 {
            let cache = &cache;
            scope.spawn(move || {
                let keys: Vec<[u8; 2]> = (0..20).map(|n| [thread, n]).collect();
                for round in 0..50_u8 {
                    // In another order each time.
                    let mut keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
                    keys.rotate_left(usize::from(round) % 20);
                    let entries = keys.iter().map(|key| (*key, vec![round])).collect();
                    cache.insert_many(entries, None).unwrap();
                    let found = cache.get_many(&keys).unwrap();
                    assert_eq!(found, vec![Some(vec![round]); 20]);
                    assert!(cache.len().unwrap() >= 20);
                }
            });
        }
    });
    assert_eq!(cache.len(), Ok(160));
}

fn large_batch_round_trips<C: Form>() {
    let cluster = RedisCluster::start(3);
    let cache = at::<C>(cluster.urls());
    let large: Vec<u8> = (0..8 << 20).map(|n: u32| (n ^ n >> 8) as u8).collect();
    let keys: [&[u8]; 6] = [b"a", b"b", b"c", b"d", b"e", b"f"];
    let entries = keys.iter().map(|key| (*key, large.clone())).collect();
    cache.insert_many(entries, None).unwrap();
    for found in cache.get_many(&keys).unwrap() {
        assert!(found.as_ref() == Some(&large));
    }
}

fn batch_retries_dead_pooled_connections<C: Form>() {
    let cluster = RedisCluster::start(3);
    let cache = raw::<C>(&cluster);
    let keys: Vec<Vec<u8>> = (0..30_u8).map(|n| vec![n]).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    for round in 0..10_u8 {
        let entries = keys.iter().map(|key| (*key, vec![round])).collect();
        cache.insert_many(entries, None).unwrap();
        for master in 0..3 {
            let node = cluster.node(master);
            node.cli(&["client", "kill", "type", "normal", "skipme", "yes"]);
        }
        let found = cache.get_many(&keys).unwrap();
        assert_eq!(found, vec![Some(vec![round]); 30]);
    }
}

/// Reads a command, writes its answer, and reads the next only then.
fn one_command_at_a_time() -> Fake {
    let value = format!("*1\r\n$400\r\n{}\r\n", "v".repeat(400));
    Fake::master(move |_, command| match command.split(' ').next() {
        Some("MGET") => value.clone(),
        Some("PTTL") => ":1000\r\n".into(),
        _ => "+OK\r\n".into(),
    })
}

/// Sends a batch with a request and answers larger than all buffers between client and server.
fn exchange_large_batch(cache: &impl Form) {
    let keys: Vec<Vec<u8>> = (0..20_000_u32)
        .map(|n| format!("{n:0400}").into_bytes())
        .collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let found = cache.get_many_with_ttl(&keys).unwrap();
    assert_eq!(found.len(), keys.len());
    let expected = (vec![b'v'; 400], Some(Duration::from_secs(1)));
    assert!(found.into_iter().flatten().all(|found| found == expected));
}

#[test]
fn a_batch_larger_than_all_buffers_is_sent_while_it_is_answered() {
    let node = one_command_at_a_time();
    exchange_large_batch(&at::<RawRedisCache>([node.url()]));
    let one = RedisCache::builder(node.url()).raw().deadline(secs(60));
    exchange_large_batch(&one.build().unwrap());
}

#[cfg(feature = "tls")]
#[test]
fn a_batch_over_tls_is_sent_while_it_is_answered() {
    let node = one_command_at_a_time();
    let front = ctu_tests::tls_front::TlsFront::to(node.port);
    let url = format!("rediss://localhost:{}", front.port());
    let builder = RedisCache::builder(&url).root_certificates(front.certificate().pem());
    let builder = builder.raw().deadline(secs(60)).connect_deadline(secs(30));
    exchange_large_batch(&builder.build().unwrap());
}
