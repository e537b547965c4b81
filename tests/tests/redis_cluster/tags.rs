//! Tags in a cluster: an entry and its tags share a slot.

use crate::secs;
use ctu_std::{
    AsyncCache, AsyncPrefixedRedisCache, Cache, PrefixedRedisCache, RedisCache, RedisError, Tags,
};
use ctu_tests::servers::RedisCluster;

#[test]
fn tags_share_the_hash_tag_of_their_entries() {
    let cluster = RedisCluster::start(3);
    let cache = |prefix: &str| -> PrefixedRedisCache<str, u32> {
        let builder = RedisCache::cluster(cluster.urls()).prefix(prefix);
        builder.deadline(secs(60)).tags().build().unwrap()
    };
    // In the prefix.
    let whole = cache("{app}.");
    for n in 0..20 {
        whole
            .insert_with_tags(&n.to_string(), n, None, &["a", "b"])
            .unwrap();
    }
    assert_eq!(
        whole.get_many(&["1", "7", "no"]),
        Ok(vec![Some(1), Some(7), None])
    );
    whole.invalidate_tag("b").unwrap();
    assert_eq!(whole.get_many(&["1", "7"]), Ok(vec![None, None]));
    // Or in keys and tags.
    let parts = cache("app.");
    for user in 0..20 {
        let key = format!("{{user {user}}}.name");
        let tag = format!("{{user {user}}}");
        parts.insert_with_tags(&key, user, None, &[&tag]).unwrap();
        assert_eq!(parts.get(&key), Ok(Some(user)));
        if user % 2 == 0 {
            parts.invalidate_tag(&tag).unwrap();
            assert_eq!(parts.get(&key), Ok(None));
        }
    }
    let other = parts.insert_with_tags("k", 1, None, &["a"]);
    assert_eq!(other, Err(RedisError::TagInOtherSlot));
    assert_eq!(parts.get("k"), Ok(None));
}

/// Each node has scripts of its own.
#[test]
fn scripts_that_nodes_lost_are_sent_again() {
    let cluster = RedisCluster::start(3);
    let forget = || {
        for node in 0..cluster.masters() {
            assert_eq!(cluster.node(node).cli(&["script", "flush"]), "OK");
        }
    };
    let builder = || RedisCache::cluster(cluster.urls()).prefix("app.").tags();
    let keys: Vec<String> = (0..60).map(|n| format!("{{{n}}}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let all: Vec<Option<u32>> = (0..60).map(Some).collect();
    let blocking: PrefixedRedisCache<str, u32> = builder().deadline(secs(60)).build().unwrap();
    for (key, n) in keys.iter().zip(0..) {
        blocking.insert_with_tags(key, n, None, &[key]).unwrap();
    }
    forget();
    assert_eq!(blocking.get_many(&keys), Ok(all.clone()));
    forget();
    assert_eq!(blocking.pop(keys[7]), Ok(Some(7)));
    assert_eq!(blocking.get(keys[7]), Ok(None));
    blocking
        .insert_with_tags(keys[7], 7, None, &[keys[7]])
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let cache = builder().deadline(secs(60)).build_async();
        let cache: AsyncPrefixedRedisCache<str, u32> = cache.unwrap();
        forget();
        assert_eq!(cache.get_many(&keys).await, Ok(all));
        forget();
        assert_eq!(cache.pop(keys[9]).await, Ok(Some(9)));
        assert_eq!(cache.get(keys[9]).await, Ok(None));
    });
}
