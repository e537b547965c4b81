//! The time of day, and the time that an entry ends.

use crate::error::{Error, SealError};
use core::time::Duration;

/// The time of day, in which sealed entries and entries in flash tell their end.
///
/// Unlike [`Clock`](crate::Clock), it is the same on every node and after a reset. An attacker that
/// sets it back makes expired entries valid again: take it from a source that is trusted.
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering};
/// use ctu_core::WallClock;
///
/// /// Seconds since 1970, set by a time server; 0 before.
/// static SECONDS: AtomicU32 = AtomicU32::new(0);
///
/// struct NetworkTime;
/// impl WallClock for NetworkTime {
///     fn now(&self) -> Option<u64> {
///         let seconds = SECONDS.load(Ordering::Relaxed);
///         (seconds > 0).then(|| u64::from(seconds) * 1000)
///     }
/// }
/// assert_eq!(NetworkTime.now(), None);
/// ```
pub trait WallClock {
    /// Whether this is a clock at all. Without one, entries carry no expiry and none is checked.
    const PRESENT: bool = true;

    /// Milliseconds since 1970-01-01 UTC, without leap seconds; `None` while the clock is not set.
    /// Entries that expire are misses then, and a time to live is refused.
    fn now(&self) -> Option<u64>;
}

impl<W: WallClock + ?Sized> WallClock for &W {
    const PRESENT: bool = W::PRESENT;
    fn now(&self) -> Option<u64> {
        (**self).now()
    }
}

/// No wall clock: the cache below alone decides how long an entry lives.
///
/// ```
/// use ctu_core::{NoWallClock, WallClock};
/// assert_eq!(NoWallClock.now(), None);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NoWallClock;

impl WallClock for NoWallClock {
    const PRESENT: bool = false;

    #[inline]
    fn now(&self) -> Option<u64> {
        None
    }
}

/// The wall clock of the operating system. Not set before 1970.
///
/// ```
/// use ctu_core::{SystemWallClock, WallClock};
/// let year_2020 = 1_577_836_800_000;
/// assert!(SystemWallClock.now().is_some_and(|now| now > year_2020));
/// ```
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SystemWallClock;

#[cfg(feature = "std")]
impl WallClock for SystemWallClock {
    fn now(&self) -> Option<u64> {
        let since = std::time::UNIX_EPOCH.elapsed().ok()?;
        u64::try_from(since.as_millis()).ok()
    }
}

/// The time an entry ends, in seconds since 1970-01-01 UTC; the last second means never.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry(u32);

/// The last time that an entry can end, in milliseconds since 1970.
const LAST: u64 = (u32::MAX as u64 - 1) * 1000;

impl Expiry {
    pub(crate) const NEVER: Self = Self(u32::MAX);

    pub(crate) const fn from_le_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(bytes))
    }

    pub(crate) const fn to_le_bytes(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// The end of an entry that lives for `ttl` from now, rounded up to a second. Never without a
    /// `ttl` or a clock.
    pub(crate) fn after<W: WallClock>(ttl: Option<Duration>, clock: &W) -> Result<Self, Error> {
        let (Some(ttl), true) = (ttl, W::PRESENT) else {
            return Ok(Self::NEVER);
        };
        let Some(now) = clock.now() else {
            return Err(Error::Seal(SealError::ClockUnset));
        };
        let end = u64::try_from(ttl.as_millis()).ok();
        let end = end.and_then(|ttl| now.checked_add(ttl));
        match end.map(|end| u32::try_from(end.div_ceil(1000))) {
            Some(Ok(seconds)) if seconds != u32::MAX => Ok(Self(seconds)),
            _ => Err(Error::TtlTooLong {
                max: Duration::from_millis(LAST.saturating_sub(now)),
            }),
        }
    }

    /// The time that is left until this end: `None` for no limit, `Err` where it is over or the
    /// clock is not set.
    #[cfg(feature = "flash")]
    pub(crate) fn left<W: WallClock>(self, clock: &W) -> Result<Option<Duration>, ()> {
        Ok(self.millis_left(clock)?.map(Duration::from_millis))
    }

    /// [`left`](Self::left) in milliseconds, in about the same time for an end that is over and one
    /// that is not: a `Duration` takes divisions.
    pub(crate) fn millis_left<W: WallClock>(self, clock: &W) -> Result<Option<u64>, ()> {
        if self == Self::NEVER || !W::PRESENT {
            return Ok(None);
        }
        let end = u64::from(self.0).saturating_mul(1000);
        match clock.now() {
            Some(now) if now < end => Ok(Some(end.saturating_sub(now))),
            _ => Err(()),
        }
    }
}
