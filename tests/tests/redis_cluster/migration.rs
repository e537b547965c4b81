//! Slots that move, by hand, while they are read and written.

use crate::{
    forms::{Form, in_both_forms},
    keys_of, raw, text,
};
use ctu_std::CacheExt;
use ctu_tests::servers::RedisCluster;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    thread,
};

in_both_forms! {
    slot_migration_under_load_fails_no_operation
    ask_redirect_leaves_the_map_unchanged
    moved_redirect_updates_the_map
    joined_node_is_found
}

/// Begins to move `slot` from one node to another.
pub(crate) fn begin(cluster: &RedisCluster, slot: &str, from: usize, to: usize) {
    let importing = ["cluster", "setslot", slot, "importing", &cluster.id(from)];
    assert_eq!(cluster.node(to).cli(&importing), "OK");
    let migrating = ["cluster", "setslot", slot, "migrating", &cluster.id(to)];
    assert_eq!(cluster.node(from).cli(&migrating), "OK");
}

/// Moves some keys of `slot`, and says whether there were any.
pub(crate) fn move_keys(
    cluster: &RedisCluster,
    slot: &str,
    from: usize,
    to: usize,
    count: &str,
) -> bool {
    let node = cluster.node(from);
    let keys = node.cli(&["cluster", "getkeysinslot", slot, count]);
    let keys: Vec<&str> = keys.lines().collect();
    if keys.is_empty() {
        return false;
    }
    let port = cluster.node(to).port().to_string();
    let migrate = ["migrate", "127.0.0.1", &port, "", "0", "60000", "keys"];
    let moved = node.cli(&[&migrate[..], &keys].concat());
    assert!(["OK", "NOKEY"].contains(&&*moved), "{moved}");
    true
}

/// Says that `slot` is at its new node.
pub(crate) fn end(cluster: &RedisCluster, slot: &str, from: usize, to: usize) {
    let id = cluster.id(to);
    for node in [to, from] {
        let done = cluster
            .node(node)
            .cli(&["cluster", "setslot", slot, "node", &id]);
        assert_eq!(done, "OK");
    }
    cluster.settle();
}

/// The number of redirects that a node has sent.
fn redirects(cluster: &RedisCluster, node: usize, kind: &str) -> usize {
    let info = cluster.node(node).cli(&["info", "errorstats"]);
    let name = format!("errorstat_{kind}:count=");
    let line = info.lines().find_map(|line| line.strip_prefix(&name));
    line.map_or(0, |count| count.trim().parse().unwrap())
}

/// Does everything to keys of one slot, which no other thread touches.
fn work(cache: &impl Form, thread: usize, over: &AtomicBool, rounds: &AtomicUsize) {
    let keys: Vec<String> = (0..20).map(|n| format!("{{m}}.{thread}.{n}")).collect();
    let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
    for round in 0_u32.. {
        let value = |n: usize| [&round.to_le_bytes()[..], keys[n]].concat();
        let entries = keys.iter().zip(0..).map(|(key, n)| (*key, value(n)));
        cache.insert_many(entries.collect(), None).unwrap();
        let found = cache.get_many(&keys).unwrap();
        assert!(
            found
                .into_iter()
                .eq((0..keys.len()).map(|n| Some(value(n))))
        );
        for (n, key) in keys.iter().enumerate() {
            match n % 5 {
                0 => assert_eq!(cache.get(key), Ok(Some(value(n)))),
                1 => {
                    let (found, left) = cache.get_with_ttl(key).unwrap().unwrap();
                    assert!(found == value(n) && left.is_some());
                }
                2 => {
                    assert_eq!(cache.pop(key), Ok(Some(value(n))));
                    assert_eq!(cache.get(key), Ok(None));
                }
                3 => {
                    assert_eq!(cache.remove(key), Ok(true));
                    assert_eq!(cache.contains(key), Ok(false));
                }
                _ => assert_eq!(cache.touch(key, None), Ok(true)),
            }
        }
        let left = cache.get_many_with_ttl(&keys).unwrap();
        assert_eq!(left.iter().flatten().count(), 12);
        rounds.fetch_add(1, SeqCst);
        if over.load(SeqCst) {
            break;
        }
    }
}

fn slot_migration_under_load_fails_no_operation<C: Form>() {
    let cluster = RedisCluster::start(3);
    let cache = raw::<C>(&cluster);
    let slot = cluster.slot("{m}");
    let from = (0..3)
        .find(|node| cluster.slots(*node).contains(&slot))
        .unwrap();
    let (slot, to) = (slot.to_string(), (from + 1) % 3);
    let (over, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|thread| {
                let (cache, over, rounds) = (&cache, &over, &rounds);
                scope.spawn(move || work(cache, thread, over, rounds))
            })
            .collect();
        // Waits until the threads have seen the last change. A thread that ended has found a fault.
        let let_them = || {
            let now = rounds.load(SeqCst);
            let ended = || threads.iter().any(|thread| thread.is_finished());
            while rounds.load(SeqCst) < now + 6 && !ended() {
                thread::yield_now();
            }
        };
        let_them();
        begin(&cluster, &slot, from, to);
        let_them();
        while move_keys(&cluster, &slot, from, to, "7") {}
        let_them();
        while move_keys(&cluster, &slot, from, to, "100") {}
        end(&cluster, &slot, from, to);
        let_them();
        over.store(true, SeqCst);
    });
    assert!(redirects(&cluster, from, "ASK") > 0);
    assert!(redirects(&cluster, from, "MOVED") > 0);
}

fn ask_redirect_leaves_the_map_unchanged<C: Form>() {
    let cluster = RedisCluster::start(2);
    let cache = raw::<C>(&cluster);
    let key = keys_of(&cluster, 0, 1).remove(0);
    let slot = cluster.slot(&key).to_string();
    cache.insert(key.as_bytes(), b"1").unwrap();
    begin(&cluster, &slot, 0, 1);
    let new = format!("{{{key}}}");
    for _ in 0..3 {
        // One is still at the first node, the other begins at the second.
        assert_eq!(text(&cache, &key).as_deref(), Some("1"));
        cache.insert(new.as_bytes(), b"2").unwrap();
        assert_eq!(text(&cache, &new).as_deref(), Some("2"));
    }
    let found = cache.get_many(&[new.as_bytes(), key.as_bytes()]).unwrap();
    assert_eq!(found, [Some(b"2".to_vec()), Some(b"1".to_vec())]);
    assert_eq!(redirects(&cluster, 0, "ASK"), 7);
    assert_eq!(redirects(&cluster, 1, "MOVED"), 0);
    assert_eq!(cache.pop(new.as_bytes()), Ok(Some(b"2".to_vec())));
}

fn moved_redirect_updates_the_map<C: Form>() {
    let cluster = RedisCluster::start(3);
    let cache = raw::<C>(&cluster);
    let keys = keys_of(&cluster, 0, 3);
    for key in &keys {
        cache.insert(key.as_bytes(), key.as_bytes()).unwrap();
    }
    for key in &keys {
        let slot = cluster.slot(key).to_string();
        begin(&cluster, &slot, 0, 2);
        while move_keys(&cluster, &slot, 0, 2, "10") {}
        end(&cluster, &slot, 0, 2);
    }
    let asked: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
    let found = cache.get_many(&asked).unwrap();
    assert!(
        found
            .into_iter()
            .flatten()
            .eq(asked.iter().map(|key| key.to_vec()))
    );
    let before = redirects(&cluster, 0, "MOVED");
    assert!(before > 0);
    for key in &keys {
        assert_eq!(text(&cache, key).as_ref(), Some(key));
    }
    assert_eq!(redirects(&cluster, 0, "MOVED"), before);
}

fn joined_node_is_found<C: Form>() {
    let mut cluster = RedisCluster::start(2);
    let cache = raw::<C>(&cluster);
    let key = keys_of(&cluster, 1, 1).remove(0);
    cache.insert(key.as_bytes(), b"1").unwrap();
    let slot = cluster.slot(&key).to_string();
    let joined = cluster.join();
    begin(&cluster, &slot, 1, joined);
    // Only ASK has announced the new node so far.
    let new = format!("{{{key}}}");
    cache.insert(new.as_bytes(), b"2").unwrap();
    while move_keys(&cluster, &slot, 1, joined, "10") {}
    end(&cluster, &slot, 1, joined);
    // An operation on all masters finds it without a key, once the slot map is refreshed.
    while cache.len() != Ok(2) {
        thread::yield_now();
    }
    let keys: BTreeSet<_> = cache.keys().collect::<Result<_, _>>().unwrap();
    assert_eq!(keys, BTreeSet::from([key.into_bytes(), new.into_bytes()]));
    cache.clear().unwrap();
    assert_eq!(cluster.node(joined).cli(&["dbsize"]), "0");
}
