//! The state of a pool: idle connections, the queue of callers, times.

use std::{
    collections::BTreeMap,
    mem,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Instant,
};

/// The connections of a pool that are not in use, and the callers that wait for one.
pub(super) struct State<T> {
    /// The last one returned is the first to be used again: few stay warm rather than all.
    idle: Vec<Pooled<T>>,
    /// Permits that are taken. Callers wait only while this is the size of the pool.
    in_use: usize,
    /// Callers that wait for a permit, the oldest first.
    queue: BTreeMap<u64, SyncSender<Option<Pooled<T>>>>,
    tickets: u64,
    /// Connections of an earlier generation are closed when they are returned.
    generation: u64,
}

/// A connection, and until when it may be used.
pub(super) struct Pooled<T> {
    /// On the heap: it is moved several times an operation.
    pub(super) connection: Box<T>,
    pub(super) generation: u64,
    /// `None` for no limit.
    pub(super) expires: Option<Instant>,
}

/// The answer to a caller that wants a permit.
pub(super) enum Turn<T> {
    /// It has one, and an idle connection if there is any.
    Now(Option<Pooled<T>>),
    /// It has to wait until one is handed to it.
    Later(Ticket<T>),
}

/// The place of a caller in the queue.
pub(super) struct Ticket<T> {
    number: u64,
    pub(super) handed: Receiver<Option<Pooled<T>>>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self {
            idle: Vec::new(),
            in_use: 0,
            queue: BTreeMap::new(),
            tickets: 0,
            generation: 0,
        }
    }
}

impl<T> State<T> {
    /// Takes one of `size` permits, or a place at the end of the queue.
    pub(super) fn enter(&mut self, size: usize) -> Turn<T> {
        if self.in_use < size {
            self.in_use += 1;
            return Turn::Now(self.idle.pop());
        }
        let (hand, handed) = sync_channel(1);
        let number = self.tickets;
        self.tickets += 1;
        self.queue.insert(number, hand);
        Turn::Later(Ticket { number, handed })
    }

    /// Leaves the queue. `false` where a permit was handed to this caller already.
    pub(super) fn leave(&mut self, ticket: &Ticket<T>) -> bool {
        self.queue.remove(&ticket.number).is_some()
    }

    /// Hands a permit, and the connection where there is one, to the caller that has waited longest.
    /// Returns the connection where it is of an earlier generation: to be closed outside of the lock.
    pub(super) fn give_back(&mut self, returned: Option<Pooled<T>>) -> Option<Pooled<T>> {
        let (mut kept, closed) = match returned {
            Some(old) if old.generation != self.generation => (None, Some(old)),
            current => (current, None),
        };
        while let Some((_, hand)) = self.queue.pop_first() {
            match hand.try_send(kept) {
                Ok(()) => return closed,
                Err(failed) => kept = unsent(failed),
            }
        }
        self.in_use -= 1;
        self.idle.extend(kept);
        closed
    }

    /// Another idle connection, for a caller that has a permit.
    pub(super) fn another(&mut self) -> Option<Pooled<T>> {
        self.idle.pop()
    }

    /// The generation of connections that are opened now.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Begins a new generation. Returns the idle connections, to be closed outside of the lock.
    pub(super) fn retire(&mut self) -> Vec<Pooled<T>> {
        self.generation += 1;
        mem::take(&mut self.idle)
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.idle.len(), self.in_use)
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }
}

fn unsent<T>(failed: std::sync::mpsc::TrySendError<T>) -> T {
    use std::sync::mpsc::TrySendError::{Disconnected, Full};
    match failed {
        Disconnected(unsent) | Full(unsent) => unsent,
    }
}
