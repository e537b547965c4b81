//! Sources of time.

use core::sync::atomic::{AtomicUsize, Ordering};

/// A source of time: a timer of a board, the operating system, or a test.
///
/// # Sleep
/// A clock that stands while the machine sleeps (most monotonic clocks do) lengthens the life of
/// every entry by the time asleep. Each clock of this crate states whether it does.
///
/// # Implementing
/// `now` counts milliseconds from any fixed moment. It should not go backwards;
/// [`TtlCache`](crate::TtlCache) documents the behaviour of stores if it does. A counter that wraps
/// around declares its width with [`BITS`](Self::BITS):
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering};
/// use ctu_core::Clock;
///
/// static MILLISECONDS: AtomicU32 = AtomicU32::new(0); // counted up by a timer interrupt
///
/// struct SysTick;
/// impl Clock for SysTick {
///     const BITS: u32 = 32;
///     fn now(&self) -> u64 {
///         u64::from(MILLISECONDS.load(Ordering::Relaxed))
///     }
/// }
/// ```
pub trait Clock {
    /// The width of [`now`](Self::now) in bits, after which it wraps around to 0.
    ///
    /// The time is correct if the store is used at least once in half that range: 24 days for a
    /// 32-bit counter of milliseconds.
    const BITS: u32 = 64;

    /// Milliseconds since a fixed moment.
    fn now(&self) -> u64;
}

macro_rules! pointer_is_clock {
    ($($t:ty),*) => {$(
        impl<C: Clock + ?Sized> Clock for $t {
            const BITS: u32 = C::BITS;
            fn now(&self) -> u64 {
                (**self).now()
            }
        }
    )*};
}
pointer_is_clock!(&C);
#[cfg(feature = "alloc")]
pointer_is_clock!(alloc::boxed::Box<C>, alloc::rc::Rc<C>);
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
pointer_is_clock!(alloc::sync::Arc<C>);

/// A clock for tests that moves only on request.
///
/// ```
/// use core::time::Duration;
/// use ctu_core::{ManualClock, TtlCache};
///
/// let clock = ManualClock::new();
/// let mut cache = TtlCache::<u32, u32, 8, _>::new(Duration::from_secs(10), &clock);
/// cache.insert(1, 1);
/// clock.advance(Duration::from_secs(9));
/// assert_eq!(cache.get(&1), Some(&1));
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(cache.get(&1), None);
/// ```
///
/// It has the width of the machine's word: on a 32-bit machine it wraps around after 49 days, as
/// declared by [`Clock::BITS`].
#[derive(Debug, Default)]
pub struct ManualClock(AtomicUsize);

impl ManualClock {
    /// A clock at 0.
    pub const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Advances the clock by whole milliseconds. For one thread at a time.
    pub fn advance(&self, by: core::time::Duration) {
        let now = self.0.load(Ordering::Relaxed);
        self.0
            .store(now.wrapping_add(by.as_millis() as usize), Ordering::Relaxed);
    }

    /// Sets the clock, also backwards.
    pub fn set(&self, milliseconds: usize) {
        self.0.store(milliseconds, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    const BITS: u32 = usize::BITS;

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed) as u64
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for ManualClock {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "ManualClock({=u64})", self.now());
    }
}

/// The operating system's monotonic clock, counted from its creation.
///
/// On Linux, Android and macOS it stands while the machine sleeps, so entries live longer by the
/// time asleep; on Windows it goes on. ctu-std has `BootClock`, which counts the time asleep on
/// Linux and Android.
///
/// ```
/// use ctu_core::{Clock, StdClock};
/// let clock = StdClock::new();
/// let before = clock.now();
/// assert!(clock.now() >= before);
/// ```
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub struct StdClock(std::time::Instant);

#[cfg(feature = "std")]
impl StdClock {
    /// A clock at 0.
    pub fn new() -> Self {
        Self(std::time::Instant::now())
    }
}

#[cfg(feature = "std")]
impl Default for StdClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "std")]
impl Clock for StdClock {
    fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(all(feature = "defmt", feature = "std"))]
impl defmt::Format for StdClock {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "StdClock({=u64})", self.now());
    }
}

/// The time of [`embassy-time`](embassy_time), from the driver of the program or its HAL.
///
/// The driver decides whether the time asleep counts: a timer that a deep sleep stops stands, a
/// real-time counter goes on. The HAL's documentation says which of them drives it.
///
/// ```
/// # #[cfg(feature = "critical-section")] {
/// use core::time::Duration;
/// use ctu_core::{CriticalSectionMutex, EmbassyClock, LockedCache, TtlCache, prelude::*};
///
/// static READINGS: LockedCache<CriticalSectionMutex, TtlCache<u8, i32, 16, EmbassyClock>> =
///     LockedCache::new(TtlCache::new(Duration::from_secs(5), EmbassyClock));
///
/// READINGS.insert(&1, 21_500)?;
/// # }
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[cfg(feature = "embassy-time")]
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EmbassyClock;

#[cfg(feature = "embassy-time")]
impl Clock for EmbassyClock {
    // Inline, so that only users of this clock need a driver.
    #[inline]
    fn now(&self) -> u64 {
        embassy_time::Instant::now().as_millis()
    }
}
