//! The time driver of embassy by the timer of the board. A product takes that of its HAL.

use crate::board::TICK_MS;
use core::{cell::RefCell, task::Waker};
use embassy_sync::blocking_mutex::{Mutex, raw::CriticalSectionRawMutex};
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

struct Ticks {
    /// Milliseconds since the start, and the tasks that wait for a time.
    state: Mutex<CriticalSectionRawMutex, RefCell<(u64, Queue)>>,
}

embassy_time_driver::time_driver_impl!(static TICKS: Ticks = Ticks {
    state: Mutex::new(RefCell::new((0, Queue::new()))),
});

impl Driver for Ticks {
    fn now(&self) -> u64 {
        self.state.lock(|state| state.borrow().0)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // The next tick looks at the queue, so there is no alarm to set.
        self.state
            .lock(|state| state.borrow_mut().1.schedule_wake(at, waker));
    }
}

/// Counts a tick and wakes the tasks that are due. For the interrupt of the timer.
pub fn tick() {
    TICKS.state.lock(|state| {
        let (now, queue) = &mut *state.borrow_mut();
        *now += u64::from(TICK_MS);
        queue.next_expiration(*now);
    });
}
