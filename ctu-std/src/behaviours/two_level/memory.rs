//! What is remembered beside the first level: values past their end, and what is not there.

use super::settings::{Settings, Time, millis};
use crate::{behaviours::machines::Held, sync::Mutex};
use ctu_core::heap::{LruCache, TtlCache};
use std::{hash::Hash, time::Duration};

/// Each is `None` unless its switch is on. Changed while the key's stripe is locked, as the first level is.
pub(super) struct Memory<K: ToOwned + ?Sized, V> {
    past: Option<Past<K, V>>,
    nothing: Option<Mutex<TtlCache<Held<K>, (), Time>>>,
}

struct Past<K: ToOwned + ?Sized, V> {
    grace: u64,
    values: Mutex<LruCache<Held<K>, Ending<V>>>,
}

/// A value with the moment that it ends at.
type Ending<V> = (V, Option<u64>);

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> Memory<K, V> {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            past: settings.grace.map(|(time, entries)| Past {
                grace: millis(time),
                values: Mutex::new(LruCache::with_capacity(entries)),
            }),
            nothing: settings.negative.map(|(time, keys)| {
                Mutex::new(TtlCache::with_capacity(keys, time, settings.time.clone()))
            }),
        }
    }

    /// `value` is at `key` for `ttl` from now.
    pub(super) fn keep(&self, key: &K, value: &V, ttl: Option<Duration>, now: u64) {
        if let Some(past) = &self.past {
            let end = ttl.map(|ttl| now.saturating_add(millis(ttl)));
            let replaced = past
                .values
                .lock()
                .insert(Held::new(key), (value.clone(), end));
            drop(replaced);
        }
        self.forget_nothing(key);
    }

    /// Nothing is known of `key` any more.
    pub(super) fn remove(&self, key: &K) {
        if let Some(past) = &self.past {
            let removed = past.values.lock().remove(key);
            drop(removed);
        }
        self.forget_nothing(key);
    }

    fn forget_nothing(&self, key: &K) {
        if let Some(nothing) = &self.nothing {
            nothing.lock().remove(key);
        }
    }

    /// Every key was.
    pub(super) fn clear(&self) {
        if let Some(past) = &self.past {
            past.values.lock().clear();
        }
        if let Some(nothing) = &self.nothing {
            nothing.lock().clear();
        }
    }

    /// The value at `key`, if it has not been over for too long.
    pub(super) fn past(&self, key: &K, now: u64) -> Option<V> {
        let past = self.past.as_ref()?;
        let mut values = past.values.lock();
        let (value, end) = values.get(key)?;
        let over = end.is_some_and(|end| end.saturating_add(past.grace) <= now);
        (!over).then(|| value.clone())
    }

    /// The second level has nothing at `key`.
    pub(super) fn keep_nothing(&self, key: &K) {
        if let Some(nothing) = &self.nothing {
            nothing.lock().insert(Held::new(key), ());
        }
    }

    /// Whether that is remembered.
    pub(super) fn is_nothing(&self, key: &K) -> bool {
        let nothing = self.nothing.as_ref();
        nothing.is_some_and(|nothing| nothing.lock().get(key).is_some())
    }
}
