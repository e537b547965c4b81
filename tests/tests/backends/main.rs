//! The promises of every backend, against real servers, with and without faults: each scenario is
//! written once and runs on Redis, on Memcached and on the async caches. The differences are in
//! `redis`, `memcached` and `async_redis`.

/// Makes a test for each backend of each of these functions, which take it as a parameter.
macro_rules! on_every_backend {
    ($($scenario:ident)*) => {
        mod redis {
            $(#[test] fn $scenario() { super::$scenario::<ctu_tests::servers::Redis>(); })*
        }
        mod memcached {
            $(#[test] fn $scenario() { super::$scenario::<ctu_tests::servers::Memcached>(); })*
        }
        mod async_redis {
            $(#[test] fn $scenario() { super::$scenario::<ctu_tests::servers::AsyncRedis>(); })*
        }
        mod async_memcached {
            $(#[test] fn $scenario() { super::$scenario::<ctu_tests::servers::AsyncMemcached>(); })*
        }
    };
}

/// The same without the async caches.
macro_rules! on_every_blocking_backend {
    ($($scenario:ident)*) => {
        mod redis {
            $(#[test] fn $scenario() { super::$scenario::<ctu_tests::servers::Redis>(); })*
        }
        mod memcached {
            $(#[test] fn $scenario() { super::$scenario::<ctu_tests::servers::Memcached>(); })*
        }
    };
}

/// Makes a test for a cache on a client of the crate `memcache`, in each of its protocols, of each
/// of these functions.
macro_rules! on_the_memcache_client {
    ($($scenario:ident)*) => {
        mod memcache_text {
            $(#[test] fn $scenario() { super::$scenario::<ctu_tests::servers::MemcacheClient<true>>(); })*
        }
        mod memcache_binary {
            $(#[test] fn $scenario() { super::$scenario::<ctu_tests::servers::MemcacheClient<false>>(); })*
        }
    };
}

mod answers;
mod async_memcached;
mod async_redis;
mod backend;
mod batches;
mod connections;
mod entries;
mod entry_limits;
mod memcache_client;
mod memcached;
mod one_computation;
mod outages;
mod process;
mod proxied;
mod redis;
mod refusals;
