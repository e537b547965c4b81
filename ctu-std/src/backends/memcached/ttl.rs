use ctu_core::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Up to here Memcached counts from now, beyond it from 1970.
const RELATIVE: u64 = 30 * 24 * 60 * 60;
/// The last moment that it can count to, in seconds since 1970: in January 2038.
const LAST: u64 = i32::MAX as u64;

/// A time-to-live as Memcached is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ttl {
    /// The number to send; 0 is for ever.
    Expires(u64),
    /// No time at all, for which there is no number.
    Over,
}

impl Ttl {
    /// `None` is for ever.
    pub(super) fn new(ttl: Option<Duration>) -> Result<Self, Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::at(ttl, now.unwrap_or_default().as_secs())
    }

    fn at(ttl: Option<Duration>, now: u64) -> Result<Self, Error> {
        let Some(ttl) = ttl else {
            return Ok(Self::Expires(0));
        };
        if ttl.is_zero() {
            return Ok(Self::Over);
        }
        let seconds = ttl
            .as_secs()
            .saturating_add(u64::from(ttl.subsec_nanos() > 0));
        if seconds <= RELATIVE {
            return Ok(Self::Expires(seconds));
        }
        let left = LAST.saturating_sub(now);
        if seconds > left {
            let max = Duration::from_secs(left.max(RELATIVE));
            return Err(Error::TtlTooLong { max });
        }
        Ok(Self::Expires(now + seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn at(ttl: Duration) -> Result<Ttl, Error> {
        Ttl::at(Some(ttl), NOW)
    }

    #[test]
    fn ttl_is_encoded_like_memcached() {
        let month = Duration::from_secs(RELATIVE);
        assert_eq!(Ttl::at(None, NOW), Ok(Ttl::Expires(0)));
        assert_eq!(at(Duration::ZERO), Ok(Ttl::Over));
        assert_eq!(at(Duration::from_nanos(1)), Ok(Ttl::Expires(1)));
        assert_eq!(at(Duration::from_millis(1001)), Ok(Ttl::Expires(2)));
        assert_eq!(at(month), Ok(Ttl::Expires(RELATIVE)));
        let longer = month + Duration::from_nanos(1);
        assert_eq!(at(longer), Ok(Ttl::Expires(NOW + RELATIVE + 1)));
    }

    #[test]
    fn ttl_out_of_range_is_rejected() {
        let max = Duration::from_secs(LAST - NOW);
        assert_eq!(at(max), Ok(Ttl::Expires(LAST)));
        for ttl in [max + Duration::from_nanos(1), Duration::MAX] {
            assert_eq!(at(ttl), Err(Error::TtlTooLong { max }));
        }
        // After 2038, what is counted from now still works.
        let ttl = Some(Duration::from_secs(60));
        assert_eq!(Ttl::at(ttl, LAST + 1), Ok(Ttl::Expires(60)));
    }
}
