//! Groups of entries by tags.

use crate::{raw, secs, shown};
use ctu_std::{
    AsyncCache, AsyncPrefixedRedisCache, AsyncTags, Cache, CacheExt, Capability, EncryptedCache,
    Error, PrefixedRedisCache, RawRedisCache, RedisBuilder, RedisCache, RedisError, TagGenerations,
    Tags,
};
use ctu_tests::servers::RedisServer;
use std::time::Duration;

fn builder(server: &RedisServer) -> RedisBuilder<ctu_std::Prefixed> {
    let builder = RedisCache::builder(server.url()).prefix("app.");
    builder.deadline(secs(60)).tags()
}

fn cache(server: &RedisServer) -> PrefixedRedisCache<str, u32> {
    builder(server).build().unwrap()
}

#[test]
fn invalidated_tag_makes_its_entries_misses_for_every_program() {
    let server = RedisServer::start();
    let (one, other) = (cache(&server), cache(&server));
    one.insert_with_tags("both", 1, None, &["a", "b"]).unwrap();
    one.insert_with_tags("a", 2, None, &["a"]).unwrap();
    one.insert_with_tags("b", 3, None, &["b", "b"]).unwrap();
    one.insert("none", 4_u32).unwrap();
    let keys = ["both", "a", "b", "none"];
    let found = |cache: &PrefixedRedisCache<str, u32>| cache.get_many(&keys).unwrap();
    assert_eq!(found(&other), [Some(1), Some(2), Some(3), Some(4)]);
    other.invalidate_tag("a").unwrap();
    for cache in [&one, &other] {
        assert_eq!(found(cache), [None, None, Some(3), Some(4)]);
        let each = keys.map(|key| cache.get(key).unwrap());
        assert_eq!(each, [None, None, Some(3), Some(4)]);
        let there = keys.map(|key| cache.contains(key).unwrap());
        assert_eq!(there, [false, false, true, true]);
        let left = cache.get_many_with_ttl(&keys).unwrap();
        assert_eq!(left[0], None);
        assert!(left[2].unwrap().1.unwrap() > secs(500));
        assert_eq!(cache.get_with_ttl("a"), Ok(None));
        assert_eq!(cache.get_with_ttl("b").unwrap().unwrap().0, 3);
    }
    // A later entry is of the next generation.
    one.insert_with_tags("a", 5, None, &["a"]).unwrap();
    assert_eq!((other.get("a"), other.get("both")), (Ok(Some(5)), Ok(None)));
    assert_eq!((other.pop("both"), other.pop("a")), (Ok(None), Ok(Some(5))));
    assert_eq!(other.get("a"), Ok(None));
    // An unknown tag has no entries.
    one.invalidate_tag("never used").unwrap();
}

#[test]
fn entry_without_tags_is_that_of_python() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.insert("k", 7_u32).unwrap();
    cache.insert_many(vec![("l", 8_u32)], None).unwrap();
    assert_eq!(server.cli(&["get", "app.k"]), "7");
    assert_eq!(server.cli(&["get", "app.l"]), "8");
    server.cli(&["set", "app.from python", "9"]);
    assert_eq!(cache.get("from python"), Ok(Some(9)));
    // And the insertion of an entry without tags replaces one with tags.
    cache.insert_with_tags("k", 1, None, &["a"]).unwrap();
    cache.insert("k", 2_u32).unwrap();
    cache.invalidate_tag("a").unwrap();
    assert_eq!(cache.get("k"), Ok(Some(2)));
}

#[test]
fn evicted_generation_is_a_miss_and_no_resurrection() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.insert_with_tags("old", 1, None, &["a"]).unwrap();
    for lost in ["del app.ctu-tag.a", "set app.ctu-tag.a other", "flushall"] {
        server.cli(&lost.split(' ').collect::<Vec<_>>());
        assert_eq!(cache.get("old"), Ok(None), "{lost}");
        cache.insert_with_tags("new", 2, None, &["a"]).unwrap();
        assert_eq!(
            (cache.get("old"), cache.get("new")),
            (Ok(None), Ok(Some(2)))
        );
        cache.insert_with_tags("old", 1, None, &["a"]).unwrap();
    }
}

#[test]
fn generation_outlives_its_entries() {
    let server = RedisServer::start();
    let cache = cache(&server);
    let left = || -> i64 { server.cli(&["pttl", "app.ctu-tag.a"]).parse().unwrap() };
    cache
        .insert_with_tags("k", 1, Some(Duration::from_millis(90_500)), &["a"])
        .unwrap();
    assert!((170_000..=181_000).contains(&left()), "{}", left());
    let kept = server.cli(&["get", "app.ctu-tag.a"]);
    cache.insert_with_tags("l", 1, None, &["a"]).unwrap();
    assert!((1_190_000..=1_200_000).contains(&left()), "{}", left());
    // A shorter one changes nothing, which nodes would hear of.
    cache
        .insert_with_tags("m", 1, Some(secs(1)), &["a"])
        .unwrap();
    assert!((1_190_000..=1_200_000).contains(&left()), "{}", left());
    let for_ever: PrefixedRedisCache<str, u32> = builder(&server).no_ttl().build().unwrap();
    for_ever.insert_with_tags("n", 1, None, &["a"]).unwrap();
    assert_eq!(left(), -1);
    assert_eq!(server.cli(&["get", "app.ctu-tag.a"]), kept);
    let longest = Some(Duration::from_millis(1 << 62));
    for_ever.insert_with_tags("n", 1, longest, &["b"]).unwrap();
    assert_eq!(server.cli(&["pttl", "app.ctu-tag.b"]), "-1");
    let none = Some(Duration::ZERO);
    for_ever.insert_with_tags("n", 1, none, &["b"]).unwrap();
    assert_eq!(for_ever.get("n"), Ok(None));
}

#[test]
fn common_tag_clears_a_cache_in_one_step() {
    let server = RedisServer::start();
    let tagged: PrefixedRedisCache<str, u32> = builder(&server).common_tag("all").build().unwrap();
    tagged.insert("k", 1_u32).unwrap();
    let entries = (0..100).map(|n| (n.to_string(), n)).collect::<Vec<_>>();
    let borrowed = entries.iter().map(|(key, n)| (&**key, *n)).collect();
    tagged.insert_many(borrowed, None).unwrap();
    let untagged = cache(&server);
    untagged.insert("other", 2_u32).unwrap();
    assert_eq!((tagged.len(), tagged.get("7")), (Ok(102), Ok(Some(7))));
    untagged.invalidate_tag("all").unwrap();
    assert_eq!((tagged.get("k"), tagged.get("7")), (Ok(None), Ok(None)));
    assert_eq!(tagged.get("other"), Ok(Some(2)));
    tagged.insert("k", 3_u32).unwrap();
    assert_eq!(tagged.get("k"), Ok(Some(3)));
}

#[test]
fn generations_are_not_among_the_keys() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.insert_with_tags("k", 1, None, &["a"]).unwrap();
    let keys: Result<Vec<String>, _> = cache.keys().collect();
    assert_eq!((keys, cache.len()), (Ok(vec!["k".to_owned()]), Ok(1)));
    let reserved = Err(RedisError::Core(Error::Encode(
        "a key that begins with ctu-tag. is reserved in a cache with tags",
    )));
    assert_eq!(cache.insert("ctu-tag.a", 1_u32), reserved);
    cache.retain(&mut |_| false).unwrap();
    assert_eq!(cache.len(), Ok(0));
}

#[test]
fn every_value_of_bytes_is_kept() {
    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url()).raw().deadline(secs(60));
    let cache: RawRedisCache = builder.tags().build().unwrap();
    cache
        .insert_with_tags(b"tagged", b"value".to_vec(), None, &["a"])
        .unwrap();
    // As another program reads it.
    let stored = raw(&server.url()).get(b"tagged").unwrap().unwrap();
    for value in [
        &*stored,
        b"\0ctu-tags\x01",
        b"\0ctu-tags\x01\x01\0",
        b"",
        b"\0",
    ] {
        for tags in [&[][..], &["b"]] {
            cache
                .insert_with_tags(b"k", value.to_vec(), None, tags)
                .unwrap();
            assert_eq!(cache.get(b"k"), Ok(Some(value.to_vec())));
        }
        cache.insert(b"k", value).unwrap();
        cache.invalidate_tag("a").unwrap();
        assert_eq!(cache.get(b"k"), Ok(Some(value.to_vec())));
        assert_eq!(cache.get_many(&[b"k"]), Ok(vec![Some(value.to_vec())]));
    }
    // Parts of an entry with tags are misses, and no error of a script.
    for len in 11..stored.len() - 5 {
        raw(&server.url()).insert(b"part", &stored[..len]).unwrap();
        assert_eq!(cache.get(b"part"), Ok(None), "{len}");
    }
}

#[test]
fn too_many_and_too_long_tags_are_refused() {
    let server = RedisServer::start();
    let cache = cache(&server);
    let insert = |tags: &[&str]| cache.insert_with_tags("k", 1, None, tags);
    let names: Vec<String> = (0..256).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    insert(&names[..255]).unwrap();
    assert_eq!(cache.get("k"), Ok(Some(1)));
    assert_eq!(
        shown(insert(&names).unwrap_err()),
        "a number of tags of 256, allowed is 0 to 255"
    );
    let long = "x".repeat(64 << 10);
    assert!(matches!(
        insert(&[&long[..60_000], &long[..50_000]]),
        Err(RedisError::Core(Error::OutOfRange { .. }))
    ));
    let too_long = |done| matches!(done, Err(RedisError::Core(Error::KeyTooLong { .. })));
    assert!(too_long(cache.invalidate_tag(&long)));
    assert_eq!(cache.tag_mark(&long), None);
    // Nothing was changed.
    assert_eq!(cache.get("k"), Ok(Some(1)));
}

#[test]
fn cache_without_tags_tells_so() {
    let server = RedisServer::start();
    let without = RedisCache::builder(server.url()).prefix("app.").build();
    let without: PrefixedRedisCache<str, u32> = without.unwrap();
    let unsupported = || RedisError::Core(Error::Unsupported(Capability::Tags));
    let inserted = without.insert_with_tags("k", 1, None, &["a"]);
    assert_eq!(inserted, Err(unsupported()));
    assert_eq!(without.invalidate_tag("a"), Err(unsupported()));
    assert_eq!(without.get_tagged("k"), Err(unsupported()));
    // An entry with tags is a corrupt value to it.
    cache(&server)
        .insert_with_tags("k", 1, None, &["a"])
        .unwrap();
    assert!(matches!(without.get("k"), Err(RedisError::Decode { .. })));
}

#[test]
fn tags_work_through_mappings() {
    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url()).raw().deadline(secs(60));
    let base: RawRedisCache = builder.tags().build().unwrap();
    let cache = EncryptedCache::new(&base, b"a secret of some length");
    cache
        .insert_with_tags(b"key", b"value".to_vec(), None, &["a"])
        .unwrap();
    let found = cache.get_tagged(b"key").unwrap().unwrap();
    assert_eq!((&*found.value, found.tags.len()), (&b"value"[..], 1));
    assert_eq!(found.tags[0], base.tag_mark("a").unwrap());
    let many = cache.get_many_tagged(&[b"key", b"no"]).unwrap();
    assert_eq!(many[0].as_ref().unwrap().tags, found.tags);
    assert_eq!(many[1], None);
    base.invalidate_tag("a").unwrap();
    assert_eq!(cache.get(b"key"), Ok(None));
}

#[test]
fn async_cache_has_the_same_tags() {
    let server = RedisServer::start();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let blocking = cache(&server);
    runtime.block_on(async {
        let cache: AsyncPrefixedRedisCache<str, u32> = builder(&server).build_async().unwrap();
        cache
            .insert_with_tags("k", 1, None, &["a", "b"])
            .await
            .unwrap();
        assert_eq!(blocking.get("k"), Ok(Some(1)));
        let entry = cache.get_tagged("k").await.unwrap().unwrap();
        assert_eq!((entry.value, entry.tags.len()), (1, 2));
        let many = cache.get_many_tagged(&["no", "k"]).await.unwrap();
        assert_eq!(many[0], None);
        assert_eq!(many[1].as_ref().unwrap().tags, entry.tags);
        assert_eq!(cache.get_many(&["k", "no"]).await, Ok(vec![Some(1), None]));
        blocking.invalidate_tag("b").unwrap();
        assert_eq!(cache.get("k").await, Ok(None));
        blocking.insert_with_tags("k", 2, None, &["b"]).unwrap();
        assert_eq!(cache.get("k").await, Ok(Some(2)));
        cache.invalidate_tag("b").await.unwrap();
        assert_eq!(blocking.get("k"), Ok(None));
        for (invalidated, kept) in [("b", None), ("c", Some(3))] {
            let made = cache.get_or_insert_with_tags("k", &["a", "b"], || async {
                blocking.invalidate_tag(invalidated).unwrap();
                3_u32
            });
            assert_eq!((made.await, cache.get("k").await), (Ok(3), Ok(kept)));
        }
    });
}

#[test]
fn value_from_before_an_invalidation_is_not_stored() {
    let server = RedisServer::start();
    let (one, other) = (cache(&server), cache(&server));
    let compute = |value: u32, invalidated: &str| {
        one.get_or_insert_with_tags("k", &["a", "b"], || {
            other.invalidate_tag(invalidated).unwrap();
            value
        })
    };
    assert_eq!((compute(1, "b"), one.get("k")), (Ok(1), Ok(None)));
    assert_eq!((compute(2, "c"), one.get("k")), (Ok(2), Ok(Some(2))));
    // A hit computes nothing.
    assert_eq!((compute(3, "a"), one.get("k")), (Ok(2), Ok(Some(2))));
    other.invalidate_tag("a").unwrap();
    assert_eq!(one.get("k"), Ok(None));
    // A newer value of another program stays.
    let made = one.get_or_insert_with_tags("k", &["a"], || {
        other.invalidate_tag("a").unwrap();
        other.insert_with_tags("k", 5, None, &["a"]).unwrap();
        4_u32
    });
    assert_eq!((made, one.get("k")), (Ok(4), Ok(Some(5))));
    one.remove("k").unwrap();
    let failed = one.get_or_try_insert_with_tags::<u32, &str, _>("k", &["a"], || Err("no"));
    assert_eq!((failed, one.get("k")), (Ok(Err("no")), Ok(None)));
}

#[test]
fn entry_under_taken_generations_lives_for_its_time() {
    let server = RedisServer::start();
    let cache = cache(&server);
    for (ttl, left) in [
        (None, 500_000..=600_000),
        (Some(secs(2_000)), 1_900_000..=2_000_000),
        (
            Some(Duration::from_millis(1_500_500)),
            1_400_000..=1_500_500,
        ),
    ] {
        let taken = cache.tag_generations("k", ttl, &["a"]).unwrap();
        assert_eq!(cache.insert_under("k", 1, ttl, &taken), Ok(true));
        let pttl = |key| server.cli(&["pttl", key]).parse::<u64>().unwrap();
        assert!(left.contains(&pttl("app.k")), "{ttl:?}");
        assert!(pttl("app.ctu-tag.a") >= pttl("app.k"));
    }
    let entry = cache.get_tagged("k").unwrap().unwrap();
    assert_eq!(entry.tags, [cache.tag_mark("a").unwrap()]);
    // A generation without an expiry outlives the entries of all times.
    let for_ever: PrefixedRedisCache<str, u32> = builder(&server).no_ttl().build().unwrap();
    let taken = for_ever.tag_generations("k", None, &["a"]).unwrap();
    assert_eq!(for_ever.insert_under("k", 2, None, &taken), Ok(true));
    assert_eq!(server.cli(&["pttl", "app.k"]), "-1");
    assert_eq!(server.cli(&["pttl", "app.ctu-tag.a"]), "-1");
    // No time at all is a removal, and no tags are those of an entry without tags.
    let none = Some(Duration::ZERO);
    let taken = cache.tag_generations("k", none, &["a"]).unwrap();
    assert_eq!(cache.insert_under("k", 3, none, &taken), Ok(true));
    assert_eq!(cache.get("k"), Ok(None));
    let taken = cache.tag_generations("k", None, &[]).unwrap();
    assert_eq!(cache.insert_under("k", 4, None, &taken), Ok(true));
    assert_eq!(server.cli(&["get", "app.k"]), "4");
}

#[test]
fn malformed_generations_are_refused() {
    let server = RedisServer::start();
    let cache = cache(&server);
    let taken = cache.tag_generations("k", None, &["a"]).unwrap();
    assert_eq!(TagGenerations::new(taken.as_bytes().to_vec()), taken);
    for len in 1..taken.as_bytes().len() {
        let part = TagGenerations::new(taken.as_bytes()[..len].to_vec());
        assert!(cache.insert_under("k", 1, None, &part).is_err(), "{len}");
    }
    assert_eq!(cache.get("k"), Ok(None));
}

#[test]
fn generations_pass_through_mappings() {
    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url()).raw().deadline(secs(60));
    let base: RawRedisCache = builder.tags().build().unwrap();
    let cache = EncryptedCache::new(&base, b"a secret of some length");
    let compute = |invalidated: &str| {
        cache.get_or_insert_with_tags(b"key", &["a"], || {
            base.invalidate_tag(invalidated).unwrap();
            b"value".to_vec()
        })
    };
    let value = || b"value".to_vec();
    assert_eq!((compute("a"), cache.get(b"key")), (Ok(value()), Ok(None)));
    assert_eq!(compute("b"), Ok(value()));
    assert_eq!(cache.get(b"key"), Ok(Some(value())));
}
