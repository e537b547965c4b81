//! References and shared pointers to caches are caches.

use super::cache::{Cache, Found};
use crate::error::Error;
use core::time::Duration;

macro_rules! pointer_is_cache {
    ([$($generics:tt)*] $t:ty $(, $get_equivalent:item)?) => {
        impl<$($generics)*> Cache for $t {
            type Key = C::Key;
            type Value = C::Value;
            type Error = C::Error;

            fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
                (**self).get(key)
            }
            $($get_equivalent)?
            fn put(
                &self,
                key: &Self::Key,
                value: Self::Value,
                ttl: Option<Duration>,
            ) -> Result<(), Self::Error> {
                (**self).put(key, value, ttl)
            }
            fn remove(&self, key: &Self::Key) -> Result<bool, Self::Error> {
                (**self).remove(key)
            }
            fn clear(&self) -> Result<(), Self::Error> {
                (**self).clear()
            }
            fn len(&self) -> Result<usize, Self::Error> {
                (**self).len()
            }
            fn is_empty(&self) -> Result<bool, Self::Error> {
                (**self).is_empty()
            }
            fn contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
                (**self).contains(key)
            }
            fn get_with_ttl(
                &self,
                key: &Self::Key,
            ) -> Result<Found<Self::Value>, Self::Error> {
                (**self).get_with_ttl(key)
            }
            fn default_ttl(&self) -> Option<Duration> {
                (**self).default_ttl()
            }
            fn pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
                (**self).pop(key)
            }
            fn retain(
                &self,
                keep: &mut dyn FnMut(&Self::Key) -> bool,
            ) -> Result<(), Self::Error> {
                (**self).retain(keep)
            }
            fn get_or_compute(
                &self,
                key: &Self::Key,
                make: &mut dyn FnMut() -> Result<Option<Self::Value>, Error>,
            ) -> Result<Option<Self::Value>, Self::Error> {
                (**self).get_or_compute(key, make)
            }
            fn has_single_flight(&self) -> bool {
                (**self).has_single_flight()
            }
            fn address(&self) -> usize {
                (**self).address()
            }
            #[cfg(feature = "alloc")]
            fn get_many(
                &self,
                keys: &[&Self::Key],
            ) -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error> {
                (**self).get_many(keys)
            }
            #[cfg(feature = "alloc")]
            fn get_many_with_ttl(
                &self,
        keys: &[&Self::Key],
    ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
                (**self).get_many_with_ttl(keys)
            }
            #[cfg(feature = "alloc")]
            fn put_many(
                &self,
                entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
                ttl: Option<Duration>,
            ) -> Result<(), Self::Error> {
                (**self).put_many(entries, ttl)
            }
            #[cfg(feature = "alloc")]
            fn remove_many(&self, keys: &[&Self::Key]) -> Result<usize, Self::Error> {
                (**self).remove_many(keys)
            }
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
        Q: crate::entries::Equivalent<Self::Key>,
    {
        (**self).get_equivalent(key)
    }
);
