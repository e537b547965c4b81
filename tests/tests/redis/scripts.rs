//! Scripts are sent by their hashes, and by their texts to a server that lacks them.

use crate::secs;
use ctu_std::{
    AsyncCache, AsyncPrefixedRedisCache, AsyncRedisCache, AsyncTags, Cache, CacheExt, Claims,
    PrefixedRedisCache, RedisBuilder, RedisCache, Tags,
};
use ctu_tests::servers::RedisServer;

fn settings(builder: RedisBuilder) -> RedisBuilder<ctu_std::Prefixed> {
    builder.prefix("app.").deadline(secs(60)).tags()
}

/// The number of scripts that the server ran by their texts, and the number that it was to run by their
/// hashes, since the last call.
fn ran(server: &RedisServer) -> (u64, u64) {
    let stats = server.cli(&["info", "commandstats"]);
    server.cli(&["config", "resetstat"]);
    let calls = |command: &str| {
        let name = format!("cmdstat_{command}:calls=");
        let line = stats.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
    };
    (calls("eval"), calls("evalsha"))
}

fn forget_scripts(server: &RedisServer) {
    assert_eq!(server.cli(&["script", "flush"]), "OK");
    ran(server);
}

/// A kind of operation with a script, as its number of requests and the operation.
type Operation<'o> = (u64, &'o dyn Fn());

/// Runs each operation on a server that lacks its script, and on one that has it.
fn scripts_are_sent_once(server: &RedisServer, operations: &[Operation<'_>]) {
    for (number, (requests, operation)) in operations.iter().enumerate() {
        forget_scripts(server);
        operation();
        assert_eq!(ran(server), (*requests, *requests), "operation {number}");
        operation();
        assert_eq!(ran(server), (0, *requests), "operation {number}");
    }
}

fn every_operation_survives_the_loss_of_scripts(
    server: &RedisServer,
    cache: &PrefixedRedisCache<str, u32>,
) {
    let keys: Vec<String> = (0..50).map(|n| n.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for (key, n) in keys.iter().zip(0..) {
        cache.insert_with_tags(key, n, None, &["a"]).unwrap();
    }
    let all = || (0..50).map(Some).collect::<Vec<_>>();
    scripts_are_sent_once(
        server,
        &[
            (1, &|| {
                cache.insert_with_tags("0", 0, None, &["a", "b"]).unwrap()
            }),
            (1, &|| assert_eq!(cache.get("1"), Ok(Some(1)))),
            (1, &|| assert_eq!(cache.contains("1"), Ok(true))),
            (1, &|| assert!(cache.get_with_ttl("2").unwrap().is_some())),
            (1, &|| assert!(cache.get_tagged("2").unwrap().is_some())),
            (50, &|| assert_eq!(cache.get_many(&keys), Ok(all()))),
            (50, &|| {
                assert_eq!(cache.get_many_tagged(&keys).unwrap().len(), 50)
            }),
            (1, &|| assert_eq!(cache.pop("none"), Ok(None))),
            (1, &|| cache.release("claimed", 1).unwrap()),
        ],
    );
    // The server has done nothing before it gets the text: the entry is removed and returned once.
    forget_scripts(server);
    assert_eq!((cache.pop("7"), cache.pop("7")), (Ok(Some(7)), Ok(None)));
    // In the middle of a batch, before any of its commands.
    forget_scripts(server);
    cache.insert("plain", 1_u32).unwrap();
    assert_eq!(
        cache.get_many(&["8", "none", "plain"]),
        Ok(vec![Some(8), None, Some(1)])
    );
}

#[test]
fn lost_scripts_are_sent_again() {
    let server = RedisServer::start();
    let cache = settings(RedisCache::builder(server.url())).build().unwrap();
    every_operation_survives_the_loss_of_scripts(&server, &cache);
}

#[test]
fn lost_scripts_are_sent_again_on_an_external_connection() {
    let server = RedisServer::start();
    let client = redis::Client::open(server.url()).unwrap();
    let builder = RedisCache::from_connection(client.get_connection().unwrap());
    let cache = settings(builder).build().unwrap();
    every_operation_survives_the_loss_of_scripts(&server, &cache);
}

#[test]
fn batch_of_entries_with_a_common_tag_survives_the_loss_of_scripts() {
    let server = RedisServer::start();
    let cache = settings(RedisCache::builder(server.url())).common_tag("all");
    let cache: PrefixedRedisCache<str, u32> = cache.build().unwrap();
    let insert = || {
        let entries = vec![("a", 1), ("b", 2), ("c", 3)];
        cache.insert_many(entries, None).unwrap();
    };
    scripts_are_sent_once(&server, &[(3, &insert)]);
    assert_eq!(cache.get_many(&["a", "c"]), Ok(vec![Some(1), Some(3)]));
}

async fn every_async_operation_survives_the_loss_of_scripts(
    server: &RedisServer,
    cache: &AsyncPrefixedRedisCache<str, u32>,
) {
    for key in ["a", "b", "c"] {
        cache.insert_with_tags(key, 1, None, &["t"]).await.unwrap();
    }
    forget_scripts(server);
    assert_eq!(cache.get("a").await, Ok(Some(1)));
    assert_eq!(ran(server), (1, 1));
    assert_eq!(cache.get("b").await, Ok(Some(1)));
    assert_eq!(ran(server), (0, 1));
    forget_scripts(server);
    let many = cache.get_many(&["a", "none", "c"]).await;
    assert_eq!(many, Ok(vec![Some(1), None, Some(1)]));
    assert_eq!(ran(server), (3, 3));
    forget_scripts(server);
    assert_eq!(cache.pop("a").await, Ok(Some(1)));
    assert_eq!(cache.pop("a").await, Ok(None));
    assert_eq!(ran(server), (1, 2));
    forget_scripts(server);
    cache.insert_with_tags("a", 2, None, &["t"]).await.unwrap();
    assert_eq!(cache.contains("a").await, Ok(true));
    assert_eq!(ran(server), (2, 2));
}

#[test]
fn lost_scripts_are_sent_again_by_tasks() {
    let server = RedisServer::start();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let own = settings(RedisCache::builder(server.url()));
        let own = own.build_async().unwrap();
        every_async_operation_survives_the_loss_of_scripts(&server, &own).await;
        let client = redis::Client::open(server.url()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let external = settings(AsyncRedisCache::from_connection(connection));
        let external = external.build_async().unwrap();
        every_async_operation_survives_the_loss_of_scripts(&server, &external).await;
    });
}
