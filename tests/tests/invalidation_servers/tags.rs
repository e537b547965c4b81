//! Tags at both levels, with two nodes.

use ctu_std::{
    AsyncCache, AsyncCacheExt, Cache, CacheError as _, CacheExt, Capability, ConcurrentCache,
    Error, IsAsync, ManualClock, PrefixedRedisCache, RedisBuilder, RedisCache, TrackingState,
    TwoLevelBuilder, TwoLevelCache, TwoLevelError,
};
use ctu_tests::servers::RedisServer;
use std::{sync::Arc, thread, time::Duration};

type First = ConcurrentCache<String, u32>;
type Second = PrefixedRedisCache<str, u32>;
type Node = TwoLevelCache<First, Second>;

fn server_cache(url: &str) -> RedisBuilder<ctu_std::Prefixed> {
    let builder = RedisCache::builder(url).prefix("app.");
    builder.deadline(Duration::from_secs(60)).tags()
}

fn builder(server: &RedisServer) -> TwoLevelBuilder<First, Second> {
    let second: Second = server_cache(&server.url()).build().unwrap();
    TwoLevelCache::builder(First::with_capacity(1_000), second).tags()
}

/// A node that hears of changes.
fn tracked(server: &RedisServer) -> Node {
    let node = builder(server)
        .invalidation_bound(Duration::from_secs(60))
        .build();
    while node.stats().tracking != TrackingState::Subscribed {
        node.get("none").unwrap();
        thread::yield_now();
    }
    node
}

/// Reads `key` until it is in the first level.
fn fill(node: &Node, key: &str, value: u32) {
    while node.get_first(key).unwrap() != Some(value) {
        assert_eq!(node.get(key), Ok(Some(value)));
        thread::yield_now();
    }
}

#[test]
fn invalidated_tag_reaches_the_first_level_of_other_nodes() {
    let server = RedisServer::start();
    let (one, other) = (tracked(&server), tracked(&server));
    for round in 0..20 {
        one.insert_with_tags("a", round, None, &["a", "both"])
            .unwrap();
        one.insert_with_tags("b", round, None, &["b", "both"])
            .unwrap();
        fill(&other, "a", round);
        fill(&other, "b", round);
        one.invalidate_tag("a").unwrap();
        assert_eq!(one.get("a"), Ok(None));
        while other.get_first("a").unwrap().is_some() {
            thread::yield_now();
        }
        assert_eq!(other.get("a"), Ok(None));
        assert_eq!(other.get("b"), Ok(Some(round)));
        one.invalidate_tag("both").unwrap();
        while other.get("b").unwrap().is_some() {
            thread::yield_now();
        }
    }
}

#[test]
fn evicted_generation_reaches_the_first_level() {
    let server = RedisServer::start();
    let node = tracked(&server);
    node.insert_with_tags("a", 1, None, &["a"]).unwrap();
    fill(&node, "a", 1);
    server.cli(&["del", "app.ctu-tag.a"]);
    while node.get("a").unwrap().is_some() {
        thread::yield_now();
    }
}

#[test]
fn own_invalidation_is_seen_at_once_without_tracking() {
    let server = RedisServer::start();
    let (one, other) = (builder(&server).build(), builder(&server).build());
    for key in ["a", "b"] {
        one.insert_with_tags(key, 1, None, &[key]).unwrap();
    }
    one.insert("none", 1_u32).unwrap();
    let all = ["a", "b", "none"];
    assert_eq!(other.get_many(&all), Ok(vec![Some(1); 3]));
    assert_eq!(other.stats().second_hits, 3);
    assert_eq!(other.get_many(&all), Ok(vec![Some(1); 3]));
    assert_eq!(other.stats().first_hits, 3);
    other.invalidate_tag("a").unwrap();
    assert_eq!(other.get_many(&all), Ok(vec![None, Some(1), Some(1)]));
    assert_eq!((other.get("a"), other.contains("a")), (Ok(None), Ok(false)));
    // The other node has the entry until it expires at its first level.
    assert_eq!(
        (one.get_first("a"), one.second().get("a")),
        (Ok(Some(1)), Ok(None))
    );
    // An entry without tags replaces one with tags.
    other.insert("b", 2_u32).unwrap();
    other.invalidate_tag("b").unwrap();
    assert_eq!(other.get_first("b"), Ok(Some(2)));
}

#[test]
fn common_tag_is_that_of_every_entry() {
    let server = RedisServer::start();
    let second = || server_cache(&server.url()).common_tag("all");
    let second: Second = second().build().unwrap();
    let node = TwoLevelCache::builder(First::with_capacity(100), second)
        .tags()
        .build();
    node.insert("a", 1_u32).unwrap();
    node.insert_many(vec![("b", 2_u32)], None).unwrap();
    assert_eq!(node.get_or_insert_with("c", || 3_u32), Ok(3));
    // A computation from before the invalidation is not kept.
    let made = node.get_or_insert_with("d", || {
        node.invalidate_tag("all").unwrap();
        4_u32
    });
    assert_eq!(made, Ok(4));
    for key in ["a", "b", "c", "d"] {
        assert_eq!(
            (node.get_first(key), node.get(key)),
            (Ok(None), Ok(None)),
            "{key}"
        );
    }
    assert_eq!(node.get_or_insert_with("c", || 5_u32), Ok(5));
    assert_eq!(node.get_first("c"), Ok(Some(5)));
}

#[test]
fn value_from_before_an_invalidation_by_another_node_is_not_stored() {
    let server = RedisServer::start();
    // They hear of each other by the second level alone.
    let (one, other) = (builder(&server).build(), builder(&server).build());
    let computed = |value: u32, invalidated: &str| {
        one.get_or_insert_with_tags("k", &["a", "b"], || {
            other.invalidate_tag(invalidated).unwrap();
            value
        })
    };
    let found = || (one.get_first("k").unwrap(), other.get("k").unwrap());
    assert_eq!((computed(1, "b"), found()), (Ok(1), (None, None)));
    assert_eq!((computed(2, "c"), found()), (Ok(2), (Some(2), Some(2))));
    // It has both tags.
    other.invalidate_tag("b").unwrap();
    assert_eq!(
        (other.get("k"), one.second().get("k")),
        (Ok(None), Ok(None))
    );
    one.invalidate_tag("a").unwrap();
    assert_eq!(one.get("k"), Ok(None));
    let failed = one.get_or_try_insert_with_tags::<u32, &str, _>("k", &["a"], || Err("no"));
    assert_eq!((failed, one.get("k")), (Ok(Err("no")), Ok(None)));
}

#[test]
fn caller_after_an_invalidation_does_not_wait_for_an_earlier_computation() {
    let server = RedisServer::start();
    let node = builder(&server).wait_limit(Duration::MAX).build();
    let earlier = node.get_or_insert_with_tags("k", &["a"], || {
        node.invalidate_tag("b").unwrap();
        node.invalidate_tag("a").unwrap();
        let later = thread::scope(|scope| {
            let compute = || node.get_or_insert_with_tags("k", &["a"], || 2_u32);
            scope.spawn(compute).join().unwrap()
        });
        assert_eq!(later, Ok(2));
        1_u32
    });
    assert_eq!((earlier, node.get_first("k")), (Ok(1), Ok(Some(2))));
    assert_eq!(node.second().get("k"), Ok(Some(2)));
}

#[test]
fn common_tag_that_another_node_invalidates_outdates_a_computation() {
    let server = RedisServer::start();
    let second = || server_cache(&server.url()).common_tag("all").build();
    let node = || {
        let second: Second = second().unwrap();
        TwoLevelCache::builder(First::with_capacity(100), second)
            .tags()
            .build()
    };
    let (one, other) = (node(), node());
    let made = one.get_or_insert_with("k", || {
        other.invalidate_tag("all").unwrap();
        1_u32
    });
    assert_eq!((made, one.get_first("k")), (Ok(1), Ok(None)));
    assert_eq!(other.get("k"), Ok(None));
    assert_eq!(one.get_or_insert_with("k", || 2_u32), Ok(2));
    assert_eq!(
        (one.get_first("k"), other.get("k")),
        (Ok(Some(2)), Ok(Some(2)))
    );
}

#[test]
fn value_with_tags_is_computed_during_an_outage() {
    let mut server = RedisServer::start();
    let resilient = builder(&server).resilient().build();
    let strict = builder(&server).build();
    server.kill();
    let made = resilient.get_or_insert_with_tags("k", &["a"], || 1_u32);
    assert_eq!((made, resilient.get_first("k")), (Ok(1), Ok(Some(1))));
    assert!(resilient.invalidate_tag("a").is_err());
    assert_eq!(resilient.get_first("k"), Ok(None));
    // As of other computations, the look-up fails before them.
    let failed = strict.get_or_insert_with_tags("k", &["a"], || -> u32 { unreachable!() });
    assert!(failed.unwrap_err().is_outage());
}

#[test]
fn entry_with_tags_is_not_refreshed_without_them() {
    let server = RedisServer::start();
    let second: Second = server_cache(&server.url()).build().unwrap();
    let clock = Arc::new(ManualClock::new());
    let first = ConcurrentCache::<String, u32, _>::with_ttl(
        100,
        Duration::from_secs(10),
        Arc::clone(&clock),
    );
    let node = TwoLevelCache::builder(first, second)
        .tags()
        .refresh_ahead(0.9, |_| Some(2))
        .build();
    node.insert_with_tags("tagged", 1, None, &["a"]).unwrap();
    node.insert("plain", 1_u32).unwrap();
    clock.advance(Duration::from_secs(5));
    for key in ["tagged", "plain"] {
        assert_eq!(node.get(key), Ok(Some(1)));
    }
    while node.get("plain") != Ok(Some(2)) {
        thread::yield_now();
    }
    assert_eq!(node.stats().refreshes, 1);
    assert_eq!(node.get("tagged"), Ok(Some(1)));
    node.invalidate_tag("a").unwrap();
    assert_eq!(node.get("tagged"), Ok(None));
}

#[test]
fn grace_has_no_entry_of_an_invalidated_tag() {
    let server = RedisServer::start();
    let node = builder(&server).grace(Duration::from_secs(60), 100);
    let node = node.build();
    let failing = |key: &str| {
        node.second().remove(key).unwrap();
        node.first().remove(key).unwrap();
        node.get_or_try_insert_with::<u32, &str, _>(key, || Err("no"))
            .unwrap()
    };
    for key in ["a", "b"] {
        node.insert_with_tags(key, 1, None, &[key]).unwrap();
    }
    node.invalidate_tag("a").unwrap();
    assert_eq!((failing("a"), failing("b")), (Err("no"), Ok(1)));
}

#[test]
fn outage_of_an_invalidation_is_an_error_of_a_resilient_cache() {
    let mut server = RedisServer::start();
    let node = builder(&server).resilient().build();
    node.insert_with_tags("a", 1, None, &["a"]).unwrap();
    server.kill();
    // An insertion is kept.
    node.insert_with_tags("b", 2, None, &["a"]).unwrap();
    assert_eq!(node.get("b"), Ok(Some(2)));
    let failed = node.invalidate_tag("a").unwrap_err();
    assert!(failed.is_outage(), "{failed}");
    assert_eq!((node.get("a"), node.get("b")), (Ok(None), Ok(None)));
}

#[test]
fn two_levels_without_tags_tell_so() {
    let server = RedisServer::start();
    let second: Second = server_cache(&server.url()).build().unwrap();
    let node = TwoLevelCache::builder(First::with_capacity(10), second).build();
    let unsupported = |failed: TwoLevelError<_, ctu_std::RedisError>| match failed {
        TwoLevelError::Second(error) => {
            error.as_core() == Some(Error::Unsupported(Capability::Tags))
        }
        _ => false,
    };
    assert!(unsupported(node.invalidate_tag("a").unwrap_err()));
    let inserted = node.insert_with_tags("k", 1, None, &["a"]);
    assert!(unsupported(inserted.unwrap_err()));
    let computed = node.get_or_insert_with_tags("k", &["a"], || -> u32 { unreachable!() });
    assert!(unsupported(computed.unwrap_err()));
    assert_eq!(node.second().get("k"), Ok(None));
}

#[test]
fn async_two_levels_have_the_same_tags() {
    let server = RedisServer::start();
    let blocking = tracked(&server);
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let second = server_cache(&server.url())
            .build_async::<str, u32>()
            .unwrap();
        let node: TwoLevelCache<_, _, IsAsync> =
            TwoLevelCache::builder(First::with_capacity(100), second)
                .tags()
                .invalidation_bound(Duration::from_secs(60))
                .build();
        while node.stats().tracking != TrackingState::Subscribed {
            node.get("none").await.unwrap();
            tokio::task::yield_now().await;
        }
        node.insert_with_tags("a", 1, None, &["a"]).await.unwrap();
        fill(&blocking, "a", 1);
        node.invalidate_tag("a").await.unwrap();
        assert_eq!(node.get("a").await, Ok(None));
        while blocking.get_first("a").unwrap().is_some() {
            thread::yield_now();
        }
        blocking.insert_with_tags("a", 2, None, &["a"]).unwrap();
        while node.get_first("a").unwrap() != Some(2) {
            assert_eq!(node.get_many(&["a"]).await, Ok(vec![Some(2)]));
            tokio::task::yield_now().await;
        }
        blocking.invalidate_tag("a").unwrap();
        while node.get("a").await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
        node.insert("a", 3_u32).await.unwrap();
        assert_eq!(node.get("a").await, Ok(Some(3)));
        for (invalidated, kept) in [("a", None), ("b", Some(4))] {
            node.remove("a").await.unwrap();
            let made = node.get_or_insert_with_tags("a", &["a"], || async {
                blocking.invalidate_tag(invalidated).unwrap();
                4_u32
            });
            assert_eq!((made.await, node.get("a").await), (Ok(4), Ok(kept)));
        }
        let failed =
            node.get_or_try_insert_with_tags("c", &["a"], || async { Err::<u32, _>("no") });
        assert_eq!(failed.await, Ok(Err("no")));
    });
}
