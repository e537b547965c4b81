//! A small cache in RAM in front of a slow one, without a heap.

use crate::{
    caches::{Cache, Found},
    clock::Clock,
    entries::StoredKey,
    error::Error,
    stores::LruCache,
};
use core::{
    cell::{Cell, RefCell},
    time::Duration,
};

const DAY: u64 = 24 * 60 * 60 * 1000;

/// A small store in RAM in front of a slow cache, such as one in flash, without a heap.
///
/// Reads of the last `N` keys come from RAM. Writes go through to the cache below at once, or
/// [behind](Self::write_behind) it: the last value of a key is written later, so that a counter
/// that is written 2,000 times costs a few writes of the flash.
///
/// ```
/// use core::{cell::RefCell, time::Duration};
/// use ctu_core::{Bytes, FrontCache, LruCache, ManualClock, prelude::*};
///
/// # fn flash() -> RefCell<LruCache<Bytes<16>, Bytes<64>, 64>> { RefCell::new(LruCache::new()) }
/// let flash = flash();
/// let clock = ManualClock::new();
/// // At most 96 writes a day, beside those of a full front and of `flush`.
/// let counters = FrontCache::<_, Bytes<16>, _, 8>::write_behind(&flash, 96);
/// for count in 0..2000u32 {
///     counters.insert(b"steps", &count.to_le_bytes())?;
///     counters.flush_if_due(&clock)?;
/// }
/// assert_eq!(flash.get(b"steps")?, None);
/// clock.advance(Duration::from_secs(2 * 60 * 60));
/// counters.flush_if_due(&clock)?;
/// assert_eq!(flash.get(b"steps")?.as_deref(), Some(&1999u32.to_le_bytes()[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// An entry with a time-to-live is not kept in RAM, and is written at once. A removal is written at
/// once. An operation inside another one of the same cache is [`Error::Busy`].
///
/// # Power cuts
/// Values that were not flushed are lost: the key then has its value from before.
pub struct FrontCache<C, K, V, const N: usize> {
    cache: C,
    lines: RefCell<LruCache<K, Line<V>, N>>,
    /// Milliseconds from one flush to the next; `None` where writes go through.
    period: Option<u64>,
    flushed: Cell<u64>,
}

/// A value in RAM, and whether the cache below lacks it.
struct Line<V> {
    value: V,
    dirty: bool,
}

impl<C, K: StoredKey, V, const N: usize> FrontCache<C, K, V, N> {
    /// A front whose writes go through to `cache` at once.
    pub const fn write_through(cache: C) -> Self {
        Self {
            cache,
            lines: RefCell::new(LruCache::new()),
            period: None,
            flushed: Cell::new(0),
        }
    }

    /// A front that writes behind: by [`flush_if_due`](Self::flush_if_due) at most `writes_a_day`,
    /// by [`flush`](Self::flush), and where a value must leave the front for another key.
    ///
    /// A budget below `N` counts as `N`: one flush a day.
    pub const fn write_behind(cache: C, writes_a_day: u32) -> Self {
        let mut front = Self::write_through(cache);
        let flushes = match (writes_a_day as u64).checked_div(N as u64) {
            None | Some(0) => 1,
            Some(flushes) => flushes,
        };
        front.period = Some(DAY / flushes);
        front
    }

    /// The cache below.
    pub const fn get_ref(&self) -> &C {
        &self.cache
    }
}

impl<C, K, V, const N: usize> FrontCache<C, K, V, N>
where
    C: Cache<Key = K::Lookup, Value = V>,
    K: StoredKey,
    V: Clone,
{
    fn with<T>(&self, f: impl FnOnce(&mut LruCache<K, Line<V>, N>) -> T) -> Result<T, Error> {
        match self.lines.try_borrow_mut() {
            Ok(mut lines) => Ok(f(&mut lines)),
            Err(_) => Err(Error::Busy),
        }
    }

    /// Adds an entry that the cache below has, while there is room: one pass over the flash fills
    /// the front at a start. Returns whether there was room.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] for a key that does not fit `K`.
    pub fn fill(&self, key: &K::Lookup, value: V) -> Result<bool, Error> {
        let key = K::store(key)?;
        self.with(|lines| {
            let room = !lines.is_full() && !lines.contains(key.borrow());
            if room {
                lines.insert(
                    key,
                    Line {
                        value,
                        dirty: false,
                    },
                );
            }
            room
        })
    }

    /// Keeps a value in RAM. A value that leaves for it is written first.
    fn keep(&self, key: &K::Lookup, value: V, dirty: bool) -> Result<(), C::Error> {
        let stored = K::store(key)?;
        self.with(|lines| {
            if lines.is_full()
                && !lines.contains(key)
                && let Some((oldest, line)) = lines.peek_lru()
                && line.dirty
            {
                let value = line.value.clone();
                self.cache.insert_entry(oldest.borrow(), value, None)?;
            }
            lines.insert(stored, Line { value, dirty });
            Ok(())
        })?
    }

    /// The number of values that the cache below lacks.
    pub fn pending(&self) -> usize {
        let pending = self.with(|lines| lines.iter().filter(|(_, line)| line.dirty).count());
        pending.unwrap_or_default()
    }

    /// Writes all values that the cache below lacks. Returns their number.
    ///
    /// # Errors
    /// Those of the cache below, at the first value that cannot be written. It is kept.
    pub fn flush(&self) -> Result<usize, C::Error> {
        let mut written = 0;
        loop {
            let flushed = self.with(|lines| {
                let dirty = lines.iter().find(|(_, line)| line.dirty);
                let Some((key, line)) = dirty else {
                    return Ok(false);
                };
                let key = K::store(key.borrow())?;
                let value = line.value.clone();
                self.cache.insert_entry(key.borrow(), value, None)?;
                if let Some(line) = lines.get_mut(key.borrow()) {
                    line.dirty = false;
                }
                Ok::<_, C::Error>(true)
            })??;
            if !flushed {
                return Ok(written);
            }
            written += 1;
        }
    }

    /// [`flush`](Self::flush), if the budget of writes allows it at the time of `clock`. To be called
    /// now and then. Returns the number of writes.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush).
    pub fn flush_if_due(&self, clock: &impl Clock) -> Result<usize, C::Error> {
        let now = clock.now();
        let since = now.wrapping_sub(self.flushed.get()) & (u64::MAX >> (64 - width(clock)));
        if self.period.is_none_or(|period| since < period) {
            return Ok(0);
        }
        self.flushed.set(now);
        self.flush()
    }

    /// Whether a write with `ttl` goes around the front.
    fn passes(&self, key: &K::Lookup, ttl: Option<Duration>) -> bool {
        ttl.is_some() || self.cache.default_ttl().is_some() || K::store(key).is_err()
    }
}

/// The width of a clock in bits, at least 1.
fn width<T: Clock>(_: &T) -> u32 {
    T::BITS.clamp(1, 64)
}

impl<C, K, V, const N: usize> Cache for FrontCache<C, K, V, N>
where
    C: Cache<Key = K::Lookup, Value = V>,
    K: StoredKey,
    V: Clone,
{
    type Key = K::Lookup;
    type Value = V;
    type Error = C::Error;

    fn get(&self, key: &K::Lookup) -> Result<Option<V>, C::Error> {
        Ok(self.get_with_ttl(key)?.map(|(value, _)| value))
    }

    fn get_with_ttl(&self, key: &K::Lookup) -> Result<Found<V>, C::Error> {
        let line = self.with(|lines| lines.get(key).map(|line| line.value.clone()))?;
        if let Some(value) = line {
            return Ok(Some((value, None)));
        }
        let found = self.cache.get_with_ttl(key)?;
        if let Some((value, None)) = &found
            && !self.passes(key, None)
        {
            self.keep(key, value.clone(), false)?;
        }
        Ok(found)
    }

    fn insert_entry(
        &self,
        key: &K::Lookup,
        value: V,
        ttl: Option<Duration>,
    ) -> Result<(), C::Error> {
        if self.passes(key, ttl) {
            self.cache.insert_entry(key, value, ttl)?;
            self.with(|lines| lines.remove(key))?;
            return Ok(());
        }
        if self.period.is_some() {
            return self.keep(key, value, true);
        }
        // After a failure the cache below may have either value.
        self.with(|lines| lines.remove(key))?;
        self.cache.insert_entry(key, value.clone(), None)?;
        self.keep(key, value, false)
    }

    fn remove(&self, key: &K::Lookup) -> Result<bool, C::Error> {
        let removed = self.cache.remove(key)?;
        let line = self.with(|lines| lines.remove(key))?;
        Ok(removed || line.is_some_and(|line| line.dirty))
    }

    fn clear(&self) -> Result<(), C::Error> {
        self.cache.clear()?;
        Ok(self.with(LruCache::clear)?)
    }

    fn len(&self) -> Result<usize, C::Error> {
        let len = self.cache.len()?;
        let pending = self.with(|lines| {
            let mut dirty = lines.iter().filter(|(_, line)| line.dirty);
            dirty.try_fold(0usize, |sum, (key, _)| {
                let stored = self.cache.contains(key.borrow())?;
                Ok::<_, C::Error>(sum.saturating_add(usize::from(!stored)))
            })
        })??;
        Ok(len.saturating_add(pending))
    }

    fn contains(&self, key: &K::Lookup) -> Result<bool, C::Error> {
        Ok(self.with(|lines| lines.contains(key))? || self.cache.contains(key)?)
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.cache.default_ttl()
    }

    /// Writes the pending values first.
    fn retain(&self, keep: &mut dyn FnMut(&K::Lookup) -> bool) -> Result<(), C::Error> {
        self.flush()?;
        self.cache.retain(keep)?;
        Ok(self.with(LruCache::clear)?)
    }
}
