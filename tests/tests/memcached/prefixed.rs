use crate::builder;
use ctu_std::{Cache, CacheExt, Error, MemCachedError, PrefixedMemCached};
use ctu_tests::servers::MemcachedServer;

fn cache(server: &MemcachedServer, prefix: &str) -> PrefixedMemCached<str, u32> {
    let builder = builder(server.address()).prefix(prefix);
    builder.build().unwrap()
}

#[test]
fn keys_without_the_prefix_are_hidden() {
    let server = MemcachedServer::start();
    let (own, other) = (cache(&server, "own."), cache(&server, "other."));
    own.insert("a", 1).unwrap();
    other.insert("a", 2).unwrap();
    assert_eq!((own.get("a"), other.get("a")), (Ok(Some(1)), Ok(Some(2))));
    assert_eq!(own.remove("a"), Ok(true));
    assert_eq!(other.get("a"), Ok(Some(2)));
    // With a prefix even an empty key is one.
    own.insert("", 3).unwrap();
    assert_eq!(own.get(""), Ok(Some(3)));
}

#[test]
fn clear_keeps_keys_without_the_prefix() {
    let server = MemcachedServer::start();
    let (own, all) = (cache(&server, "own."), cache(&server, ""));
    own.insert("a", 1).unwrap();
    let error = own.clear().unwrap_err();
    assert!(matches!(error, MemCachedError::Core(Error::Unsupported(_))));
    assert_eq!(own.get("a"), Ok(Some(1)));
    let error = own.retain(&mut |_| false).unwrap_err();
    assert!(matches!(error, MemCachedError::Core(Error::Unsupported(_))));
    all.clear().unwrap();
    assert_eq!(own.get("a"), Ok(None));
}

#[test]
fn prefix_with_a_separator_is_rejected() {
    for prefix in ["a b", "a\r\nflush_all\r\n", "\0", "\x7f"] {
        let cache = builder("localhost").prefix(prefix).build::<str, u32>();
        let refused = matches!(cache, Err(MemCachedError::Core(Error::Encode(_))));
        assert!(refused, "{prefix:?}");
    }
}
