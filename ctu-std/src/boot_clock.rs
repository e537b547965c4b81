use ctu_core::Clock;
use rustix::time::{ClockId, clock_gettime};

/// The operating system's monotonic clock that counts the time asleep as well (`CLOCK_BOOTTIME`),
/// counted from its creation. On Linux and Android.
///
/// For machines that are suspended: by [`StdClock`](crate::StdClock) and
/// [`CoarseClock`](crate::CoarseClock) an entry with a minute to live still has it after a night
/// asleep; by this clock the entry expires in its minute. A read costs a little more than one of
/// `StdClock`. No setting of the wall clock moves it.
///
/// ```
/// use ctu_std::{BootClock, Cache, CacheExt, ConcurrentCache};
/// use std::time::Duration;
///
/// let minute = Duration::from_secs(60);
/// let cache = ConcurrentCache::<u64, u64, _>::with_ttl(1_000, minute, BootClock::new());
/// cache.insert(&1, 1u64)?;
/// assert_eq!(cache.get(&1)?, Some(1));
/// # Ok::<(), ctu_std::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BootClock(u64);

impl BootClock {
    /// A clock at 0.
    pub fn new() -> Self {
        Self(since_boot())
    }
}

impl Default for BootClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for BootClock {
    #[inline]
    fn now(&self) -> u64 {
        since_boot().saturating_sub(self.0)
    }
}

/// Milliseconds since the system started.
#[inline]
fn since_boot() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    // Neither part is negative.
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or_default();
    seconds * 1_000 + nanoseconds / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/proc/uptime`, which counts the time asleep, in milliseconds.
    fn uptime() -> u64 {
        let text = std::fs::read_to_string("/proc/uptime").unwrap();
        let (seconds, _) = text.split_once(' ').unwrap();
        (seconds.parse::<f64>().unwrap() * 1_000.0) as u64
    }

    #[test]
    fn time_is_the_uptime_of_the_system() {
        // The system reports its uptime in steps of 10 ms.
        let (before, told, after) = (since_boot(), uptime(), since_boot());
        assert!(before <= told + 10 && told <= after + 10);
    }

    #[test]
    fn a_new_clock_counts_from_zero_and_never_back() {
        let before = since_boot();
        let clock = BootClock::default();
        let first = clock.now();
        assert!(first <= clock.now());
        assert!(first <= since_boot() - before);
    }
}
