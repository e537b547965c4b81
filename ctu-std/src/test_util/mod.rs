//! Support for the tests of programs: a cache and a network that fail on command, and the checks of a cache of one's
//! own (feature `test-util`).
//!
//! # A rehearsed outage
//!
//! A [`FaultyCache`] in place of the server, and a [`ManualClock`](crate::ManualClock) in place of the time, make an
//! outage a plain test:
//!
//! ```
//! use ctu_std::{
//!     BreakerState, Cache, CacheExt, LruCache, LockedCache, ManualClock, TwoLevelCache,
//!     test_util::{Fault, FaultyCache},
//! };
//! use std::{sync::Arc, time::Duration};
//!
//! let clock = Arc::new(ManualClock::new());
//! let level = || LockedCache::new(LruCache::<String, u32>::with_capacity(100));
//! let server = Arc::new(FaultyCache::new(level()));
//! let cache = TwoLevelCache::builder(level(), Arc::clone(&server))
//!     .resilient()
//!     .manual_recovery()
//!     .clock(Arc::clone(&clock))
//!     .build();
//! cache.insert("price", 10)?;
//!
//! server.fail(Fault::Unreachable);
//! for _ in 0..5 {
//!     cache.insert("price", 20)?;
//! }
//! assert_eq!(cache.stats().breaker, BreakerState::Open);
//! assert_eq!(cache.get("price")?, Some(20));
//!
//! server.work();
//! while let Some(wait) = cache.recover() {
//!     clock.advance(wait);
//! }
//! assert_eq!(cache.stats().breaker, BreakerState::Closed);
//! assert_eq!(cache.stats().journal, 0);
//! assert_eq!(server.get_ref().get("price")?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A rehearsed outage of a real server
//!
//! A [`FaultProxy`] stands between a program and a real server. It delays replies, loses bytes and closes connections
//! on command:
//!
//! ```no_run
//! # #[cfg(feature = "redis")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use ctu_std::{
//!     ConcurrentCache, RedisCache, TwoLevelCache, prelude::*,
//!     test_util::{FaultProxy, NetworkFault},
//! };
//! use std::time::Duration;
//!
//! let proxy = FaultProxy::new("127.0.0.1:6379")?;
//! let redis = RedisCache::builder(format!("redis://{}", proxy.address()));
//! let second = redis.deadline(Duration::from_millis(500)).build::<str, u32>()?;
//! let first = ConcurrentCache::<String, u32>::with_capacity(100);
//! let prices = TwoLevelCache::builder(first, second).resilient().build();
//!
//! proxy.fail(NetworkFault::BlackHole);
//! prices.insert("lamp", 20)?;
//! assert_eq!(prices.get("lamp")?, Some(20));
//! proxy.work();
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "redis"))]
//! # fn main() {}
//! ```
//!
//! # A cache of one's own
//!
//! [`check_cache`] and [`check_async_cache`] check the promises of the traits [`Cache`](crate::Cache) and
//! [`AsyncCache`](crate::AsyncCache) in one line:
//!
//! ```
//! use ctu_std::{ConcurrentCache, test_util::check_cache};
//!
//! check_cache(|| ConcurrentCache::<u32, String>::with_capacity(100), |n| n, |n| n.to_string());
//! ```

mod conformance;
mod faulty;
mod proxy;

pub use conformance::{check_async_cache, check_cache};
pub use faulty::{Fault, FaultyCache, FaultyError};
pub use proxy::{FaultProxy, NetworkFault, StreamFault};
