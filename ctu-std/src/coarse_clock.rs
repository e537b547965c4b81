use coarsetime::Instant;
use ctu_core::Clock;

/// The operating system's monotonic clock as of its last tick, counted from when this was made: some milliseconds behind
/// [`StdClock`](crate::StdClock) (4 on most Linux), and several times quicker to read.
///
/// For stores that are hit often and whose entries live for seconds: reading the time is most of what such a hit costs.
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
/// Linux, Android, macOS, FreeBSD and Windows have such a clock. Elsewhere it is what the crate
/// [`coarsetime`](https://docs.rs/coarsetime) takes in its place, which on some systems can be set.
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

/// Not the crate's plain `now`, which writes what it read where all threads would meet.
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
        // Half a second, which no tick takes, and what went by between the two.
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
