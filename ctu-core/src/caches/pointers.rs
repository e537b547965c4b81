//! References and shared pointers to caches are caches.

use super::{
    cache::{Cache, Found},
    forward::{forward_blocking, forward_methods},
};
use crate::error::Error;
use core::time::Duration;

macro_rules! pointer_is_cache {
    ([$($generics:tt)*] $t:ty $(, $get_equivalent:item)?) => {
        impl<$($generics)*> Cache for $t {
            type Key = C::Key;
            type Value = C::Value;
            type Error = C::Error;

            forward_blocking!(this => (**this));
            $($get_equivalent)?
        }
    };
    ($($t:ty),*) => {
        $(pointer_is_cache!([C: Cache + ?Sized] $t);)*
    };
}
pointer_is_cache!(&C);
#[cfg(feature = "alloc")]
pointer_is_cache!(alloc::boxed::Box<C>, alloc::rc::Rc<C>);
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
pointer_is_cache!(alloc::sync::Arc<C>);
// So that a cache that is made on first use is a cache like any other.
#[cfg(feature = "std")]
pointer_is_cache!(
    [C: Cache] std::sync::LazyLock<C>,
    fn get_equivalent<Q>(&self, key: &Q) -> Result<Option<Self::Value>, Self::Error>
    where
        Q: crate::entries::KeyParts<Self::Key>,
    {
        (**self).get_equivalent(key)
    }
);
