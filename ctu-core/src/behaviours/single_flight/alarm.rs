//! One timer for the wait limits of all tasks.

use alloc::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    task::Wake,
    vec::Vec,
};
use core::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use futures_timer::Delay;
use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Instant,
};

/// Wakes tasks at the end of their waits. However many tasks wait, at most one timer runs, that of the
/// earliest end. A wait takes O(log n) steps among `n` waits.
///
/// The tasks set the timer themselves: at each end, the alarm also wakes the task whose end comes next.
#[derive(Default)]
#[allow(missing_debug_implementations, reason = "it has no state to show")]
pub struct Alarm(OnceLock<Arc<Shared>>);

struct Shared {
    waits: Mutex<Waits>,
    /// Never locked by the timer, which may ring while it is set.
    timer: Mutex<Option<Delay>>,
    waker: Waker,
}

#[derive(Default)]
struct Waits {
    wakers: BTreeMap<Wait, Waker>,
    last: u64,
    /// The instant at which the timer rings.
    armed: Option<Instant>,
}

/// The end of a wait and its number.
type Wait = (Instant, u64);

/// The end of the waits of one task. [`Duration::MAX`] has none.
#[allow(missing_debug_implementations, reason = "it has no state to show")]
pub struct Limit<'a> {
    alarm: &'a Alarm,
    end: Option<Instant>,
    /// While the alarm knows of the wait.
    wait: Option<Wait>,
}

impl Alarm {
    /// An alarm without waits.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The limit of a wait that begins now.
    pub fn after(&self, limit: Duration) -> Limit<'_> {
        self.at(Instant::now().checked_add(limit))
    }

    /// The limit of a wait until `end`; `None` for no limit.
    pub const fn at(&self, end: Option<Instant>) -> Limit<'_> {
        Limit {
            alarm: self,
            end,
            wait: None,
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        self.0.get_or_init(|| {
            Arc::new_cyclic(|shared| Shared {
                waits: Mutex::default(),
                timer: Mutex::new(None),
                waker: Waker::from(Arc::new(Ring(Weak::clone(shared)))),
            })
        })
    }
}

impl Limit<'_> {
    /// Whether the end has passed. If not, the task is woken at the end.
    pub fn poll(&mut self, context: &Context<'_>) -> bool {
        let Some(end) = self.end else { return false };
        if Instant::now() >= end {
            return true;
        }
        let shared = self.alarm.shared();
        let mut waits = shared.waits();
        let wait = *self.wait.get_or_insert_with(|| {
            waits.last = waits.last.wrapping_add(1);
            (end, waits.last)
        });
        waits
            .wakers
            .entry(wait)
            .and_modify(|waker| waker.clone_from(context.waker()))
            .or_insert_with(|| context.waker().clone());
        let is_armed = waits.armed.is_some_and(|at| at <= end);
        if !is_armed {
            waits.armed = Some(end);
        }
        drop(waits);
        if !is_armed {
            shared.arm();
        }
        false
    }
}

impl Drop for Limit<'_> {
    fn drop(&mut self) {
        let Some(wait) = self.wait else { return };
        let mut waits = self.alarm.shared().waits();
        waits.wakers.remove(&wait);
        // This task was perhaps woken to set the timer.
        let next = match waits.armed {
            None => waits.wakers.values().next().cloned(),
            Some(_) => None,
        };
        drop(waits);
        next.into_iter().for_each(Waker::wake);
    }
}

impl Shared {
    /// Ignores poisoning: no code that panics runs under this lock.
    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the timer.
    fn arm(&self) {
        let mut timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
        // The earliest one by now, if several tasks set it.
        let Some(at) = self.waits().armed else { return };
        let mut delay = Delay::new(at.saturating_duration_since(Instant::now()));
        let polled = Pin::new(&mut delay).poll(&mut Context::from_waker(&self.waker));
        *timer = Some(delay);
        drop(timer);
        if polled == Poll::Ready(()) {
            self.ring();
        }
    }

    /// Wakes the tasks whose waits have ended, and the next one, which sets the timer.
    fn ring(&self) {
        let mut waits = self.waits();
        waits.armed = None;
        let now = Instant::now();
        let mut woken = Vec::new();
        while let Some(wait) = waits.wakers.first_entry() {
            if wait.key().0 > now {
                woken.push(wait.get().clone());
                break;
            }
            woken.push(wait.remove());
        }
        drop(waits);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// The waker of the timer.
struct Ring(Weak<Shared>);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        if let Some(shared) = self.0.upgrade() {
            shared.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::thread;

    /// Counts its calls, and unparks a thread.
    struct Counted(AtomicU32, thread::Thread);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
            self.1.unpark();
        }
    }

    fn counted() -> (Arc<Counted>, Waker) {
        let counted = Arc::new(Counted(AtomicU32::new(0), thread::current()));
        (Arc::clone(&counted), Waker::from(counted))
    }

    #[test]
    fn every_wait_ends_at_its_limit() {
        let (alarm, (_, waker)) = (Alarm::new(), counted());
        let limit = |n: u64| Duration::from_millis(10 + n % 7);
        let mut limits: Vec<_> = (0..50).map(|n| alarm.after(limit(n))).collect();
        let context = Context::from_waker(&waker);
        while !limits.is_empty() {
            limits.retain_mut(|limit| !limit.poll(&context));
            if !limits.is_empty() {
                thread::park();
            }
        }
        assert!(alarm.shared().waits().wakers.is_empty());
    }

    #[test]
    fn task_that_leaves_passes_the_timer_on() {
        let alarm = Alarm::new();
        let ((early, woken), (late, waker)) = (counted(), counted());
        let mut first = alarm.after(Duration::from_millis(1));
        let mut next = alarm.after(Duration::from_millis(20));
        let mut last = alarm.after(Duration::from_millis(20));
        let _ = first.poll(&Context::from_waker(&woken));
        let is_over = next.poll(&Context::from_waker(&woken));
        assert!(is_over || !last.poll(&Context::from_waker(&waker)));
        // Both were woken: the first at its end, the next one to set the timer. Neither does.
        while early.0.load(SeqCst) < 2 {
            thread::park();
        }
        drop((first, next));
        while !last.poll(&Context::from_waker(&waker)) {
            thread::park();
        }
        assert!(late.0.load(SeqCst) > 0);
    }

    #[test]
    fn wait_without_a_limit_sets_no_timer() {
        let (alarm, (_, waker)) = (Alarm::new(), counted());
        assert!(
            !alarm
                .after(Duration::MAX)
                .poll(&Context::from_waker(&waker))
        );
        assert!(alarm.0.get().is_none());
    }
}
