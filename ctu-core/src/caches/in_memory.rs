//! The marker of caches that never wait for a device.

use super::{LockKind, LockedCache, Ready};
use core::cell::RefCell;

/// Marks a [`Cache`](super::Cache) that answers from memory: an operation takes a lock and
/// computes, and never waits for a network or a disk.
///
/// An `async fn` under `#[cached]` uses such a cache without further ado. Over any other `Cache`,
/// such as `RedisCache`, it does not compile unless the attribute says `blocking`, since each
/// operation would block the thread of the async runtime. A function with a typed key over another
/// cache states its prefix, since other programs and functions may use the same keys at the server.
///
/// A wrapper is in memory where its parts are. A cache of your own opts in:
///
/// ```
/// use ctu_core::{Cache, Error, InMemory};
///
/// /// Remembers nothing.
/// struct Nothing;
///
/// impl Cache for Nothing {
///     type Key = u32;
///     type Value = u32;
///     type Error = Error;
/// #   fn get(&self, _: &u32) -> Result<Option<u32>, Error> { Ok(None) }
/// #   fn insert_entry(&self, _: &u32, _: u32, _: Option<core::time::Duration>) -> Result<(), Error> { Ok(()) }
/// #   fn remove(&self, _: &u32) -> Result<bool, Error> { Ok(false) }
/// #   fn clear(&self) -> Result<(), Error> { Ok(()) }
/// #   fn len(&self) -> Result<usize, Error> { Ok(0) }
///     // ...
/// }
///
/// impl InMemory for Nothing {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known to answer from memory",
    label = "may wait for a network or a disk",
    note = "a cache of your own that never waits for a device is declared so: `impl InMemory for MyCache {{}}`"
)]
pub trait InMemory {}

impl<R: LockKind, S> InMemory for LockedCache<R, S> {}
impl<S> InMemory for RefCell<S> {}
impl<C: InMemory> InMemory for Ready<C> {}

macro_rules! pointers {
    ($($t:ty),*) => {$(impl<C: InMemory + ?Sized> InMemory for $t {})*};
}
pointers!(&C);
#[cfg(feature = "alloc")]
pointers!(alloc::boxed::Box<C>, alloc::rc::Rc<C>);
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
pointers!(alloc::sync::Arc<C>);
#[cfg(feature = "std")]
impl<C: InMemory> InMemory for std::sync::LazyLock<C> {}
