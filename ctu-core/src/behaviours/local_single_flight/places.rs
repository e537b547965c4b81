//! The places of the callers of a single flight without a heap: no keys, no values, no I/O.

use core::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::{Poll, Waker},
};

/// The callers that compute or wait, at most `CALLERS`.
pub(super) struct Places<const CALLERS: usize> {
    callers: RefCell<[Caller; CALLERS]>,
    /// The number of the last caller that waits.
    last: Cell<u32>,
}

/// The place of a caller. Keys are compared by their hash: tasks of two keys with one hash wait for each
/// other, and then find that their own value is missing.
#[derive(Default)]
enum Caller {
    #[default]
    Free,
    /// It computes.
    Leads {
        hash: u64,
        /// The key was written since the computation began.
        outdated: bool,
        /// A part of the computation is being polled.
        polled: bool,
    },
    Waits {
        hash: u64,
        number: u32,
        waker: Option<Waker>,
    },
    /// The computation that it waited for has ended.
    Released,
}

/// The turn of a caller after a miss.
pub(super) enum Turn<'c, const CALLERS: usize> {
    /// It computes. Without a place among the callers if all are taken.
    Lead(Option<Place<'c, CALLERS>>),
    /// It computes within its own computation of the key.
    Within,
    /// It looks again.
    Look,
}

/// The place of a caller, freed on drop. A computation that has not [finished](Self::finish) then has
/// failed.
pub(super) struct Place<'c, const CALLERS: usize> {
    places: &'c Places<CALLERS>,
    at: usize,
}

impl<const CALLERS: usize> Places<CALLERS> {
    pub(super) const fn new() -> Self {
        Self {
            callers: RefCell::new([const { Caller::Free }; CALLERS]),
            last: Cell::new(0),
        }
    }

    /// Leads the computation for `hash`, or waits for another caller's.
    pub(super) async fn join(&self, hash: u64) -> Turn<'_, CALLERS> {
        match self.leader(hash) {
            Some(true) => return Turn::Within,
            Some(false) => {}
            None => {
                return Turn::Lead(self.place(Caller::Leads {
                    hash,
                    outdated: false,
                    polled: false,
                }));
            }
        }
        self.last.set(self.last.get().wrapping_add(1));
        let Some(place) = self.place(Caller::Waits {
            hash,
            number: self.last.get(),
            waker: None,
        }) else {
            return Turn::Lead(None);
        };
        let leads = poll_fn(|context| {
            let mut callers = self.callers.borrow_mut();
            match &mut callers[place.at] {
                Caller::Waits { waker, .. } => {
                    match waker {
                        Some(waker) if waker.will_wake(context.waker()) => {}
                        waker => *waker = Some(context.waker().clone()),
                    }
                    Poll::Pending
                }
                Caller::Leads { .. } => Poll::Ready(true),
                Caller::Released | Caller::Free => Poll::Ready(false),
            }
        })
        .await;
        match leads {
            true => Turn::Lead(Some(place)),
            false => Turn::Look,
        }
    }

    /// Whether the computation for `hash`, if there is one, is being polled.
    fn leader(&self, hash: u64) -> Option<bool> {
        let callers = self.callers.borrow();
        callers.iter().find_map(|caller| match caller {
            Caller::Leads {
                hash: led, polled, ..
            } if *led == hash => Some(*polled),
            _ => None,
        })
    }

    /// Takes a free place.
    fn place(&self, caller: Caller) -> Option<Place<'_, CALLERS>> {
        let mut callers = self.callers.borrow_mut();
        let free = |caller: &Caller| matches!(caller, Caller::Free);
        let at = callers.iter().position(free)?;
        callers[at] = caller;
        Some(Place { places: self, at })
    }

    /// A write of the keys whose hash `is` selects: a result that is being computed is outdated.
    pub(super) fn written(&self, is: impl Fn(u64) -> bool) {
        for caller in &mut *self.callers.borrow_mut() {
            if let Caller::Leads { hash, outdated, .. } = caller
                && is(*hash)
            {
                *outdated = true;
            }
        }
    }
}

impl<const CALLERS: usize> Place<'_, CALLERS> {
    pub(super) fn is_outdated(&self) -> bool {
        let callers = self.places.callers.borrow();
        matches!(callers[self.at], Caller::Leads { outdated: true, .. })
    }

    pub(super) fn set_polled(&self, now: bool) {
        if let Caller::Leads { polled, .. } = &mut self.places.callers.borrow_mut()[self.at] {
            *polled = now;
        }
    }

    /// Ends the computation with a result in the cache: every caller that waits looks there.
    pub(super) fn finish(self) {
        let leads = self.take();
        let Caller::Leads { hash: led, .. } = leads else {
            return;
        };
        for at in 0..CALLERS {
            let mut callers = self.places.callers.borrow_mut();
            if matches!(&callers[at], Caller::Waits { hash, .. } if *hash == led) {
                let waits = core::mem::replace(&mut callers[at], Caller::Released);
                drop(callers);
                waits.wake();
            }
        }
    }

    fn take(&self) -> Caller {
        core::mem::take(&mut self.places.callers.borrow_mut()[self.at])
    }
}

impl Caller {
    fn wake(self) {
        if let Self::Waits {
            waker: Some(waker), ..
        } = self
        {
            waker.wake();
        }
    }
}

impl<const CALLERS: usize> Drop for Place<'_, CALLERS> {
    fn drop(&mut self) {
        let Caller::Leads { hash: led, .. } = self.take() else {
            return;
        };
        // The computation has failed: the caller that has waited longest leads.
        let mut callers = self.places.callers.borrow_mut();
        let last = self.places.last.get();
        let waiting = callers.iter().enumerate().filter_map(|(at, caller)| {
            match caller {
                // The age, since numbers wrap around.
                Caller::Waits { hash, number, .. } if *hash == led => {
                    Some((last.wrapping_sub(*number), at))
                }
                _ => None,
            }
        });
        if let Some((_, at)) = waiting.max() {
            let leads = Caller::Leads {
                hash: led,
                outdated: false,
                polled: false,
            };
            let waits = core::mem::replace(&mut callers[at], leads);
            drop(callers);
            waits.wake();
        }
    }
}
