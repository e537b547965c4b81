//! Bounded staleness: entries of the first level are served under a lease, and the server reports the
//! changes of all nodes.
//!
//! A background thread owns the tracking connection. It removes the reported keys from the first level,
//! and after that stores the lease that the reports allow. A lookup reads the lease, then the entry, then
//! the clock. A lookup that read the lease after the entry could find a lease for an entry that was
//! removed in between.

use super::{
    counts::Counted,
    levels::{FirstLevel, Levels, Wake},
    settings::TrackingSettings,
    stats::TrackingState,
    versions::{Indexed, Version},
};
use crate::{
    behaviours::machines::{
        EchoCheck, LeaseMachine, LeaseStep, TrackingChange, UnaskedPong, WatchedWrite,
    },
    caches::{AnyCache, Tracker, TrackingConnection, TrackingError, TrackingMessage},
    per_process::PerProcess,
    random::Random,
    sync::{AtomicU64, Mutex},
};
use ctu_core::Cache;
use std::{
    sync::{
        Arc,
        atomic::{
            AtomicU8,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};

/// The longest wait for messages. The thread does not see the end of its cache during a wait.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The connection to the reports of a second level, as the builder makes it.
pub(super) struct Tracked<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    pub(super) mark: fn(&B, &A::Key) -> Option<u64>,
    pub(super) tracker: fn(&B) -> Arc<dyn Tracker>,
    /// Starts the thread.
    pub(super) start: Wake<A, B, Kind>,
}

/// The state of the tracking.
pub(super) struct Tracking<A: Cache<Key: ToOwned>, B: AnyCache<Kind>, Kind> {
    mark: fn(&B, &A::Key) -> Option<u64>,
    /// `None` if the program calls the steps.
    start: Option<Wake<A, B, Kind>>,
    tracker: Arc<dyn Tracker>,
    settings: TrackingSettings,
    /// The end of the lease.
    lease: AtomicU64,
    echo: Mutex<EchoCheck>,
    state: AtomicU8,
    /// The reason for the last end of a connection.
    reason: Mutex<Option<String>>,
    driver: PerProcess<DriverSlot>,
}

struct DriverSlot(Mutex<Option<Driver>>);

impl Default for DriverSlot {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

struct Driver {
    machine: LeaseMachine,
    connection: Option<Box<dyn TrackingConnection>>,
    random: Random,
}

/// The lease at the start of a lookup. `None` if lookups need none.
#[derive(Clone, Copy)]
#[must_use = "the entry is served only under the lease"]
pub(super) struct Leased(Option<u64>);

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Tracking<A, B, Kind> {
    pub(super) fn new(
        tracked: &Tracked<A, B, Kind>,
        second: &B,
        settings: TrackingSettings,
    ) -> Self {
        Self {
            mark: tracked.mark,
            start: settings.in_background.then_some(tracked.start),
            tracker: (tracked.tracker)(second),
            settings,
            lease: AtomicU64::new(0),
            echo: Mutex::new(EchoCheck::default()),
            state: AtomicU8::new(TrackingState::Unsubscribed as u8),
            reason: Mutex::new(None),
            driver: PerProcess::new(),
        }
    }

    pub(super) fn state(&self) -> TrackingState {
        match self.state.load(Relaxed) {
            state if state == TrackingState::Subscribed as u8 => TrackingState::Subscribed,
            state if state == TrackingState::Refused as u8 => TrackingState::Refused,
            _ => TrackingState::Unsubscribed,
        }
    }

    pub(super) fn lease_left(&self, now: u64) -> Duration {
        Duration::from_millis(self.lease.load(Acquire).saturating_sub(now))
    }

    pub(super) fn last_reason(&self) -> Option<String> {
        self.reason.lock().clone()
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    /// The version of `key`, to be taken before the request to the second level.
    pub(super) fn version(&self, key: &A::Key) -> Version {
        let tracking = self.tracking.as_ref();
        let mark = tracking.and_then(|tracking| (tracking.mark)(&self.second, key));
        let version = self.versions.current(key, mark);
        let version = version.with_invalidations(self.invalidations());
        version.with_unreported(self.unreported())
    }

    /// The lease, to be read before a lookup in the first level.
    #[inline]
    pub(super) fn lease(&self) -> Leased {
        match &self.tracking {
            Some(tracking) if !tracking.settings.serve_without_lease => {
                Leased(Some(tracking.lease.load(Acquire)))
            }
            _ => Leased(None),
        }
    }

    /// Whether an entry that was read under `lease` may be served now.
    #[inline]
    pub(super) fn is_leased(&self, lease: Leased) -> bool {
        match lease.0 {
            None => true,
            Some(end) => self.now() < end || self.without_lease(),
        }
    }

    #[cold]
    fn without_lease(&self) -> bool {
        self.count(Counted::Unleased);
        self.start_tracking();
        false
    }

    /// Looks `key` up in the first level by `lookup`, under the lease.
    #[inline]
    pub(super) fn look<T, E>(
        &self,
        key: &A::Key,
        lookup: impl FnOnce(&A) -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let lease = self.lease();
        let found = lookup(&self.first)?;
        Ok(found.filter(|_| self.is_leased(lease) && self.has_current_tags(key)))
    }

    /// Whether the second level is known to have no value at `key`.
    pub(super) fn is_negative(&self, key: &A::Key) -> bool {
        let lease = self.lease();
        self.side_tables.is_negative(key) && self.is_leased(lease)
    }

    /// Starts the thread of the tracking, unless it runs in this process.
    pub(super) fn start_tracking(&self) {
        if let Some(start) = self.tracking.as_ref().and_then(|tracking| tracking.start) {
            start(self);
        }
    }

    /// Whether every answer since `version` is of a server that reports changes.
    pub(super) fn is_reported_since(&self, version: Version) -> bool {
        version.unreported() == self.unreported()
    }

    /// Watches a write of the key with the version: the server has to report it.
    pub(super) fn watch(&self, version: Version) -> Option<WatchedWrite> {
        let mark = version.mark()?;
        self.tracking.as_ref()?.echo.lock().begin(mark)
    }

    /// Ends the watch of a write.
    pub(super) fn end_watch(&self, watched: Option<WatchedWrite>, is_acknowledged: bool) {
        if let (Some(tracking), Some(watched)) = (&self.tracking, watched) {
            let acknowledged = is_acknowledged.then(|| self.now());
            tracking.echo.lock().end(watched, acknowledged);
        }
    }

    /// Does the next step of the tracking, which waits for messages for up to a second. Returns the wait
    /// before the next step; `None` without tracking.
    pub(super) fn track(&self) -> Option<Duration> {
        let tracking = self.tracking.as_ref()?;
        let mut driver = tracking.driver.get(|_| ()).0.lock();
        let driver = driver.get_or_insert_with(|| Driver {
            machine: LeaseMachine::new(tracking.settings.lease),
            connection: None,
            random: Random::new(self.settings.seed),
        });
        let now = self.now();
        let step = driver.machine.next(now);
        let done = match (step, &mut driver.connection) {
            (LeaseStep::Open, _) => self.open(tracking, driver),
            (LeaseStep::Ping, Some(connection)) => connection.ping(),
            (LeaseStep::Wait(until), Some(_)) => {
                let wait = Duration::from_millis(until.saturating_sub(now));
                self.receive(tracking, driver, wait.min(LONGEST_WAIT))
            }
            (LeaseStep::Wait(until), None) => return Some(self.milliseconds_until(until)),
            (LeaseStep::Close, _) => Err(TrackingError::Lost("no answer to a ping".into())),
            (LeaseStep::Ping, None) => Err(TrackingError::Lost("no connection".into())),
        };
        if let Err(error) = done {
            self.end_connection(tracking, driver, &error);
        }
        Some(Duration::ZERO)
    }

    fn open(
        &self,
        tracking: &Tracking<A, B, Kind>,
        driver: &mut Driver,
    ) -> Result<(), TrackingError> {
        driver.connection = None;
        let connection = tracking.tracker.open()?;
        tracking.echo.lock().restart();
        // Changes before the subscription were not reported.
        self.forget_all()?;
        driver.connection = Some(connection);
        driver.machine.opened(self.now());
        Ok(())
    }

    fn receive(
        &self,
        tracking: &Tracking<A, B, Kind>,
        driver: &mut Driver,
        wait: Duration,
    ) -> Result<(), TrackingError> {
        let Driver {
            machine,
            connection: Some(connection),
            ..
        } = driver
        else {
            return Ok(());
        };
        let mut handled = Ok(());
        let received = connection.receive(wait, &mut |message| {
            if handled.is_ok() {
                handled = self.handle(tracking, machine, message);
            }
        });
        handled.and(received)
    }

    fn handle(
        &self,
        tracking: &Tracking<A, B, Kind>,
        machine: &mut LeaseMachine,
        message: TrackingMessage,
    ) -> Result<(), TrackingError> {
        match message {
            TrackingMessage::Changed(mark) => {
                self.count(Counted::Reported);
                tracking.echo.lock().reported(Some(mark));
                match self.versions.invalidate(mark, self) {
                    None => Ok(()),
                    Some(true) => {
                        self.count(Counted::Invalidated);
                        Ok(())
                    }
                    Some(false) => Err(first_failed()),
                }
            }
            TrackingMessage::TagChanged(mark) => {
                self.count(Counted::Reported);
                self.tag_changed(mark);
                Ok(())
            }
            TrackingMessage::AllChanged => {
                self.count(Counted::Reported);
                tracking.echo.lock().reported(None);
                self.forget_all()
            }
            TrackingMessage::Pong => self.pong(tracking, machine),
        }
    }

    fn pong(
        &self,
        tracking: &Tracking<A, B, Kind>,
        machine: &mut LeaseMachine,
    ) -> Result<(), TrackingError> {
        let unasked = |_: UnaskedPong| TrackingError::Lost("an answer without a ping".into());
        let Some(end) = machine.pong(self.now()).map_err(unasked)? else {
            return Ok(());
        };
        let mut echo = tracking.echo.lock();
        if echo.is_missing(end.saturating_sub(tracking.settings.lease.bound)) {
            machine.revoke();
            tracking.lease.store(0, Release);
            return Err(TrackingError::Refused(
                "the tracking connection does not report the writes of this cache".into(),
            ));
        }
        if echo.is_doubted() {
            return Ok(());
        }
        drop(echo);
        // Everything that was reported before is removed.
        tracking.lease.store(end, Release);
        self.report(tracking, machine, TrackingChange::Subscribed);
        Ok(())
    }

    fn end_connection(
        &self,
        tracking: &Tracking<A, B, Kind>,
        driver: &mut Driver,
        error: &TrackingError,
    ) {
        driver.connection = None;
        tracking.echo.lock().restart();
        *tracking.reason.lock() = Some(error.to_string());
        let now = self.now();
        let change = match error {
            TrackingError::Refused(_) => {
                driver.machine.refused(now, &mut driver.random);
                TrackingChange::Refused
            }
            TrackingError::Lost(_) => {
                driver.machine.lost(now, &mut driver.random);
                TrackingChange::Unsubscribed
            }
        };
        self.report(tracking, &mut driver.machine, change);
    }

    fn report(
        &self,
        tracking: &Tracking<A, B, Kind>,
        machine: &mut LeaseMachine,
        change: TrackingChange,
    ) {
        if !machine.report(change) {
            return;
        }
        let state = match change {
            TrackingChange::Subscribed => TrackingState::Subscribed,
            TrackingChange::Unsubscribed => TrackingState::Unsubscribed,
            TrackingChange::Refused => TrackingState::Refused,
        };
        tracking.state.store(state as u8, Relaxed);
        if state != TrackingState::Subscribed {
            self.count(Counted::Unsubscribed);
        }
        self.tell_tracking(change);
    }

    /// Removes every key from the first level.
    fn forget_all(&self) -> Result<(), TrackingError> {
        let cleared = self.clear_first(|| self.first.clear());
        cleared.map_err(|_| first_failed())
    }
}

fn first_failed() -> TrackingError {
    TrackingError::Lost("the first level does not remove an entry".into())
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Indexed<A::Key> for Levels<A, B, Kind> {
    fn has(&self, key: &A::Key) -> bool {
        self.first.contains(key).unwrap_or(true)
    }

    fn forget(&self, key: &A::Key) -> bool {
        self.forget_first(key).is_ok()
    }

    fn unreported(&self) -> u64 {
        let tracking = self.tracking.as_ref();
        tracking.map_or(0, |tracking| tracking.tracker.unreported())
    }
}

impl<A, B, Kind> Levels<A, B, Kind>
where
    A: FirstLevel + Send + Sync + 'static,
    A::Key: ToOwned<Owned: Send>,
    A::Value: Send,
    B: AnyCache<Kind> + Send + Sync + 'static,
    Kind: 'static,
{
    /// A thread also over an async second level: a lease then does not depend on the load of a runtime.
    pub(super) fn track_in_thread(&self) {
        let step = |levels: &Self| levels.track();
        self.tracker.start("ctu-tracking", &self.me, step);
    }
}
