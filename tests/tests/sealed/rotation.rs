//! Keys that rotate in a fleet.

use crate::{Base, SECRET, base, in_every_suite};
use ctu_core::{Cache, CacheExt, KeyRing, KeyedAead, SealedCache};

in_every_suite!(
    three_steps_in_any_order_of_nodes_miss_nothing,
    a_skipped_step_is_a_miss_and_no_error,
);

const NEXT: &[u8] = b"another secret, as long.";
const NODES: usize = 4;

fn new<X: KeyedAead>() -> KeyRing<X, 1> {
    KeyRing::derived(SECRET, 1, SECRET).unwrap()
}

/// Every order of the nodes.
fn orders() -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for node in 0..NODES {
        all = all
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, node);
                    order
                })
            })
            .collect();
    }
    all
}

/// Each node writes an entry, and reads those of all.
fn all_read_all<X: KeyedAead>(base: &Base, fleet: &[KeyRing<X, 1>]) {
    let caches: Vec<_> = fleet
        .iter()
        .map(|ring| SealedCache::with_keys(base, ring))
        .collect();
    for (node, cache) in caches.iter().enumerate() {
        cache.insert(&[node as u8], vec![7; node]).unwrap();
        for (other, cache) in caches.iter().enumerate() {
            assert_eq!(
                cache.get(&[node as u8]),
                Ok(Some(vec![7; node])),
                "{other} reads {node}"
            );
        }
    }
    assert!(caches.iter().all(|cache| cache.rejected() == 0));
}

fn three_steps_in_any_order_of_nodes_miss_nothing<X: KeyedAead>() {
    let steps: [fn(&mut KeyRing<X, 1>); 3] = [
        |ring| ring.add(2, NEXT).unwrap(),
        |ring| ring.write_with(2).unwrap(),
        |ring| ring.retire(1).unwrap(),
    ];
    for order in orders() {
        let base = base();
        let mut fleet: Vec<_> = (0..NODES).map(|_| new::<X>()).collect();
        all_read_all(&base, &fleet);
        for step in steps {
            for node in &order {
                step(&mut fleet[*node]);
                all_read_all(&base, &fleet);
            }
        }
        assert_eq!(base.len(), Ok(NODES));
    }
}

fn a_skipped_step_is_a_miss_and_no_error<X: KeyedAead>() {
    let base = base();
    let (old, mut short_deadline) = (new::<X>(), new::<X>());
    short_deadline.add(2, NEXT).unwrap();
    short_deadline.write_with(2).unwrap();
    let (old, short_deadline) = (
        SealedCache::with_keys(&base, old),
        SealedCache::with_keys(&base, short_deadline),
    );
    short_deadline.insert(b"key", b"new".to_vec()).unwrap();
    assert_eq!(old.get(b"key"), Ok(None));
    assert_eq!((old.rejected(), old.unknown_key()), (1, 1));
    // The node that lags behind computes the value anew, for both.
    old.insert(b"key", b"old".to_vec()).unwrap();
    assert_eq!(short_deadline.get(b"key"), Ok(Some(b"old".to_vec())));
}
