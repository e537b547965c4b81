use once_cell::race::OnceBox;
use std::process;

/// A value of which each process has its own, also after `fork`.
///
/// A forked child has a copy of its parent's memory, but none of its parent's other threads: a lock
/// that another thread held stays locked, and a look-up that another thread had under way never
/// ends. So a child starts with a new value. Nothing is locked on the way to it: threads that come at
/// the same time make a value each, and all get the first one.
pub(crate) struct PerProcess<T>(OnceBox<Own<T>>);

/// The value of one process, and those of the processes that it forked.
struct Own<T> {
    process: u32,
    value: T,
    child: PerProcess<T>,
}

impl<T: Default> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceBox::new())
    }

    /// The value of this process. The first time in a forked child, `inherited` gets the value of
    /// its parent, once for each thread that comes before there is a value.
    pub(crate) fn get(&self, inherited: impl Fn(&T)) -> &T {
        self.of(process::id(), inherited)
    }

    fn of(&self, process: u32, inherited: impl Fn(&T)) -> &T {
        let new = || {
            Box::new(Own {
                process,
                value: T::default(),
                child: Self::new(),
            })
        };
        let mut own = self.0.get_or_init(new);
        while own.process != process {
            own = own.child.0.get_or_init(|| {
                inherited(&own.value);
                new()
            });
        }
        &own.value
    }
}

impl<T: Default> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::PerProcess;
    use std::{
        cell::Cell,
        sync::{
            atomic::{AtomicBool, Ordering::Relaxed},
            mpsc::{Receiver, Sender, channel},
        },
        thread,
        time::Duration,
    };

    #[test]
    fn each_process_has_a_value_of_its_own() {
        let values = PerProcess::<Cell<u32>>::new();
        let of = |process| {
            let inherited = Cell::new(0);
            let value = values.of(process, |parents| inherited.set(parents.get()));
            (value, inherited.get())
        };
        of(1).0.set(10);
        let (child, inherited) = of(2);
        assert_eq!((child.get(), inherited), (0, 10));
        child.set(20);
        let (grandchild, inherited) = of(3);
        assert_eq!((grandchild.get(), inherited), (0, 20));
        assert_eq!((of(1).0.get(), of(1).1), (10, 0));
        assert_eq!((of(2).0.get(), of(2).1), (20, 0));
    }

    thread_local! {
        /// For a thread that stops while it makes a value: the announcement, and the end of the stop.
        static STOP: Cell<Option<(Sender<()>, Receiver<()>)>> = const { Cell::new(None) };
    }

    struct Slow(AtomicBool);

    impl Default for Slow {
        fn default() -> Self {
            if let Some((stopped, go_on)) = STOP.take() {
                stopped.send(()).unwrap();
                // The limit ends a broken test.
                let _ = go_on.recv_timeout(Duration::from_secs(10));
            }
            Self(AtomicBool::new(false))
        }
    }

    #[test]
    fn value_does_not_wait_for_a_thread_that_makes_one() {
        let values = PerProcess::<Slow>::new();
        let (stopped, is_stopped) = channel();
        let (go_on, goes_on) = channel();
        thread::scope(|scope| {
            let slow = scope.spawn(|| {
                STOP.set(Some((stopped, goes_on)));
                // The value of the other thread, which was first.
                values.of(1, |_| ()).0.load(Relaxed)
            });
            is_stopped.recv().unwrap();
            values.of(1, |_| ()).0.store(true, Relaxed);
            // The receiver is gone if this thread had to wait.
            go_on.send(()).expect("a value without a wait");
            assert!(slow.join().unwrap());
        });
    }
}
