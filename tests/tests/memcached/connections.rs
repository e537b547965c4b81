use crate::{builder, raw, shown};
use ctu_std::{Cache, CacheExt, Error, MemCached, MemCachedError};
use ctu_tests::servers::MemcachedServer;

#[test]
fn pool_is_bounded() {
    let none = builder("localhost").raw().pool_size(0).build();
    let refused = matches!(none, Err(MemCachedError::Core(Error::OutOfRange { .. })));
    assert!(refused);
}

#[test]
fn socket_path_may_have_blanks_and_percent_signs() {
    let server = MemcachedServer::on_socket();
    let odd = format!("{} a%20+b", server.address());
    std::os::unix::fs::symlink(server.address(), &odd).unwrap();
    raw(&odd).insert(b"a", b"1").unwrap();
    let url = format!("unix://{}", odd.replace('%', "%25").replace(' ', "%20"));
    assert_eq!(raw(&url).get(b"a"), Ok(Some(b"1".to_vec())));
}

#[test]
fn unix_socket_works() {
    let mut server = MemcachedServer::on_socket();
    let cache = raw(&server.address());
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    let same: MemCached<[u8], Vec<u8>, _> = raw(&format!("unix://{}", server.address()));
    assert_eq!(same.get(b"a"), Ok(Some(b"1".to_vec())));
    server.restart();
    assert_eq!(cache.get(b"a"), Ok(None));
    server.kill();
    let error = cache.get(b"a").unwrap_err();
    let text = format!("no Memcached at {}: connection refused", server.address());
    assert_eq!(shown(error), text);
}
