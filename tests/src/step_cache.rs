//! An async cache in memory that suspends before and after each operation, as one at a server does.

use ctu_core::{AsyncCache, Error, Found};
use std::{collections::HashMap, future::poll_fn, sync::Mutex, task::Poll, time::Duration};

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

/// Keys are numbers, and so are values.
#[derive(Debug, Default)]
pub struct StepCache {
    values: Mutex<HashMap<u32, u32>>,
}

impl StepCache {
    /// The value at `key`, without a suspension.
    pub fn peek(&self, key: u32) -> Option<u32> {
        self.values.lock().unwrap().get(&key).copied()
    }

    async fn run<T>(
        &self,
        operation: impl FnOnce(&mut HashMap<u32, u32>) -> T,
    ) -> Result<T, Error> {
        yield_once().await;
        let done = operation(&mut self.values.lock().unwrap());
        yield_once().await;
        Ok(done)
    }
}

impl AsyncCache for StepCache {
    type Key = u32;
    type Value = u32;
    type Error = Error;

    async fn get(&self, key: &u32) -> Result<Option<u32>, Error> {
        self.run(|values| values.get(key).copied()).await
    }

    async fn insert_entry(&self, key: &u32, value: u32, _: Option<Duration>) -> Result<(), Error> {
        self.run(|values| {
            values.insert(*key, value);
        })
        .await
    }

    async fn remove(&self, key: &u32) -> Result<bool, Error> {
        self.run(|values| values.remove(key).is_some()).await
    }

    async fn clear(&self) -> Result<(), Error> {
        self.run(HashMap::clear).await
    }

    async fn len(&self) -> Result<usize, Error> {
        self.run(|values| values.len()).await
    }

    async fn get_many_with_ttl(&self, keys: &[&u32]) -> Result<Vec<Found<u32>>, Error> {
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
    ) -> Result<(), Error> {
        let entries = entries.into_iter().map(|(key, value)| (*key, value));
        self.run(|values| values.extend(entries)).await
    }

    async fn remove_many(&self, keys: &[&u32]) -> Result<usize, Error> {
        let remove = |values: &mut HashMap<u32, u32>| {
            let removed = keys.iter().filter(|key| values.remove(key).is_some());
            removed.count()
        };
        self.run(remove).await
    }
}
