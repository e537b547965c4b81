//! The lives of entries: without an end, or within limits of time.

use crate::{
    clock::Clock,
    error::Error,
    stores::{store::refuse_ttl, sweep::Sweep, timeline::Timeline},
};
use core::{fmt, time::Duration};

/// The longest time-to-live: 292 million years.
const MAX_TTL: Duration = Duration::from_millis(u64::MAX / 2);
/// An end that no time reaches.
const NEVER: u64 = u64::MAX;

/// The limits that an [`AdaptiveTtlCache`](super::AdaptiveTtlCache) sets to the life of its
/// entries. The earliest one ends it.
///
/// Times are whole milliseconds. A limit over 292 million years counts as that.
///
/// ```
/// use core::time::Duration;
/// use ctu_core::{ManualClock, heap::{AdaptiveTtlCache, TimeLimits}};
///
/// let limits = TimeLimits::new()
///     .expire_after_update(Duration::from_secs(600))
///     .expire_after_read(Duration::from_secs(60));
/// let clock = ManualClock::new();
/// let mut cache = AdaptiveTtlCache::with_limits(1_000, limits, &clock);
/// cache.insert("page", 1);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(cache.get("page"), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct TimeLimits {
    after_creation: Option<Duration>,
    after_update: Option<Duration>,
    after_read: Option<Duration>,
}

impl TimeLimits {
    /// No limit: an entry expires if it is stored with a time-to-live.
    pub const fn new() -> Self {
        Self {
            after_creation: None,
            after_update: None,
            after_read: None,
        }
    }

    /// Sets the longest life of an entry, however often it is replaced or read.
    pub const fn expire_after_creation(mut self, time: Duration) -> Self {
        self.after_creation = Some(time);
        self
    }

    /// Sets the longest life of a value. A time-to-live with which the entry is stored replaces it.
    pub const fn expire_after_update(mut self, time: Duration) -> Self {
        self.after_update = Some(time);
        self
    }

    /// Sets the longest time between uses: time-to-idle. A read and a write are uses; `peek`,
    /// `contains` and iteration are none.
    pub const fn expire_after_read(mut self, time: Duration) -> Self {
        self.after_read = Some(time);
        self
    }

    /// The time-to-live of an entry that is stored without one, before its first use.
    pub(super) fn default_ttl(&self) -> Option<Duration> {
        let limits = [self.after_creation, self.after_update];
        limits.into_iter().flatten().min()
    }
}

/// The lives of the entries of an [`AdaptiveCache`](super::AdaptiveCache): [`Unlimited`] or
/// [`Limited`]. Only this crate implements it.
pub trait Lifetimes: sealed::Sealed {
    /// The times of an entry.
    #[doc(hidden)]
    type Life: Copy;
    /// Whether an entry may expire.
    #[doc(hidden)]
    const LIMITED: bool;

    /// Reads the clock before a change.
    #[doc(hidden)]
    fn advance(&mut self) -> u64;
    /// The time that `advance` would return.
    #[doc(hidden)]
    fn peek(&self) -> u64;
    /// The life of an entry that is stored `now`, for `own` where the caller sets a time-to-live.
    #[doc(hidden)]
    fn begin(&self, own: Option<Duration>, now: u64) -> Result<Self::Life, Error>;
    /// Makes `new` the life of an entry that replaces a live one: the creation stays.
    #[doc(hidden)]
    fn succeed(&self, new: &mut Self::Life, old: &Self::Life);
    /// Marks a use for the limit between uses.
    #[doc(hidden)]
    fn touch(&self, life: &mut Self::Life, now: u64);
    /// Whether the life is over at `now`.
    #[doc(hidden)]
    fn is_over(life: &Self::Life, now: u64) -> bool;
    /// The time left. `None` without a limit.
    #[doc(hidden)]
    fn left(life: &Self::Life, now: u64) -> Option<Duration>;
    /// [`left`](Self::left) apart from the limit between uses.
    #[doc(hidden)]
    fn left_unused(life: &Self::Life, now: u64) -> Option<Duration>;
    /// The next slot that `is_expired`, of at most `looks` in turn.
    #[doc(hidden)]
    fn next_expired(
        &mut self,
        slots: usize,
        looks: usize,
        is_expired: impl FnMut(u32) -> bool,
    ) -> Option<u32>;
    /// The time-to-live of an entry that is stored without one.
    #[doc(hidden)]
    fn default_ttl(&self) -> Option<Duration>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Unlimited {}
    impl<T> Sealed for super::Limited<T> {}
}

/// Entries that do not expire.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Unlimited;

impl Lifetimes for Unlimited {
    type Life = ();
    const LIMITED: bool = false;

    #[inline]
    fn advance(&mut self) -> u64 {
        0
    }

    #[inline]
    fn peek(&self) -> u64 {
        0
    }

    #[inline]
    fn begin(&self, own: Option<Duration>, _: u64) -> Result<(), Error> {
        refuse_ttl(own)
    }

    #[inline]
    fn succeed(&self, (): &mut (), (): &()) {}

    #[inline]
    fn touch(&self, (): &mut (), _: u64) {}

    #[inline]
    fn is_over((): &(), _: u64) -> bool {
        false
    }

    #[inline]
    fn left((): &(), _: u64) -> Option<Duration> {
        None
    }

    #[inline]
    fn left_unused((): &(), _: u64) -> Option<Duration> {
        None
    }

    #[inline]
    fn next_expired(&mut self, _: usize, _: usize, _: impl FnMut(u32) -> bool) -> Option<u32> {
        None
    }

    #[inline]
    fn default_ttl(&self) -> Option<Duration> {
        None
    }
}

/// Entries whose life has [`TimeLimits`], by a clock.
#[derive(Clone)]
pub struct Limited<T> {
    limits: TimeLimits,
    clock: T,
    timeline: Timeline,
    /// The position in the search for expired entries.
    sweep: Sweep,
}

/// The times of an entry, in milliseconds of the store's time.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Times {
    created: u64,
    /// The end of the life, apart from `idle_until`.
    until: u64,
    /// The end of the life without a further use.
    idle_until: u64,
}

const fn millis(time: Duration) -> u64 {
    let (millis, most) = (time.as_millis(), MAX_TTL.as_millis());
    (if millis > most { most } else { millis }) as u64
}

/// The end of a time that begins at `from`.
const fn end(from: u64, time: Option<Duration>) -> u64 {
    match time {
        // A time of 0 is over at once.
        Some(Duration::ZERO) => 0,
        Some(time) => from.saturating_add(millis(time)),
        None => NEVER,
    }
}

impl<T> Limited<T> {
    pub(super) const fn new(limits: TimeLimits, clock: T) -> Self {
        Self {
            limits,
            clock,
            timeline: Timeline::new(),
            sweep: Sweep::new(),
        }
    }

    pub(super) const fn limits(&self) -> TimeLimits {
        self.limits
    }

    pub(super) const fn clock(&self) -> &T {
        &self.clock
    }
}

impl Times {
    const fn end(&self) -> u64 {
        if self.until < self.idle_until {
            self.until
        } else {
            self.idle_until
        }
    }
}

/// The time from `now` to an `end`.
fn left(end: u64, now: u64) -> Option<Duration> {
    (end != NEVER).then(|| Duration::from_millis(end.saturating_sub(now)))
}

impl<T: Clock> Lifetimes for Limited<T> {
    type Life = Times;
    const LIMITED: bool = true;

    fn advance(&mut self) -> u64 {
        self.timeline.advance(&self.clock);
        self.timeline.elapsed()
    }

    fn peek(&self) -> u64 {
        self.timeline.at(&self.clock).elapsed()
    }

    fn begin(&self, own: Option<Duration>, now: u64) -> Result<Times, Error> {
        if own.is_some_and(|own| own > MAX_TTL) {
            return Err(Error::TtlTooLong { max: MAX_TTL });
        }
        let updated = end(now, own.or(self.limits.after_update));
        Ok(Times {
            created: now,
            until: updated.min(end(now, self.limits.after_creation)),
            idle_until: end(now, self.limits.after_read),
        })
    }

    fn succeed(&self, new: &mut Times, old: &Times) {
        new.created = old.created;
        let end = end(old.created, self.limits.after_creation);
        new.until = new.until.min(end);
    }

    fn touch(&self, life: &mut Times, now: u64) {
        life.idle_until = end(now, self.limits.after_read);
    }

    fn is_over(life: &Times, now: u64) -> bool {
        now >= life.end() && life.end() != NEVER
    }

    fn left(life: &Times, now: u64) -> Option<Duration> {
        left(life.end(), now)
    }

    fn left_unused(life: &Times, now: u64) -> Option<Duration> {
        left(life.until, now)
    }

    fn next_expired(
        &mut self,
        slots: usize,
        looks: usize,
        mut is_expired: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        for _ in 0..looks.min(slots) {
            let slot = self.sweep.next(slots).or_else(|| {
                self.sweep = Sweep::new();
                self.sweep.next(slots)
            });
            if let Some(slot) = slot
                && is_expired(slot)
            {
                return Some(slot);
            }
        }
        None
    }

    fn default_ttl(&self) -> Option<Duration> {
        self.limits.default_ttl()
    }
}

impl<T> fmt::Debug for Limited<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limited")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<T> defmt::Format for Limited<T> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Limited {{ limits: {}, .. }}", self.limits);
    }
}
