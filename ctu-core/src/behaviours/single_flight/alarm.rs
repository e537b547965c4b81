//! One timer for the wait limits of all tasks.

use alloc::{
    collections::BinaryHeap,
    sync::{Arc, Weak},
    task::Wake,
    vec::Vec,
};
use core::{
    cmp::Reverse,
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
/// earliest end. A wait takes O(log n) steps among `n` waits, and O(1) if its end is the latest.
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
    /// The ends, the earliest first. An end whose wait is over stays until it is the first, or one of too
    /// many.
    ends: BinaryHeap<Reverse<Wait>>,
    tasks: Vec<Option<Task>>,
    free: Vec<usize>,
    last: u64,
    /// The instant at which the timer rings.
    armed: Option<Instant>,
}

struct Task {
    number: u64,
    waker: Waker,
}

/// A wait with its end, the first thing that counts in comparisons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wait {
    end: Instant,
    number: u64,
    /// The place among the tasks.
    place: usize,
}

impl Waits {
    fn insert(&mut self, end: Instant, waker: Waker) -> Wait {
        self.last = self.last.wrapping_add(1);
        let number = self.last;
        let place = self.free.pop().unwrap_or_else(|| {
            self.tasks.push(None);
            self.tasks.len() - 1
        });
        let wait = Wait { end, number, place };
        if let Some(task) = self.tasks.get_mut(place) {
            *task = Some(Task { number, waker });
        }
        self.ends.push(Reverse(wait));
        wait
    }

    fn task(&mut self, wait: &Wait) -> Option<&mut Task> {
        let task = self.tasks.get_mut(wait.place)?.as_mut()?;
        (task.number == wait.number).then_some(task)
    }

    /// Ends `wait`, if it is not over.
    fn remove(&mut self, wait: &Wait) -> Option<Waker> {
        self.task(wait)?;
        let task = self.tasks.get_mut(wait.place)?.take()?;
        self.free.push(wait.place);
        let waiting = self.tasks.len() - self.free.len();
        if self.ends.len() > 2 * waiting + 16 {
            let tasks = &self.tasks;
            self.ends.retain(|Reverse(wait)| {
                let task = tasks.get(wait.place).and_then(Option::as_ref);
                task.is_some_and(|task| task.number == wait.number)
            });
        }
        Some(task.waker)
    }

    /// The wait that ends first.
    fn first(&mut self) -> Option<Wait> {
        while let Some(Reverse(wait)) = self.ends.peek().copied() {
            if self.task(&wait).is_some() {
                return Some(wait);
            }
            self.ends.pop();
        }
        None
    }

    /// The waker of the task whose wait ends first.
    fn first_waker(&mut self) -> Option<Waker> {
        let first = self.first()?;
        self.task(&first).map(|task| task.waker.clone())
    }
}

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
        match self.wait.as_ref().and_then(|wait| waits.task(wait)) {
            Some(task) => task.waker.clone_from(context.waker()),
            None => self.wait = Some(waits.insert(end, context.waker().clone())),
        }
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
        let own = waits.remove(&wait);
        // This task was perhaps woken to set the timer.
        let next = match waits.armed {
            None => waits.first_waker(),
            Some(_) => None,
        };
        drop(waits);
        drop(own);
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
        while let Some(wait) = waits.first() {
            if wait.end > now {
                woken.extend(waits.first_waker());
                break;
            }
            woken.extend(waits.remove(&wait));
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
        let mut waits = alarm.shared().waits();
        assert_eq!(waits.tasks.len(), waits.free.len());
        assert!(waits.first().is_none());
    }

    #[test]
    fn ends_of_waits_that_are_over_take_no_room() {
        let (alarm, (_, waker)) = (Alarm::new(), counted());
        let context = Context::from_waker(&waker);
        let mut longest = alarm.after(Duration::from_secs(3_600));
        let _ = longest.poll(&context);
        for _ in 0..10_000 {
            let _ = alarm.after(Duration::from_secs(7_200)).poll(&context);
        }
        let waits = alarm.shared().waits();
        assert!(waits.ends.len() < 20 && waits.tasks.len() == 2);
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
