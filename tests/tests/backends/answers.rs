//! Something else answers, or only half.

use crate::backend::{Backend, Operation, address, assert_late, long_deadline, net};
use ctu_std::{Cache, CacheError, CacheExt, Error, LruCache, NetError, TwoLevelCache};
use ctu_tests::servers::{CannedServer, Server};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::Duration;

on_every_backend! {
    endless_reply_ends_at_the_deadline
    every_truncated_reply_is_an_error
    reply_of_another_protocol_is_an_error
    random_bytes_are_an_error
    value_over_the_limit_is_refused_at_its_length
    stored_value_over_the_limit_is_the_fault_of_its_entry
    stored_value_over_the_limit_is_overwritten_by_two_levels
}

fn endless_reply_ends_at_the_deadline<B: Backend>() {
    // A byte now and then would renew a timeout of the operating system each time.
    let server = CannedServer::dribbling(B::endless()).unwrap();
    let deadline = Duration::from_millis(100);
    let cache = B::cache(&address::<B>(server.port()), deadline, 16);
    assert_late(cache.get(b"a"));
}

fn every_truncated_reply_is_an_error<B: Backend>() {
    let get: Operation<B> = |cache| {
        assert_eq!(cache.get(b"a")?, Some(b"value".to_vec()));
        Ok(())
    };
    let put: Operation<B> = |cache| cache.insert(b"a", b"1");
    let mut answered = vec![
        (B::get_answer(b"value"), get),
        (B::PUT_ANSWER.to_vec(), put),
    ];
    answered.extend(B::answered());
    for (answer, operation) in answered {
        for end in 0..=answer.len() {
            let server = CannedServer::start(&answer[..end]).unwrap();
            let done = net(operation(&long_deadline::<B>(server.port())));
            match done {
                Err(NetError::Lost { .. }) if end < answer.len() => {}
                Ok(()) if end == answer.len() => {}
                _ => panic!("{end} of {answer:?}: {done:?}"),
            }
        }
    }
}

fn reply_of_another_protocol_is_an_error<B: Backend>() {
    for garbage in B::garbage() {
        let server = CannedServer::start(garbage.clone()).unwrap();
        let found = net(long_deadline::<B>(server.port()).get(b"a"));
        match found {
            Err(NetError::Protocol { .. } | NetError::Lost { .. }) => {}
            _ => panic!("{garbage:?}: {found:?}"),
        }
    }
}

fn random_bytes_are_an_error<B: Backend>() {
    let parts = B::parts();
    let mut random = StdRng::seed_from_u64(11);
    for round in 0..300 {
        let mut bytes = Vec::new();
        for _ in 0..random.random_range(0..12) {
            if random.random() {
                bytes.extend_from_slice(&parts[random.random_range(0..parts.len())]);
            } else {
                bytes.extend((0..random.random_range(0..9)).map(|_| random.random::<u8>()));
            }
        }
        // The additional byte makes the bytes invalid as an answer.
        bytes.push(b'?');
        let server = CannedServer::start(bytes.clone()).unwrap();
        let cache = long_deadline::<B>(server.port());
        assert!(cache.get(b"a").is_err(), "{round}: {bytes:?}");
        assert!(cache.get_many_with_ttl(&[b"a", b"b"]).is_err());
        assert!(cache.insert(b"a", b"1").is_err());
        assert!(B::ask(&cache).is_err());
    }
}

fn value_over_the_limit_is_refused_at_its_length<B: Backend>() {
    const MAX: usize = 1000;
    let too_long = |cache: &B::Cache, len| {
        let error = cache.get(b"a").unwrap_err();
        let max = MAX;
        assert_eq!(error.as_core(), Some(Error::StoredTooLong { len, max }));
        assert!(error.is_corrupt());
        assert!(!error.is_outage());
    };
    for len in [MAX + 1, 1 << 20] {
        // The value itself never comes: a client that waits for it waits for the whole deadline.
        let answer = B::get_answer(&vec![b'x'; len]);
        let line = answer.iter().position(|byte| *byte == b'\n').unwrap();
        let server = CannedServer::dribbling(&answer[..=line]).unwrap();
        too_long(&B::limited(&address::<B>(server.port()), MAX), len);
    }
    let server = CannedServer::start(B::get_answer(&[b'x'; MAX])).unwrap();
    let cache = B::limited(&address::<B>(server.port()), MAX);
    assert_eq!(cache.get(b"a"), Ok(Some(vec![b'x'; MAX])));
}

fn stored_value_over_the_limit_is_the_fault_of_its_entry<B: Backend>() {
    let server = Server::<B>::start();
    let other = long_deadline::<B>(server.port());
    let cache = B::limited(&address::<B>(server.port()), 1000);
    for round in 0..20 {
        other.insert_entry(b"large", vec![1; 5000], None).unwrap();
        other.insert_entry(b"small", vec![2; 500], None).unwrap();
        for error in [
            cache.get(b"large").map(drop).unwrap_err(),
            cache.get_with_ttl(b"large").map(drop).unwrap_err(),
            cache.get_many(&[b"small", b"large"]).map(drop).unwrap_err(),
        ] {
            let too_long = matches!(
                error.as_core(),
                Some(Error::StoredTooLong { len: 5000, .. })
            );
            assert!(too_long && !error.is_outage(), "{round}: {error:?}");
        }
        // The rest of the large value is no answer to the next request.
        assert_eq!(cache.get(b"small"), Ok(Some(vec![2; 500])));
    }
}

fn stored_value_over_the_limit_is_overwritten_by_two_levels<B: Backend>() {
    let server = Server::<B>::start();
    let other = long_deadline::<B>(server.port());
    let first = LruCache::<Vec<u8>, Vec<u8>>::with_capacity(10);
    let second = B::limited(&address::<B>(server.port()), 1000);
    let cache = TwoLevelCache::builder(first, second);
    let cache = cache.resilient().manual_recovery().build();
    for round in 1..=10 {
        other.insert_entry(b"large", vec![1; 5000], None).unwrap();
        cache.first().clear().unwrap();
        assert_eq!(cache.get(b"large"), Ok(None));
        assert_eq!(cache.stats().damaged, 2 * round - 1);
        let made = cache.get_or_insert_with(b"large", || vec![2]);
        assert_eq!(made, Ok(vec![2]));
        assert_eq!(other.get(b"large"), Ok(Some(vec![2])));
    }
    let stats = cache.stats();
    assert_eq!((stats.outages, stats.opened, stats.errors), (0, 0, 0));
}
