use crate::backend::{Backend, long_deadline, with_server};
use ctu_std::{Cache, CacheExt};
use ctu_tests::servers::Server;

on_every_backend! {
    entry_is_stored_found_and_removed
    keys_and_values_may_hold_every_byte
    empty_value_is_a_value
    large_value_round_trips
}

on_the_memcache_client! {
    entry_is_stored_found_and_removed
    keys_and_values_may_hold_every_byte
    empty_value_is_a_value
    large_value_round_trips
}

fn entry_is_stored_found_and_removed<B: Backend>() {
    let (_server, cache) = with_server::<B>();
    assert_eq!(cache.get(b"a"), Ok(None));
    assert_eq!(cache.contains(b"a"), Ok(false));
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    assert_eq!(cache.contains(b"a"), Ok(true));
    B::assert_len(&cache, 1);
    assert_eq!(cache.remove(b"a"), Ok(true));
    assert_eq!(cache.remove(b"a"), Ok(false));
    B::assert_len(&cache, 0);
    cache.insert(b"a", b"2").unwrap();
    assert_eq!(cache.pop(b"a"), Ok(Some(b"2".to_vec())));
    assert_eq!(cache.pop(b"a"), Ok(None));
    let made = cache.get_or_insert_with(b"b", || b"3");
    assert_eq!(made, Ok(b"3".to_vec()));
    assert_eq!(cache.get(b"b"), Ok(Some(b"3".to_vec())));
    cache.clear().unwrap();
    assert_eq!(cache.get(b"b"), Ok(None));
}

fn keys_and_values_may_hold_every_byte<B: Backend>() {
    let (_server, cache) = with_server::<B>();
    for byte in 0..=255 {
        let key = [byte, b'k', byte];
        cache.insert_entry(&key, vec![byte; 300], None).unwrap();
    }
    let all: Vec<u8> = (0..=255).collect();
    cache.insert_entry(b"all", all.clone(), None).unwrap();
    // Whole answers of the server, in a value.
    let answers = B::garbage().concat();
    cache
        .insert_entry(b"answers", answers.clone(), None)
        .unwrap();
    cache.insert(b"", b"no key").unwrap();
    for byte in 0..=255 {
        let found = cache.get(&[byte, b'k', byte]);
        assert_eq!(found, Ok(Some(vec![byte; 300])));
    }
    assert_eq!(cache.get(b"all"), Ok(Some(all)));
    assert_eq!(cache.get(b"answers"), Ok(Some(answers)));
    assert_eq!(cache.get(b""), Ok(Some(b"no key".to_vec())));
    B::assert_len(&cache, 259);
}

fn empty_value_is_a_value<B: Backend>() {
    let (_server, cache) = with_server::<B>();
    cache.insert(b"a", b"").unwrap();
    assert_eq!(cache.get(b"a"), Ok(Some(Vec::new())));
    assert_eq!(cache.get_many(&[b"a", b"b"]), Ok(vec![Some(vec![]), None]));
    let timed = cache.get_with_ttl(b"a").unwrap();
    assert_eq!(timed.map(|(value, _)| value), Some(Vec::new()));
}

fn large_value_round_trips<B: Backend>() {
    let server = Server::<B>::with(B::LARGE);
    let cache = long_deadline::<B>(server.port());
    let large: Vec<u8> = (0..64 << 20)
        .map(|i: u32| (i >> 8) as u8 ^ i as u8)
        .collect();
    cache.insert_entry(b"large", large.clone(), None).unwrap();
    assert!(cache.get(b"large").unwrap().unwrap() == large);
    assert_eq!(cache.get(b"other"), Ok(None));
}
