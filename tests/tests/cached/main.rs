//! `#[cached]`, `#[cache_methods]` and `#[cache_functions]`, as programs write them.

mod async_caches;
mod asynchronous;
mod damage;
mod equivalent;
mod failures;
mod free;
mod groups;
mod hygiene;
#[cfg(feature = "interop")]
mod interop;
mod keys;
mod methods;
mod prefixes;
mod returned;
mod seed;
#[cfg(feature = "servers")]
mod servers;
mod single_flight;

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
