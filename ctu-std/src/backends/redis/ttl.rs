//! Times to live as Redis counts them.

use super::{command::Read, reply::Reply, request::Request};
use ctu_core::Error;
use std::time::Duration;

/// Redis counts milliseconds since 1970 in 63 bits: half of them are left for the time to live.
const MAX_TTL: Duration = Duration::from_millis(1 << 62);

/// A time to live as Redis counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ttl {
    Forever,
    For(Unit, String),
    /// No time at all. Redis has no word for it.
    Expired,
}

/// The unit of a time to live. Python writes whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

impl Unit {
    /// The word for it in SET.
    pub(super) fn set(self) -> &'static [u8] {
        match self {
            Self::Seconds => b"EX",
            Self::Milliseconds => b"PX",
        }
    }

    /// The command that sets it.
    pub(super) fn expire(self) -> &'static [u8] {
        match self {
            Self::Seconds => b"EXPIRE",
            Self::Milliseconds => b"PEXPIRE",
        }
    }
}

impl Ttl {
    /// `None` is for ever.
    pub(super) fn new(ttl: Option<Duration>) -> Result<Self, Error> {
        let Some(ttl) = ttl else {
            return Ok(Self::Forever);
        };
        if ttl > MAX_TTL {
            return Err(Error::TtlTooLong { max: MAX_TTL });
        }
        if ttl.is_zero() {
            return Ok(Self::Expired);
        }
        Ok(if ttl.subsec_nanos() == 0 {
            Self::For(Unit::Seconds, ttl.as_secs().to_string())
        } else {
            let milliseconds = ttl.as_nanos().div_ceil(1_000_000);
            Self::For(Unit::Milliseconds, milliseconds.to_string())
        })
    }

    /// The time in milliseconds. `None` without a limit.
    pub(super) fn millis(&self) -> Option<u64> {
        match self {
            Self::Forever => None,
            Self::For(Unit::Seconds, time) => time
                .parse()
                .ok()
                .map(|time: u64| time.saturating_mul(1_000)),
            Self::For(Unit::Milliseconds, time) => time.parse().ok(),
            Self::Expired => Some(0),
        }
    }

    /// Adds the command that stores `value` for this time.
    pub(super) fn insert(&self, request: &mut Request, key: &[u8], value: &[u8]) {
        match self {
            Self::Forever => request.add(&[b"SET", key, value]),
            Self::For(unit, time) => {
                request.add(&[b"SET", key, value, unit.set(), time.as_bytes()]);
            }
            Self::Expired => request.add(&[b"DEL", key]),
        }
    }

    /// The check of the replies to [`insert`](Self::insert).
    pub(super) fn insert_reply(&self) -> Read<()> {
        match self {
            // A removal is counted, not confirmed.
            Self::Expired => |_| Ok(()),
            Self::Forever | Self::For(..) => Reply::done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_is_encoded_like_redis() {
        let millis = |n| Ttl::new(Some(Duration::from_millis(n)));
        let seconds = |n: &str| Ok(Ttl::For(Unit::Seconds, n.into()));
        assert_eq!(Ttl::new(None), Ok(Ttl::Forever));
        assert_eq!(millis(0), Ok(Ttl::Expired));
        assert_eq!(millis(600_000), seconds("600"));
        assert_eq!(
            millis(1_500),
            Ok(Ttl::For(Unit::Milliseconds, "1500".into()))
        );
        let short = Ttl::new(Some(Duration::from_nanos(1)));
        assert_eq!(short, Ok(Ttl::For(Unit::Milliseconds, "1".into())));
        assert!(Ttl::new(Some(MAX_TTL)).is_ok());
        let long = Ttl::new(Some(Duration::MAX));
        assert_eq!(long, Err(Error::TtlTooLong { max: MAX_TTL }));
    }
}
