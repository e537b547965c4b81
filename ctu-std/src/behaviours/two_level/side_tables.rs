//! Tables beside the first level: values past their expiry, and keys without a value.

use super::settings::{Settings, Time, millis};
use crate::{behaviours::machines::OwnedKey, sync::Mutex};
use ctu_core::heap::{LruCache, TtlCache};
use std::{hash::Hash, time::Duration};

/// Each table is `None` unless its switch is on. Changes run under the lock of the key's version, as
/// those of the first level do.
pub(super) struct SideTables<K: ToOwned + ?Sized, V> {
    stale: Option<Stale<K, V>>,
    negative: Option<Mutex<TtlCache<OwnedKey<K>, (), Time>>>,
}

struct Stale<K: ToOwned + ?Sized, V> {
    grace: u64,
    values: Mutex<LruCache<OwnedKey<K>, Expiring<V>>>,
}

/// A value and the time of its expiry.
type Expiring<V> = (V, Option<u64>);

impl<K: ToOwned + Hash + Eq + ?Sized, V: Clone> SideTables<K, V> {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            stale: settings.grace.map(|(time, entries)| Stale {
                grace: millis(time),
                values: Mutex::new(LruCache::with_capacity(entries)),
            }),
            negative: settings.negative.map(|(time, keys)| {
                Mutex::new(TtlCache::with_capacity(keys, time, settings.time.clone()))
            }),
        }
    }

    /// `value` is at `key` for `ttl` from `now`, which reads the clock.
    pub(super) fn insert(
        &self,
        key: &K,
        value: &V,
        ttl: Option<Duration>,
        now: impl FnOnce() -> u64,
    ) {
        if let Some(stale) = &self.stale {
            let end = ttl.map(|ttl| now().saturating_add(millis(ttl)));
            let replaced = stale
                .values
                .lock()
                .insert(OwnedKey::new(key), (value.clone(), end));
            drop(replaced);
        }
        self.remove_negative(key);
    }

    /// Forgets `key`.
    pub(super) fn remove(&self, key: &K) {
        if let Some(stale) = &self.stale {
            let removed = stale.values.lock().remove(key);
            drop(removed);
        }
        self.remove_negative(key);
    }

    /// Forgets that the second level has no value at `key`.
    pub(super) fn remove_negative(&self, key: &K) {
        if let Some(negative) = &self.negative {
            negative.lock().remove(key);
        }
    }

    /// Forgets every key.
    pub(super) fn clear(&self) {
        if let Some(stale) = &self.stale {
            stale.values.lock().clear();
        }
        if let Some(negative) = &self.negative {
            negative.lock().clear();
        }
    }

    /// The value at `key`, expired or not, within the grace time.
    pub(super) fn stale(&self, key: &K, now: u64) -> Option<V> {
        let stale = self.stale.as_ref()?;
        let mut values = stale.values.lock();
        let (value, end) = values.get(key)?;
        let over = end.is_some_and(|end| end.saturating_add(stale.grace) <= now);
        (!over).then(|| value.clone())
    }

    /// Whether keys without a value are kept at all.
    pub(super) fn keeps_negative(&self) -> bool {
        self.negative.is_some()
    }

    /// The second level has no value at `key`.
    pub(super) fn insert_negative(&self, key: &K) {
        if let Some(negative) = &self.negative {
            negative.lock().insert(OwnedKey::new(key), ());
        }
    }

    /// Whether the second level is known to have no value at `key`.
    pub(super) fn is_negative(&self, key: &K) -> bool {
        let negative = self.negative.as_ref();
        negative.is_some_and(|negative| negative.lock().get(key).is_some())
    }
}
