//! An async cache in memory that suspends before and after each operation, as one at a server does.

use ctu_core::{AsyncCache, CacheError, Error, Found, InMemory};
use std::{
    collections::HashMap,
    fmt,
    future::poll_fn,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

/// Suspends the task once, and has it polled again.
pub async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The error of a [`StepCache`] that is down: an outage, unless it is a core error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Down {
    /// An error of a mapping on the cache.
    Core(Error),
    /// No answer.
    Outage,
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("down")
    }
}

impl std::error::Error for Down {}

impl From<Error> for Down {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl CacheError for Down {
    fn as_core(&self) -> Option<Error> {
        match self {
            Self::Core(error) => Some(*error),
            Self::Outage => None,
        }
    }

    fn is_outage(&self) -> bool {
        *self == Self::Outage
    }
}

/// Keys are numbers, and so are values.
#[derive(Debug, Default)]
pub struct StepCache {
    values: Mutex<HashMap<u32, u32>>,
    down: AtomicBool,
    asked: AtomicU32,
}

impl StepCache {
    /// The value at `key`, without a suspension.
    pub fn peek(&self, key: u32) -> Option<u32> {
        self.values.lock().unwrap().get(&key).copied()
    }

    /// The number of operations so far.
    pub fn asked(&self) -> u32 {
        self.asked.load(Relaxed)
    }

    /// Begins or ends an outage.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Relaxed);
    }

    async fn run<T>(&self, operation: impl FnOnce(&mut HashMap<u32, u32>) -> T) -> Result<T, Down> {
        self.asked.fetch_add(1, Relaxed);
        yield_once().await;
        let done = match self.down.load(Relaxed) {
            true => Err(Down::Outage),
            false => Ok(operation(&mut self.values.lock().unwrap())),
        };
        yield_once().await;
        done
    }
}

impl InMemory for StepCache {}

impl AsyncCache for StepCache {
    type Key = u32;
    type Value = u32;
    type Error = Down;

    async fn get(&self, key: &u32) -> Result<Option<u32>, Down> {
        self.run(|values| values.get(key).copied()).await
    }

    async fn insert_entry(&self, key: &u32, value: u32, _: Option<Duration>) -> Result<(), Down> {
        self.run(|values| {
            values.insert(*key, value);
        })
        .await
    }

    async fn remove(&self, key: &u32) -> Result<bool, Down> {
        self.run(|values| values.remove(key).is_some()).await
    }

    async fn clear(&self) -> Result<(), Down> {
        self.run(HashMap::clear).await
    }

    async fn len(&self) -> Result<usize, Down> {
        self.run(|values| values.len()).await
    }

    async fn retain<F>(&self, mut keep: F) -> Result<(), Down>
    where
        F: FnMut(&u32) -> bool + Send,
    {
        self.run(|values| values.retain(|key, _| keep(key))).await
    }

    async fn get_many_with_ttl(&self, keys: &[&u32]) -> Result<Vec<Found<u32>>, Down> {
        let found = |values: &mut HashMap<u32, u32>| {
            let keys = keys.iter();
            keys.map(|key| Some((*values.get(key)?, None))).collect()
        };
        self.run(found).await
    }

    async fn insert_many(
        &self,
        entries: Vec<(&u32, u32)>,
        _: Option<Duration>,
    ) -> Result<(), Down> {
        let entries = entries.into_iter().map(|(key, value)| (*key, value));
        self.run(|values| values.extend(entries)).await
    }

    async fn remove_many(&self, keys: &[&u32]) -> Result<usize, Down> {
        let remove = |values: &mut HashMap<u32, u32>| {
            let removed = keys.iter().filter(|key| values.remove(key).is_some());
            removed.count()
        };
        self.run(remove).await
    }
}
