//! The statistics of a cache, through the wrappers above it.

/// The statistics of a cache. A wrapper such as [`PrefixedCache`](crate::PrefixedCache) has those
/// of its inner cache.
///
/// Caches with statistics also have these methods without the trait; a wrapper has them by the
/// trait, which the [`prelude`](crate::prelude) contains.
///
/// ```
/// use ctu_core::{LruCache, PrefixedCache, SpinCache, StatsCache, Text, prelude::*};
///
/// let cache = StatsCache::new(SpinCache::new(LruCache::<Text<8>, u32, 8>::new()));
/// let users = PrefixedCache::new(&cache, "user.");
/// users.insert("7", 1u32)?;
/// users.get("7")?;
/// assert_eq!(users.stats()?.reads, 1);
/// assert_eq!(users.hit_rate()?, 1.0);
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub trait HasStats {
    /// The statistics.
    type Stats;
    /// The error of a cache that asks a server for them.
    type Error;

    /// The statistics since the creation of the cache or their reset.
    ///
    /// # Errors
    /// Those of the cache, such as an unreachable server.
    fn stats(&self) -> Result<Self::Stats, Self::Error>;

    /// The share of lookups that found a value, 0 to 1; 0 before the first lookup.
    ///
    /// # Errors
    /// Those of [`stats`](Self::stats).
    fn hit_rate(&self) -> Result<f64, Self::Error>;
}

/// Implements [`HasStats`] by that of an inner cache.
macro_rules! forward_stats {
    ($(impl[$($generics:tt)*] for $t:ty, $C:ty, $this:ident => $inner:expr;)*) => {$(
        impl<$($generics)*> $crate::caches::HasStats for $t {
            type Stats = <$C as $crate::caches::HasStats>::Stats;
            type Error = <$C as $crate::caches::HasStats>::Error;

            fn stats(&self) -> Result<Self::Stats, Self::Error> {
                let $this = self;
                <$C as $crate::caches::HasStats>::stats($inner)
            }

            fn hit_rate(&self) -> Result<f64, Self::Error> {
                let $this = self;
                <$C as $crate::caches::HasStats>::hit_rate($inner)
            }
        }
    )*};
}
pub(crate) use forward_stats;

forward_stats!(impl[C: HasStats + ?Sized] for &C, C, this => *this;);
#[cfg(feature = "alloc")]
forward_stats! {
    impl[C: HasStats + ?Sized] for alloc::boxed::Box<C>, C, this => this;
    impl[C: HasStats + ?Sized] for alloc::rc::Rc<C>, C, this => this;
}
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
forward_stats!(impl[C: HasStats + ?Sized] for alloc::sync::Arc<C>, C, this => this;);
#[cfg(feature = "std")]
forward_stats!(impl[C: HasStats] for std::sync::LazyLock<C>, C, this => this;);
