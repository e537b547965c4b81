//! Tests of the orders in which threads can meet: shuttle, and a cache in which they do meet.

pub(crate) mod one_computation;

use ctu_core::{Cache, CacheError, Error};
use shuttle::{
    scheduler::{PctScheduler, RandomScheduler},
    thread::{self, yield_now},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

pub(crate) fn in_many_orders(case: impl Fn() + Send + Sync + 'static) {
    in_orders(2_000, case);
}

pub(crate) fn in_orders(orders: usize, case: impl Fn() + Send + Sync + 'static) {
    let mut config = shuttle::Config::new();
    // A cache is made on the stack before it is shared, several times over where nothing is optimised.
    config.stack_size = 1 << 18;
    let case = Arc::new(case);
    let again = Arc::clone(&case);
    // Every thread as likely as every other; then some held back for long, while the others get far.
    let scheduler = RandomScheduler::new(orders);
    shuttle::Runner::new(scheduler, config.clone()).run(move || case());
    let scheduler = PctScheduler::new(3, orders);
    shuttle::Runner::new(scheduler, config).run(move || again());
}

/// A thread that works with `cache`.
pub(crate) fn spawn<C: Send + Sync + 'static, T: Send + 'static>(
    cache: &Arc<C>,
    work: impl FnOnce(&C) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let cache = Arc::clone(cache);
    thread::spawn(move || work(&cache))
}

/// The error of a [`Remote`].
#[derive(Debug, PartialEq)]
pub(crate) struct Down;

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("down")
    }
}

impl std::error::Error for Down {}

impl From<Error> for Down {
    fn from(_: Error) -> Self {
        Self
    }
}

impl CacheError for Down {
    fn as_core(&self) -> Option<Error> {
        None
    }
}

/// A cache at the other end of a network: other threads come in between sending, doing and answering.
#[derive(Default)]
pub(crate) struct Remote {
    values: Mutex<HashMap<String, u32>>,
    pub(crate) down: AtomicBool,
    asking: AtomicU32,
    pub(crate) most_asking: AtomicU32,
}

impl Remote {
    fn ask<T>(&self, operation: impl FnOnce(&mut HashMap<String, u32>) -> T) -> Result<T, Down> {
        let asking = self.asking.fetch_add(1, SeqCst) + 1;
        self.most_asking.fetch_max(asking, SeqCst);
        yield_now();
        let down = self.down.load(SeqCst);
        let done = (!down).then(|| operation(&mut self.values.lock().unwrap()));
        yield_now();
        self.asking.fetch_sub(1, SeqCst);
        done.ok_or(Down)
    }
}

impl Cache for Remote {
    type Key = str;
    type Value = u32;
    type Error = Down;

    fn get(&self, key: &str) -> Result<Option<u32>, Down> {
        self.ask(|values| values.get(key).copied())
    }
    fn insert_entry(&self, key: &str, value: u32, _: Option<Duration>) -> Result<(), Down> {
        self.ask(|values| {
            values.insert(key.into(), value);
        })
    }
    fn remove(&self, key: &str) -> Result<bool, Down> {
        self.ask(|values| values.remove(key).is_some())
    }
    fn clear(&self) -> Result<(), Down> {
        self.ask(HashMap::clear)
    }
    fn len(&self) -> Result<usize, Down> {
        self.ask(|values| values.len())
    }
}
