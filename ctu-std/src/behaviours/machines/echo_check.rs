//! The check that a tracking connection reports the writes of this cache.
//!
//! A proxy may answer pings and swallow reports, and a name may lead the tracking connection to another
//! server than the pool. So one write at a time is watched: its report has to arrive before the second
//! answer to a pair of pings that began after the acknowledgement of the write.

/// The number of a watched write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WatchedWrite(u64);

/// One watched write at a time.
#[derive(Debug, Default)]
pub(crate) struct EchoCheck {
    watched: Option<Watched>,
    number: u64,
    /// Whether a report was missing, and none has arrived since.
    is_doubted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    number: u64,
    mark: u64,
    /// The time of the acknowledgement.
    acknowledged: Option<u64>,
}

impl EchoCheck {
    /// A write of the key with `mark` begins. `None` if another one is watched.
    pub(crate) fn begin(&mut self, mark: u64) -> Option<WatchedWrite> {
        if self.watched.is_some() {
            return None;
        }
        self.number += 1;
        let number = self.number;
        self.watched = Some(Watched {
            number,
            mark,
            acknowledged: None,
        });
        Some(WatchedWrite(number))
    }

    /// A watched write has ended. `acknowledged` is the time; `None` if its effect is unknown.
    pub(crate) fn end(&mut self, write: WatchedWrite, acknowledged: Option<u64>) {
        if let Some(watched) = &mut self.watched
            && watched.number == write.0
        {
            match acknowledged {
                Some(_) => watched.acknowledged = acknowledged,
                None => self.watched = None,
            }
        }
    }

    /// The connection reports a change of the key with `mark`; `None` for all keys.
    pub(crate) fn reported(&mut self, mark: Option<u64>) {
        let is_reported = |watched: &Watched| mark.is_none_or(|mark| mark == watched.mark);
        if self.watched.as_ref().is_some_and(is_reported) {
            self.watched = None;
            self.is_doubted = false;
        }
    }

    /// A pair of pings whose first was sent at `began` is answered. Returns whether a report is missing.
    pub(crate) fn is_missing(&mut self, began: u64) -> bool {
        let acknowledged = self.watched.and_then(|watched| watched.acknowledged);
        let is_missing = acknowledged.is_some_and(|acknowledged| acknowledged < began);
        if is_missing {
            self.watched = None;
            self.is_doubted = true;
        }
        is_missing
    }

    /// The watched write, if any, may have been reported on an earlier connection, or not at all.
    pub(crate) fn restart(&mut self) {
        self.watched = None;
    }

    /// Whether a report was missing, and none has arrived since: no lease is given.
    pub(crate) fn is_doubted(&self) -> bool {
        self.is_doubted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_after_the_write_is_expected_before_the_next_pair() {
        let mut check = EchoCheck::default();
        let write = check.begin(7).unwrap();
        assert_eq!(check.begin(8), None);
        // No acknowledgement yet.
        assert!(!check.is_missing(100));
        check.end(write, Some(100));
        // The pair began before, or in the same tick.
        assert!(!check.is_missing(100));
        check.reported(Some(8));
        assert!(check.is_missing(101));
        assert!(check.is_doubted());
    }

    #[test]
    fn report_may_precede_the_acknowledgement() {
        let mut check = EchoCheck::default();
        let write = check.begin(7).unwrap();
        check.reported(Some(7));
        check.end(write, Some(100));
        assert!(!check.is_missing(200));
        assert!(check.begin(8).is_some());
    }

    #[test]
    fn failed_write_and_new_connection_end_the_watch() {
        let mut check = EchoCheck::default();
        let write = check.begin(7).unwrap();
        check.end(write, None);
        let write = check.begin(8).unwrap();
        check.restart();
        check.end(write, Some(100));
        assert!(!check.is_missing(200));
    }

    #[test]
    fn doubt_ends_with_a_report() {
        let mut check = EchoCheck::default();
        let write = check.begin(7).unwrap();
        check.end(write, Some(1));
        assert!(check.is_missing(2));
        check.restart();
        assert!(check.is_doubted());
        check.begin(8).unwrap();
        check.reported(None);
        assert!(!check.is_doubted());
    }
}
