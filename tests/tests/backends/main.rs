//! What holds of every backend, against real servers, in fair weather and foul: each scenario is
//! written once and runs on Redis and on Memcached. What is particular to one is in `redis` and
//! `memcached`.

/// Makes a test for each backend of each of these functions, which take it as a parameter.
macro_rules! on_every_backend {
    ($($scenario:ident)*) => {
        mod redis {
            $(#[test] fn $scenario() { super::$scenario::<ctu_tests::servers::Redis>(); })*
        }
        mod memcached {
            $(#[test] fn $scenario() { super::$scenario::<ctu_tests::servers::Memcached>(); })*
        }
    };
}

mod answers;
mod backend;
mod batches;
mod connections;
mod entries;
mod entry_limits;
mod foul_weather;
mod memcached;
mod one_computation;
mod process;
mod proxied;
mod redis;
mod refusals;
