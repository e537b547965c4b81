//! The async form of Memcached as a backend, each operation run to its end.

use crate::backend::{Backend, Operation};
use ctu_std::{AsyncRawMemCached, Cache, MemCached, MemCachedBuilder, MemCachedError};
use ctu_tests::{
    blocking::{Blocking, RUNTIME},
    servers::{AsyncMemcached, Memcached},
};
use std::time::Duration;

fn built(builder: MemCachedBuilder) -> Blocking<AsyncRawMemCached> {
    Blocking(builder.raw().build_async().expect("a good address"))
}

impl Backend for AsyncMemcached {
    type Cache = Blocking<AsyncRawMemCached>;
    type Error = MemCachedError;

    const SCHEME: &'static str = Memcached::SCHEME;
    const PORT: u16 = Memcached::PORT;
    const FEW_CLIENTS: &'static [&'static str] = Memcached::FEW_CLIENTS;
    const SMALL: &'static [&'static str] = Memcached::SMALL;
    const LARGE: &'static [&'static str] = Memcached::LARGE;
    const PUT_ANSWER: &'static [u8] = Memcached::PUT_ANSWER;
    const UNASKED: &'static [u8] = Memcached::UNASKED;
    /// None: a reply that is added while other requests wait is not found.
    const UNASKED_UNDER_LOAD: [&'static [u8]; 2] = [b"", b""];

    fn cache(address: &str, deadline: Duration, connections: usize) -> Self::Cache {
        let builder = MemCached::builder(address).max_item(128 << 20);
        let builder = builder.connect_deadline(deadline).deadline(deadline);
        built(builder.pool_size(connections))
    }

    fn limited(address: &str, max: usize) -> Self::Cache {
        let builder = MemCached::builder(address).max_item(max);
        built(builder.deadline(Duration::from_secs(60)))
    }

    fn connections(cache: &Self::Cache) -> u64 {
        let stats = RUNTIME.block_on(cache.0.stats());
        stats.expect("the server")[0].connections
    }

    fn ask(cache: &Self::Cache) -> Result<(), MemCachedError> {
        RUNTIME.block_on(cache.0.stats()).map(drop)
    }

    fn before_once(cache: &Self::Cache) -> Result<(), MemCachedError> {
        cache.remove(b"once").map(drop)
    }

    fn once(cache: &Self::Cache) -> Result<(), MemCachedError> {
        RUNTIME.block_on(cache.0.add(b"once", b"1", None)).map(drop)
    }

    fn was_done(cache: &Self::Cache) -> bool {
        cache.get(b"once") == Ok(Some(b"1".to_vec()))
    }

    fn put_request(value: &[u8]) -> Vec<u8> {
        Memcached::put_request(value)
    }

    fn get_answer(value: &[u8]) -> Vec<u8> {
        Memcached::get_answer(value)
    }

    fn get_many_answer() -> Vec<u8> {
        Memcached::get_many_answer()
    }

    fn endless() -> Vec<u8> {
        Memcached::endless()
    }

    fn answered() -> Vec<(Vec<u8>, Operation<Self>)> {
        let [(meta, _)] = &*Memcached::answered() else {
            panic!("another answer needs an operation here");
        };
        vec![(meta.clone(), |cache| {
            let found = cache.get_with_ttl(b"a")?;
            let left = Some(Duration::from_secs(50));
            assert_eq!(found, Some((b"value".to_vec(), left)));
            Ok(())
        })]
    }

    fn garbage() -> Vec<Vec<u8>> {
        Memcached::garbage()
    }

    fn parts() -> Vec<Vec<u8>> {
        Memcached::parts()
    }
}
