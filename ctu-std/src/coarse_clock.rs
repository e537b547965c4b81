use coarsetime::Instant;
use ctu_core::Clock;

/// The monotonic clock of the operating system at its last tick, relative to the creation of this
/// value. It lags behind [`StdClock`](crate::StdClock) by some milliseconds (4 on most Linux), and
/// its reading is several times quicker.
///
/// It suits stores with many hits and a time-to-live of seconds: the clock takes most of the time
/// of such a hit.
///
/// ```
/// use ctu_std::{Cache, CacheExt, CoarseClock, ConcurrentCache};
/// use std::time::Duration;
///
/// let minute = Duration::from_secs(60);
/// let cache = ConcurrentCache::<u64, u64, _>::with_ttl(1_000, minute, CoarseClock::new());
/// cache.insert(&1, 1u64)?;
/// assert_eq!(cache.get(&1)?, Some(1));
/// # Ok::<(), ctu_std::Error>(())
/// ```
///
/// Like [`StdClock`](crate::StdClock) it stands while the machine sleeps, on Linux and Android: an
/// entry lives longer by the time asleep. `BootClock` counts that time.
///
/// Linux, Android, macOS, FreeBSD and Windows have such a clock. On other systems it is the
/// substitute of the crate [`coarsetime`](https://docs.rs/coarsetime), which can be set on some of
/// them.
#[derive(Clone, Copy, Debug)]
pub struct CoarseClock(Instant);

impl CoarseClock {
    /// A clock at 0.
    pub fn new() -> Self {
        Self(now())
    }
}

impl Default for CoarseClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for CoarseClock {
    #[inline]
    fn now(&self) -> u64 {
        now().duration_since(self.0).as_millis()
    }
}

/// `now` of the crate would write to a cache line that all threads share.
#[inline]
fn now() -> Instant {
    Instant::now_without_cache_update()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ctu_core::StdClock;

    #[test]
    fn coarse_time_is_within_a_tick_of_the_exact_clock() {
        let (exact, coarse) = (StdClock::new(), CoarseClock::default());
        // Half a second, longer than any tick, plus the time between both readings.
        let most = 500 + exact.now();
        let mut last = 0;
        while exact.now() + 470 < most {
            let before = exact.now();
            let now = coarse.now();
            assert!(last <= now && before <= now + most && now <= exact.now() + most);
            last = now;
        }
    }
}
