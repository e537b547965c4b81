//! References and shared pointers to caches are caches.

use super::{AsyncCache, LocalAsyncCache};
use crate::{
    caches::{
        cache::Found,
        forward::{forward_async, forward_methods},
    },
    error::Error,
};
use core::time::Duration;

macro_rules! pointer_is_async {
    ($Trait:ident $(+ $Bound:ident)*, $t:ty $(, $Send:ident)?) => {
        pointer_is_async!([C: $Trait $(+ $Bound)* + ?Sized] $Trait, $t $(, $Send)?);
    };
    ([$($generics:tt)*] $Trait:ident, $t:ty $(, $Send:ident)?) => {
        impl<$($generics)*> $Trait for $t {
            type Key = C::Key;
            type Value = C::Value;
            type Error = C::Error;

            forward_async!([$($Send)?] this => (**this));
        }
    };
}
pointer_is_async!(AsyncCache, &C, Send);
pointer_is_async!(LocalAsyncCache, &C);
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
pointer_is_async!(AsyncCache + Send, alloc::sync::Arc<C>, Send);
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
pointer_is_async!(LocalAsyncCache, alloc::sync::Arc<C>);
#[cfg(feature = "alloc")]
pointer_is_async!(AsyncCache + Send, alloc::boxed::Box<C>, Send);
#[cfg(feature = "alloc")]
pointer_is_async!(LocalAsyncCache, alloc::boxed::Box<C>);
#[cfg(feature = "alloc")]
pointer_is_async!(LocalAsyncCache, alloc::rc::Rc<C>);

#[cfg(feature = "std")]
pointer_is_async!([C: AsyncCache + Send] AsyncCache, std::sync::LazyLock<C>, Send);
#[cfg(feature = "std")]
pointer_is_async!([C: LocalAsyncCache] LocalAsyncCache, std::sync::LazyLock<C>);
