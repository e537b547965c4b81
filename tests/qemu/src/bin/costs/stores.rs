//! Instructions of stores, beside those of other crates.

use crate::{Fresh, MISSING, Timer, average, each};
use core::hint::black_box;
use core::time::Duration;
use ctu_core::{
    LruCache, TtlCache,
    stores::{Evicting, Unordered},
};
use heapless::{index_map::FnvIndexMap, linear_map::LinearMap};

pub(crate) fn lru<const N: usize>(subject: &str) {
    let mut cache = LruCache::<u32, u32, N>::new();
    let n = N as u32;
    let rounds = 512;
    cache.extend((0..n).map(|key| (key, key)));
    average(subject, "hit", rounds, |i| {
        black_box(cache.get(&(i % n)));
    });
    average(subject, "miss", rounds, |i| {
        black_box(cache.get(&(i | MISSING)));
    });
    let mut fresh = Fresh(n);
    average(subject, "insert, evicts", rounds, |_| {
        black_box(cache.insert(fresh.next(), 7));
    });
    cache.clear();
    each(subject, "insert, room", n, |i| {
        black_box(cache.insert(i, 7));
    });
    each(subject, "remove", n, |i| {
        black_box(cache.remove(&i));
    });
}

/// A store that evicts, without a recency list.
pub(crate) fn unordered<const N: usize, R: Evicting>(subject: &str) {
    let mut cache = Unordered::<u32, u32, N, u16, R>::new();
    let n = N as u32;
    let rounds = 512;
    cache.extend((0..n).map(|key| (key, key)));
    average(subject, "hit", rounds, |i| {
        black_box(cache.get(&(i % n)));
    });
    average(subject, "miss", rounds, |i| {
        black_box(cache.get(&(i | MISSING)));
    });
    let mut fresh = Fresh(n);
    average(subject, "insert, evicts", rounds, |_| {
        black_box(cache.insert(fresh.next(), 7));
    });
    cache.clear();
    each(subject, "insert, room", n, |i| {
        black_box(cache.insert(i, 7));
    });
    each(subject, "remove", n, |i| {
        black_box(cache.remove(&i));
    });
}

pub(crate) fn ttl<const N: usize>(subject: &str) {
    let mut cache = TtlCache::<u32, u32, N, Timer>::new(Duration::from_secs(60), Timer);
    let n = N as u32;
    let rounds = 512;
    for key in 0..n {
        cache.insert(key, key);
    }
    average(subject, "hit", rounds, |i| {
        black_box(cache.get(&(i % n)));
    });
    average(subject, "miss", rounds, |i| {
        black_box(cache.get(&(i | MISSING)));
    });
    let mut fresh = Fresh(n);
    average(subject, "insert, evicts", rounds, |_| {
        black_box(cache.insert(fresh.next(), 7));
    });
    average(subject, "insert_with_ttl, evicts", rounds, |i| {
        let ttl = Duration::from_millis(u64::from(1_000 + i));
        black_box(cache.insert_with_ttl(fresh.next(), 7, ttl).is_ok());
    });
    cache.clear();
    each(subject, "insert, room", n, |i| {
        black_box(cache.insert(i, 7));
    });
    each(subject, "remove", n, |i| {
        black_box(cache.remove(&i));
    });
}

pub(crate) fn uluru<const N: usize>(subject: &str) {
    let mut cache = uluru::LRUCache::<(u32, u32), N>::new();
    let n = N as u32;
    let rounds = 512;
    for key in 0..n {
        cache.insert((key, key));
    }
    average(subject, "hit", rounds, |i| {
        let key = i % n;
        black_box(cache.find(|entry| entry.0 == key));
    });
    average(subject, "miss", rounds, |i| {
        let key = i | MISSING;
        black_box(cache.find(|entry| entry.0 == key));
    });
    let mut fresh = Fresh(n);
    average(subject, "insert, evicts", rounds, |_| {
        black_box(cache.insert((fresh.next(), 7)));
    });
}

/// heapless' maps keep no order; the caller remembers the oldest key and removes it.
macro_rules! map {
    ($name:ident, $map:ty) => {
        pub(crate) fn $name<const N: usize>(subject: &str) {
            let mut map = <$map>::new();
            let n = N as u32;
            let rounds = 512;
            for key in 0..n {
                black_box(map.insert(key, key).is_ok());
            }
            average(subject, "hit", rounds, |i| {
                black_box(map.get(&(i % n)));
            });
            average(subject, "miss", rounds, |i| {
                black_box(map.get(&(i | MISSING)));
            });
            let mut fresh = Fresh(n - 1);
            average(subject, "insert, evicts", rounds, |_| {
                let key = fresh.next();
                black_box(map.remove(&(key - n)));
                black_box(map.insert(key, 7).is_ok());
            });
            map.clear();
            each(subject, "insert, room", n, |i| {
                black_box(map.insert(i, 7).is_ok());
            });
            each(subject, "remove", n, |i| {
                black_box(map.remove(&i));
            });
        }
    };
}
map!(index_map, FnvIndexMap<u32, u32, N>);
map!(linear_map, LinearMap<u32, u32, N>);
