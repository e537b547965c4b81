//! Entries that left a cache, and the listener that is told of them.

use super::entry::Entry;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
};

/// The reason for which an entry left a cache.
///
/// ```
/// use ctu_std::{CacheExt, ConcurrentCache, RemovalCause};
/// use std::sync::mpsc;
/// let (sender, left) = mpsc::channel();
/// let cache = ConcurrentCache::<String, u32>::builder(100)
///     .listener(move |key, value, cause| drop(sender.send((key.clone(), *value, cause))))
///     .build();
/// cache.insert("key", 1)?;
/// cache.insert("key", 2)?;
/// assert_eq!(left.try_recv(), Ok(("key".to_owned(), 1, RemovalCause::Replaced)));
/// # Ok::<(), ctu_std::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RemovalCause {
    /// The entry made room for another.
    Evicted,
    /// The life of the entry was over. It leaves when its room is needed, or when an operation on
    /// its key, [`expire`](crate::ConcurrentCache::expire) or `clear` comes by.
    Expired,
    /// Another value was stored at its key.
    Replaced,
    /// The program removed the entry.
    Removed,
}

pub(super) type Listener<K, V> = Box<dyn Fn(&K, &V, RemovalCause) + Send + Sync>;

/// Entries that left. The listener hears of them, and they are dropped, when this value is
/// dropped: it is declared before the guards of all locks.
pub(super) struct Gone<'c, K, V> {
    listener: Option<&'c Listener<K, V>>,
    /// Most operations remove one entry at most.
    first: Option<(Entry<K, V>, RemovalCause)>,
    more: Vec<(Entry<K, V>, RemovalCause)>,
}

impl<'c, K, V> Gone<'c, K, V> {
    #[inline]
    pub(super) const fn new(listener: Option<&'c Listener<K, V>>) -> Self {
        Self {
            listener,
            first: None,
            more: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, entry: Entry<K, V>, cause: RemovalCause) {
        match self.first {
            None => self.first = Some((entry, cause)),
            Some(_) => self.more.push((entry, cause)),
        }
    }

    /// Takes an entry that left, if there is a listener. Without a listener the entry stays with the
    /// caller and is not moved.
    #[inline]
    pub(super) fn note(&mut self, entry: &mut Option<Entry<K, V>>, cause: RemovalCause) {
        if self.listener.is_some()
            && let Some(entry) = entry.take()
        {
            self.push(entry, cause);
        }
    }

    pub(super) fn first(&self) -> Option<&Entry<K, V>> {
        self.first.as_ref().map(|(entry, _)| entry)
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    #[cold]
    fn tell(&self, listener: &Listener<K, V>) {
        let mut panic: Option<Box<dyn Any + Send>> = None;
        for (entry, cause) in self.first.iter().chain(&self.more) {
            let kept = entry.kept();
            let told = catch_unwind(AssertUnwindSafe(|| {
                listener(&kept.key, &kept.value, *cause);
            }));
            if let Err(one) = told {
                panic.get_or_insert(one);
            }
        }
        // A second panic would end the process.
        if let Some(panic) = panic
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

impl<K, V> Drop for Gone<'_, K, V> {
    #[inline]
    fn drop(&mut self) {
        if let Some(listener) = self.listener
            && self.first.is_some()
        {
            self.tell(listener);
        }
    }
}
