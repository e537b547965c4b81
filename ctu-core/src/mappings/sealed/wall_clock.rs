/// The time of day, which expiries inside sealed entries are told in.
///
/// Unlike [`Clock`](crate::Clock), it is the same on every node and after a reset. An attacker that
/// sets it back makes expired entries valid again: take it from a source that is trusted.
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
