//! Tags in a cluster: an entry and its tags share a slot.

use crate::secs;
use ctu_std::{Cache, PrefixedRedisCache, RedisCache, RedisError, Tags};
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
