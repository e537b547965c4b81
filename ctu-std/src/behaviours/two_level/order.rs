//! What keeps the first level from showing an older value than the second was given.
//!
//! Between what an operation does at the second level and at the first, another may come: a fill
//! with what has been written over meanwhile, two writes that arrive in turned order. Whoever finds
//! that somebody wrote meanwhile leaves nothing in the first level, which is always right.
//! Nothing is locked while the second level works, and a hit in the first level is not concerned.

use crate::sync::Mutex;
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
};

/// Keys of the same stripe take each other's writes for their own, and are then filled once later.
const STRIPES: usize = 256;

/// How often the keys of each stripe were written.
pub(super) struct Order {
    writes: Box<[Mutex<u64>]>,
    hasher: RandomState,
}

/// An operation that has begun.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    stripe: usize,
    writes: u64,
}

/// The writes of one batch, of which none is another's.
#[derive(Default)]
pub(super) struct Batch {
    /// By stripe.
    own: HashMap<usize, u64>,
}

impl Batch {
    /// [`Order::write`] for the next of them.
    pub(super) fn write<T>(
        &mut self,
        order: &Order,
        begun: Begun,
        write: impl FnOnce(bool) -> T,
    ) -> T {
        let own = self.own.entry(begun.stripe).or_default();
        let writes = begun.writes.wrapping_add(*own);
        *own += 1;
        order.write(Begun { writes, ..begun }, write)
    }
}

impl Order {
    pub(super) fn new() -> Self {
        Self {
            writes: (0..STRIPES).map(|_| Mutex::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// To be called before the second level is.
    pub(super) fn begin<K: Hash + ?Sized>(&self, key: &K) -> Begun {
        // The remainder is less than the number of stripes.
        let stripe = (self.hasher.hash_one(key) % STRIPES as u64) as usize;
        let writes = *self.writes[stripe].lock();
        Begun { stripe, writes }
    }

    /// Runs `fill` on the first level, unless somebody wrote since `begun`.
    pub(super) fn fill(&self, begun: Begun, fill: impl FnOnce()) {
        let writes = self.writes[begun.stripe].lock();
        if *writes == begun.writes {
            fill();
        }
    }

    /// Runs `write` on the first level, with whether nobody else wrote since `begun`.
    pub(super) fn write<T>(&self, begun: Begun, write: impl FnOnce(bool) -> T) -> T {
        let mut writes = self.writes[begun.stripe].lock();
        let alone = *writes == begun.writes;
        *writes = writes.wrapping_add(1);
        write(alone)
    }

    /// Runs `write` on the first level, which concerns any key.
    pub(super) fn write_all<T>(&self, write: impl FnOnce() -> T) -> T {
        for writes in &self.writes {
            let mut writes = writes.lock();
            *writes = writes.wrapping_add(1);
        }
        write()
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, Order};

    /// Its locks are shuttle's in here.
    fn explored(case: impl Fn() + Send + Sync + 'static) {
        shuttle::check_random(case, 1);
    }

    #[test]
    fn concurrent_writes_are_detected() {
        explored(|| {
            let order = Order::new();
            let (one, two) = (order.begin("key"), order.begin("key"));
            assert!(order.write(two, |alone| alone));
            assert!(!order.write(one, |alone| alone));
            assert!(order.write(order.begin("key"), |alone| alone));
        });
    }

    #[test]
    fn writes_of_one_batch_are_not_concurrent() {
        explored(|| {
            let order = Order::new();
            let (mut batch, begun) = (Batch::default(), [(); 3].map(|()| order.begin("key")));
            assert!(batch.write(&order, begun[0], |alone| alone));
            assert!(batch.write(&order, begun[1], |alone| alone));
            // Another's does.
            order.write(order.begin("key"), drop);
            assert!(!batch.write(&order, begun[2], |alone| alone));
        });
    }

    #[test]
    fn fill_older_than_a_write_is_skipped() {
        explored(|| {
            let order = Order::new();
            let read = order.begin("key");
            order.fill(read, || ());
            order.write(order.begin("key"), drop);
            order.fill(read, || panic!("an old value"));
            let read = order.begin("key");
            order.write_all(|| ());
            order.fill(read, || panic!("a value that was cleared"));
        });
    }

    #[test]
    fn other_stripes_are_independent() {
        explored(|| {
            let order = Order::new();
            let read = order.begin(&0);
            let other = (1..).map(|key: i32| order.begin(&key));
            let mut other = other.filter(|begun| begun.stripe != read.stripe);
            order.write(other.next().unwrap(), drop);
            let mut filled = false;
            order.fill(read, || filled = true);
            assert!(filled);
        });
    }
}
