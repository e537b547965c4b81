//! A master is gone, and its replica takes over.

use crate::{
    forms::{Form, in_both_forms},
    in_time, keys_of, secs,
};
use ctu_std::{CacheError as _, CacheExt, RedisCache};
use ctu_tests::servers::RedisCluster;
use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

in_both_forms! {
    killed_master_affects_only_its_keys_until_failover
    failover_of_a_hanging_master_is_followed
    failover_while_idle_fails_no_operation
}

/// A key and its possible values.
struct Key {
    name: String,
    /// Whether its master is one that stays.
    stays: bool,
    /// The number in the value that has surely reached the replica, and in the last that was sent.
    replicated: u32,
    sent: u32,
    /// The value if no write was lost since; `None` if it is unknown.
    certain: Option<Option<u32>>,
    /// Whether it was removed since it was replicated.
    removed: bool,
}

impl Key {
    fn insert_entry(&mut self, cache: &impl Form) -> bool {
        self.sent += 1;
        let value = format!("{} {}", self.name, self.sent);
        let done = cache.insert(self.name.as_bytes(), value.as_bytes());
        self.certain = done.is_ok().then_some(Some(self.sent));
        self.judge(done.err())
    }

    fn remove(&mut self, cache: &impl Form) -> bool {
        self.removed = true;
        let done = cache.remove(self.name.as_bytes());
        self.certain = done.is_ok().then_some(None);
        self.judge(done.err())
    }

    fn get(&mut self, cache: &impl Form) -> bool {
        let found = match cache.get(self.name.as_bytes()) {
            Ok(found) => found.map(|value| self.number(&value)),
            Err(error) => return self.judge(Some(error)),
        };
        if let (true, Some(certain)) = (self.stays, self.certain) {
            assert_eq!(found, certain, "{}", self.name);
        }
        match found {
            None => assert!(self.removed, "{} is gone", self.name),
            Some(number) => {
                let written = self.replicated..=self.sent;
                assert!(written.contains(&number), "{}: {number}", self.name);
            }
        }
        true
    }

    fn number(&self, value: &[u8]) -> u32 {
        let value = String::from_utf8(value.to_vec()).expect("a value of ours");
        let (name, number) = value.rsplit_once(' ').expect("a value of ours");
        assert_eq!(name, self.name, "another key's value");
        number.parse().expect("a value of ours")
    }

    /// Whether the operation was done.
    fn judge(&self, error: Option<ctu_std::RedisError>) -> bool {
        let Some(error) = error else { return true };
        assert!(!self.stays, "{}, whose master stays: {error}", self.name);
        assert!(error.is_outage(), "{error}");
        false
    }
}

fn killed_master_affects_only_its_keys_until_failover<C: Form>() {
    let mut cluster = RedisCluster::replicated(3);
    let cache = RedisCache::cluster(&cluster.urls()[..3]).raw();
    let cache = C::build(cache.deadline(secs(30))).unwrap();
    let keys: Vec<Vec<String>> = (0..3).map(|node| keys_of(&cluster, node, 32)).collect();
    let (steps, over) = (Barrier::new(5), AtomicBool::new(false));
    let (operations, outages) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        let work = |thread: usize| {
            let mine = (0..3).flat_map(|node| keys[node].iter().map(move |key| (node, key)));
            let mut mine: Vec<Key> = mine
                .skip(thread)
                .step_by(4)
                .map(|(node, name)| Key {
                    name: name.clone(),
                    stays: node != 0,
                    replicated: 1,
                    sent: 0,
                    certain: None,
                    removed: false,
                })
                .collect();
            for key in &mut mine {
                assert!(key.insert_entry(&cache));
            }
            // All of that is replicated in between.
            steps.wait();
            steps.wait();
            for round in 0_usize.. {
                for (n, key) in mine.iter_mut().enumerate() {
                    let done = match (round + n) % 10 {
                        0 => key.remove(&cache),
                        1..5 => key.insert_entry(&cache),
                        _ => key.get(&cache),
                    };
                    operations.fetch_add(1, SeqCst);
                    outages.fetch_add(usize::from(!done), SeqCst);
                }
                let all: Vec<&[u8]> = mine.iter().map(|key| key.name.as_bytes()).collect();
                if let Ok(found) = cache.get_many(&all) {
                    for (key, found) in mine.iter().zip(found) {
                        found.map(|value| key.number(&value));
                    }
                }
                if over.load(SeqCst) {
                    break;
                }
            }
            // No restart was needed: all works as ever.
            for key in &mut mine {
                while !key.insert_entry(&cache) {
                    thread::yield_now();
                }
                key.stays = true;
                assert!(key.get(&cache));
            }
        };
        let threads: Vec<_> = (0..4)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        steps.wait();
        cluster.replicate(0);
        steps.wait();
        let ended = || threads.iter().any(|thread| thread.is_finished());
        let until = |count: &AtomicUsize, number| {
            while count.load(SeqCst) < number && !ended() {
                thread::yield_now();
            }
        };
        until(&operations, 2_000);
        cluster.node_mut(0).kill();
        until(&outages, 1);
        cluster.fail_over(0);
        until(&operations, operations.load(SeqCst) + 1_000);
        over.store(true, SeqCst);
    });
    assert!(outages.into_inner() > 0);
    assert!(in_time(|| cache.len()) <= 96);
    // The old master becomes a replica of the new one, and its entries are replaced.
    cluster.node_mut(0).start_again();
    cluster.settle();
    let all: Vec<&[u8]> = keys.iter().flatten().map(|key| key.as_bytes()).collect();
    in_time(|| cache.remove_many(&all));
    assert_eq!(in_time(|| cache.get_many(&all)), vec![None; 96]);
    assert_eq!(in_time(|| cache.len()), 0);
}

fn failover_of_a_hanging_master_is_followed<C: Form>() {
    let cluster = RedisCluster::replicated(3);
    let builder = RedisCache::cluster(cluster.urls()).raw().pool_size(2);
    let short_deadline = builder.deadline(Duration::from_millis(100));
    let short_deadline = C::build(short_deadline).unwrap();
    let keys: Vec<String> = (0..3).flat_map(|node| keys_of(&cluster, node, 2)).collect();
    let all: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
    for key in &all {
        in_time(|| short_deadline.insert(key, *key));
    }
    cluster.replicate(0);
    cluster.node(0).pause();
    // The first error is that of the hung node. Several operations may pass until the new master is
    // known.
    let error = short_deadline.get_many(&all).unwrap_err();
    assert!(error.is_outage(), "{error}");
    let found = in_time(|| short_deadline.get_many(&all));
    assert!(
        found
            .into_iter()
            .flatten()
            .eq(all.iter().map(|key| key.to_vec()))
    );
    cluster.node(0).resume();
    for key in &all {
        in_time(|| short_deadline.insert(key, b"2"));
        assert_eq!(in_time(|| short_deadline.get(key)), Some(b"2".to_vec()));
    }
}

fn failover_while_idle_fails_no_operation<C: Form>() {
    let mut cluster = RedisCluster::replicated(3);
    // Each cache detects the change by another operation.
    let [get, pop, many, all] = [(); 4].map(|()| crate::raw::<C>(&cluster));
    let keys: Vec<String> = (0..3).flat_map(|node| keys_of(&cluster, node, 2)).collect();
    let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
    for key in &keys {
        all.insert(key, *key).unwrap();
        for cache in [&get, &pop, &many] {
            assert_eq!(cache.get(key), Ok(Some(key.to_vec())));
        }
    }
    (0..3).for_each(|master| cluster.replicate(master));
    cluster.node_mut(1).kill();
    cluster.fail_over(1);
    assert_eq!(all.len(), Ok(6));
    assert_eq!(all.keys().filter(Result::is_ok).count(), 6);
    assert_eq!(get.get(keys[2]), Ok(Some(keys[2].to_vec())));
    let found = many.get_many(&keys).unwrap();
    let expected = keys.iter().map(|key| Some(key.to_vec()));
    assert!(found.into_iter().eq(expected));
    // An unreachable node has executed nothing, so the `pop` takes effect once.
    assert_eq!(pop.pop(keys[3]), Ok(Some(keys[3].to_vec())));
    all.clear().unwrap();
    assert_eq!(all.len(), Ok(0));
}
