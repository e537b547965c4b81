//! The lifetimes of entries: the limits of a cache, and the times of one entry.

use ctu_core::Error;
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The longest time-to-live: 292 million years.
pub(super) const MAX_TTL: Duration = Duration::from_millis(u64::MAX / 2);

/// A limit that no time reaches.
const NEVER: u64 = u64::MAX;

/// The time-to-live of one entry, by its key and value.
pub(super) type TtlOf<K, V> = Box<dyn Fn(&K, &V) -> Option<Duration> + Send + Sync>;

/// The limits that a cache sets to the life of its entries. The earliest one ends it.
pub(super) struct Limits<K, V> {
    /// Whether the cache has a clock.
    pub(super) has_clock: bool,
    /// Whether each entry keeps its [`Details`].
    pub(super) detailed: bool,
    pub(super) after_creation: Option<Duration>,
    pub(super) after_update: Option<Duration>,
    pub(super) after_read: Option<Duration>,
    pub(super) of_entry: Option<TtlOf<K, V>>,
}

/// The times of one entry, and its weight where it has one.
pub(super) enum Life {
    /// It does not expire, and weighs nothing in particular.
    Always,
    /// The millisecond at which it expires.
    Until(u64),
    Detailed(Box<Details>),
}

/// Times in milliseconds of the cache's clock.
pub(super) struct Details {
    created: u64,
    updated: u64,
    /// The end of the life, apart from `idle`.
    until: u64,
    used: AtomicU64,
    /// The longest time between uses.
    idle: u64,
    weight: u64,
}

const fn millis(time: Duration) -> u64 {
    let millis = time.as_millis();
    if millis > NEVER as u128 {
        return NEVER;
    }
    millis as u64
}

/// The end of a life of `ttl` milliseconds.
const fn end(now: u64, ttl: u64) -> u64 {
    // A life of 0 is over at any time, however long ago that was read.
    if ttl == 0 { 0 } else { now.saturating_add(ttl) }
}

const fn is_before(now: u64, end: u64) -> bool {
    now < end || end == NEVER
}

impl<K, V> Limits<K, V> {
    pub(super) const fn none() -> Self {
        Self {
            has_clock: false,
            detailed: false,
            after_creation: None,
            after_update: None,
            after_read: None,
            of_entry: None,
        }
    }

    /// The time-to-live of an entry that is stored without one, before its first use.
    pub(super) fn default_ttl(&self) -> Option<Duration> {
        [self.after_creation, self.after_update]
            .into_iter()
            .flatten()
            .min()
    }

    /// The life of an entry that is stored `now`, for `own` where the caller sets a time-to-live.
    #[inline]
    pub(super) fn life(
        &self,
        entry: (&K, &V),
        own: Option<Duration>,
        weight: u64,
        now: u64,
    ) -> Result<Life, Error> {
        if !self.has_clock && own.is_some() {
            return Err(Error::TtlUnsupported);
        }
        if !self.has_clock && !self.detailed {
            return Ok(Life::Always);
        }
        self.limited_life(entry, own, weight, now)
    }

    fn limited_life(
        &self,
        entry: (&K, &V),
        own: Option<Duration>,
        weight: u64,
        now: u64,
    ) -> Result<Life, Error> {
        let of_entry = || {
            let of_entry = self.of_entry.as_ref()?;
            of_entry(entry.0, entry.1)
        };
        let ttl = own.or_else(of_entry);
        if ttl.is_some_and(|ttl| ttl > MAX_TTL) {
            return Err(Error::TtlTooLong { max: MAX_TTL });
        }
        let until = |ttl: Option<Duration>| ttl.map_or(NEVER, |ttl| end(now, millis(ttl)));
        let until = until(ttl.or(self.after_update)).min(until(self.after_creation));
        if self.detailed {
            let idle = self.after_read.map_or(NEVER, millis);
            return Ok(Life::Detailed(Box::new(Details {
                created: now,
                updated: now,
                until: if idle == 0 { 0 } else { until },
                used: AtomicU64::new(now),
                idle,
                weight,
            })));
        }
        Ok(match until {
            NEVER => Life::Always,
            until => Life::Until(until),
        })
    }

    /// Makes `new` the life of an entry that replaces one with the `old` life: its creation is that
    /// of the old entry.
    pub(super) fn succeed(&self, new: &mut Life, old: &Life) {
        if let (Life::Detailed(new), Life::Detailed(old)) = (new, old) {
            new.created = old.created;
            if let Some(ttl) = self.after_creation {
                new.until = new.until.min(end(old.created, millis(ttl)));
            }
        }
    }
}

impl Details {
    fn end(&self) -> u64 {
        self.until
            .min(self.used.load(Relaxed).saturating_add(self.idle))
    }
}

impl Life {
    #[inline]
    pub(super) fn is_live(&self, now: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Until(until) => now < *until,
            Self::Detailed(details) => is_before(now, details.end()),
        }
    }

    /// Marks a use for the limit between uses.
    #[inline]
    pub(super) fn touch(&self, now: u64) {
        if let Self::Detailed(details) = self
            && details.idle != NEVER
        {
            details.used.fetch_max(now, Relaxed);
        }
    }

    /// The time left. `None` without a limit.
    pub(super) fn remaining(&self, now: u64) -> Option<Duration> {
        let end = match self {
            Self::Always => return None,
            Self::Until(until) => *until,
            Self::Detailed(details) => details.end(),
        };
        (end != NEVER).then(|| Duration::from_millis(end.saturating_sub(now)))
    }

    /// [`remaining`](Self::remaining) if no time between uses ends it earlier.
    #[cfg(feature = "snapshot")]
    pub(super) fn remaining_unused(&self, now: u64) -> Option<Duration> {
        match self {
            Self::Detailed(details) if details.until == NEVER => None,
            Self::Detailed(details) => {
                Some(Duration::from_millis(details.until.saturating_sub(now)))
            }
            life => life.remaining(now),
        }
    }

    /// The time since the entry was stored or last replaced, where it is kept.
    pub(super) fn age(&self, now: u64) -> Option<Duration> {
        match self {
            Self::Detailed(details) => {
                Some(Duration::from_millis(now.saturating_sub(details.updated)))
            }
            _ => None,
        }
    }

    pub(super) fn weight(&self) -> u64 {
        match self {
            Self::Detailed(details) => details.weight,
            _ => 1,
        }
    }
}

impl<K, V> fmt::Debug for Limits<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("after_creation", &self.after_creation)
            .field("after_update", &self.after_update)
            .field("after_read", &self.after_read)
            .finish_non_exhaustive()
    }
}
