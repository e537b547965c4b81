//! The identity of a cache.

/// The identity of a cache in this process, for single flights: its address, without a pointer.
///
/// Two caches that live at the same time have different identities, but for caches of size 0.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CacheId(usize);

impl CacheId {
    /// The identity of `cache`.
    pub fn of<C: ?Sized>(cache: &C) -> Self {
        Self(core::ptr::from_ref(cache).addr())
    }
}
