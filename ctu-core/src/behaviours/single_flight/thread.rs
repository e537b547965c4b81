use core::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};
use std::thread_local;

/// The number of this thread, which no other has or had. `None` of a thread that is ending.
pub fn thread_number() -> Option<u64> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    thread_local!(static NUMBER: Cell<u64> = const { Cell::new(0) });
    NUMBER
        .try_with(|number| {
            if number.get() == 0 {
                number.set(LAST.fetch_add(1, Relaxed) + 1);
            }
            number.get()
        })
        .ok()
}
