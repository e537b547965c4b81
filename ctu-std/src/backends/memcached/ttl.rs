//! Times to live as Memcached counts them.

use ctu_core::Error;
use std::time::Duration;

/// Up to here Memcached counts from now, beyond it from 1970.
const RELATIVE: u64 = 30 * 24 * 60 * 60;
/// The last moment that it can count to, in seconds since 1970: in January 2038.
const LAST: u64 = i32::MAX as u64;

/// A time-to-live in the terms of Memcached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ttl {
    /// A time, or for ever.
    Expires(Expiry),
    /// No time at all, for which there is no number.
    Expired,
}

/// The end of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    /// The number to send: seconds from now, or 0 for never.
    Relative(u64),
    /// So many seconds from now that a moment by the clock of the server has to be sent.
    Moment(u64),
}

impl Ttl {
    /// `None` is for ever.
    pub(super) fn new(ttl: Option<Duration>) -> Result<Self, Error> {
        let Some(ttl) = ttl else {
            return Ok(Self::Expires(Expiry::Relative(0)));
        };
        if ttl.is_zero() {
            return Ok(Self::Expired);
        }
        let seconds = ttl
            .as_secs()
            .saturating_add(u64::from(ttl.subsec_nanos() > 0));
        if seconds > LAST {
            return Err(too_long(LAST));
        }
        Ok(Self::Expires(match seconds <= RELATIVE {
            true => Expiry::Relative(seconds),
            false => Expiry::Moment(seconds),
        }))
    }
}

/// The moment that is `seconds` after `now`, the time of the server. Both in seconds, since 1970.
pub(super) fn moment(now: u64, seconds: u64) -> Result<u64, Error> {
    let left = LAST.saturating_sub(now);
    match seconds <= left {
        true => Ok(now + seconds),
        false => Err(too_long(left.max(RELATIVE))),
    }
}

/// The error of a time for which the clock of the server is needed and not known.
pub(super) fn only_relative() -> Error {
    too_long(RELATIVE)
}

fn too_long(seconds: u64) -> Error {
    let max = Duration::from_secs(seconds);
    Error::TtlTooLong { max }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn relative(seconds: u64) -> Result<Ttl, Error> {
        Ok(Ttl::Expires(Expiry::Relative(seconds)))
    }

    #[test]
    fn ttl_is_encoded_like_memcached() {
        let of = |ttl| Ttl::new(Some(ttl));
        let month = Duration::from_secs(RELATIVE);
        assert_eq!(Ttl::new(None), relative(0));
        assert_eq!(of(Duration::ZERO), Ok(Ttl::Expired));
        assert_eq!(of(Duration::from_nanos(1)), relative(1));
        assert_eq!(of(Duration::from_millis(1001)), relative(2));
        assert_eq!(of(month), relative(RELATIVE));
        let longer = of(month + Duration::from_nanos(1));
        assert_eq!(longer, Ok(Ttl::Expires(Expiry::Moment(RELATIVE + 1))));
        assert_eq!(moment(NOW, RELATIVE + 1), Ok(NOW + RELATIVE + 1));
    }

    #[test]
    fn ttl_out_of_range_is_rejected() {
        let max = Duration::from_secs(LAST - NOW);
        assert_eq!(moment(NOW, max.as_secs()), Ok(LAST));
        assert_eq!(
            moment(NOW, max.as_secs() + 1),
            Err(Error::TtlTooLong { max })
        );
        let month = Duration::from_secs(RELATIVE);
        let late = moment(LAST + 1, RELATIVE + 1);
        assert_eq!(late, Err(Error::TtlTooLong { max: month }));
        let ages = Ttl::new(Some(Duration::MAX));
        assert!(matches!(ages, Err(Error::TtlTooLong { .. })));
    }
}
