use super::{
    requests::Statistics,
    ttl::{self, Expiry},
};
use ctu_core::Error;
use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// The time for which the clock of a server is taken to run as that of this machine.
const CLOCK_VALID: Duration = Duration::from_secs(60);
/// The time after which a server that refuses the meta commands is asked for them again.
const PLAIN_VALID: Duration = Duration::from_secs(600);

/// Knowledge about a server. No I/O.
#[derive(Default)]
pub(super) struct ServerState {
    /// The time of the server, in seconds since 1970, and when it was asked for.
    clock: Mutex<Option<(u64, Instant)>>,
    /// When the server, or a proxy before it, refused the meta commands.
    plain_since: Mutex<Option<Instant>>,
}

impl ServerState {
    /// The number that stands for `expiry` in a command; `None` if the time of the server is needed and
    /// not known.
    pub(super) fn expires(&self, expiry: Expiry) -> Option<Result<u64, Error>> {
        match expiry {
            Expiry::Relative(seconds) => Some(Ok(seconds)),
            Expiry::Moment(seconds) => Some(ttl::moment(self.time()?, seconds)),
        }
    }

    fn time(&self) -> Option<u64> {
        let (time, asked) = (*self.clock.lock())?;
        let passed = asked.elapsed();
        (passed < CLOCK_VALID).then(|| time.saturating_add(passed.as_secs()))
    }

    /// Takes in the time in the statistics that were `asked` for then; `None` for a server that refuses
    /// them.
    pub(super) fn learn_time(
        &self,
        stats: Option<Statistics>,
        asked: Instant,
    ) -> Result<(), Error> {
        let stats = stats.unwrap_or_default();
        let time = stats.iter().find(|(name, _)| name == "time");
        let time = time.and_then(|(_, time)| time.trim().parse().ok());
        let time = time.ok_or_else(ttl::only_relative)?;
        *self.clock.lock() = Some((time, asked));
        Ok(())
    }

    /// Whether the server may know the meta commands.
    pub(super) fn may_know_meta(&self) -> bool {
        let since = *self.plain_since.lock();
        since.is_none_or(|since| since.elapsed() >= PLAIN_VALID)
    }

    /// Takes in whether the server at `label` knows the meta commands.
    pub(super) fn learn_meta(&self, is_known: bool, label: &str) {
        *self.plain_since.lock() = match is_known {
            true => None,
            false => {
                #[cfg(feature = "tracing")]
                tracing::warn!(
                    server = label,
                    "meta commands are refused: remaining times of entries are unknown"
                );
                let _ = label;
                Some(Instant::now())
            }
        };
    }
}
