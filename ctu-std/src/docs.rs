//! Pages of documentation. Those with examples for a server are shown with its feature.

#[cfg_attr(all(feature = "redis", feature = "tokio"), doc = include_str!("../docs/async.md"))]
#[cfg_attr(
    not(all(feature = "redis", feature = "tokio")),
    doc = "Shown with the features `redis` and `tokio`."
)]
pub mod asynchronous {}

#[cfg_attr(feature = "redis", doc = include_str!("../docs/cached.md"))]
#[cfg_attr(not(feature = "redis"), doc = "Shown with the feature `redis`.")]
pub mod cached {}

#[cfg_attr(
    all(feature = "memcached", feature = "redis"),
    doc = include_str!("../docs/from-cachetoolsutils.md")
)]
#[cfg_attr(
    not(all(feature = "memcached", feature = "redis")),
    doc = "Shown with the features `redis` and `memcached`."
)]
pub mod from_cachetoolsutils {}

#[cfg_attr(feature = "redis", doc = include_str!("../docs/resilience.md"))]
#[cfg_attr(not(feature = "redis"), doc = "Shown with the feature `redis`.")]
pub mod resilience {}

#[cfg_attr(feature = "redis", doc = include_str!("../docs/coherence.md"))]
#[cfg_attr(not(feature = "redis"), doc = "Shown with the feature `redis`.")]
pub mod coherence {}

#[cfg_attr(feature = "snapshot", doc = include_str!("../docs/which-cache.md"))]
#[cfg_attr(not(feature = "snapshot"), doc = "Shown with the feature `snapshot`.")]
pub mod which_cache {}
