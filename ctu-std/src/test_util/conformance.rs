//! The promises of the traits, as checks of any cache.
//!
//! Each check is written once, for async caches. A blocking cache is checked as one whose futures are ready.

use ctu_core::{AsyncCache, Cache, CacheError, Capability, Error, Ready};
use std::{
    borrow::Borrow,
    fmt::Debug,
    pin::pin,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    task::{Context, Poll, Waker},
    time::Duration,
};

const MINUTE: Duration = Duration::from_secs(60);

/// Checks the promises of a [`Cache`], and panics on a broken one.
///
/// `make` makes an empty cache for each check: for a server, a cache after [`clear`](Cache::clear). It keeps ten small
/// entries. `key` and `value` make different keys and values of different numbers.
///
/// ```
/// use ctu_std::{LockedCache, LruCache, test_util::check_cache};
///
/// let make = || LockedCache::new(LruCache::<String, u64>::with_capacity(100));
/// check_cache(make, |n| n.to_string(), u64::from);
/// ```
///
/// # Panics
/// On a broken promise, with its name.
pub fn check_cache<C, Q, V>(make: impl Fn() -> C, key: impl Fn(u32) -> Q, value: impl Fn(u32) -> V)
where
    C: Cache<Key: Sync, Value = V, Error: Send> + Sync,
    Q: Borrow<C::Key>,
    V: Clone + PartialEq + Debug + Send,
{
    // `Ready` has no `get_or_compute` of the inner cache.
    let compute = async |cache: &Ready<C>, key: &C::Key, mut make: Make<'_, V>| {
        cache.0.get_or_compute(key, &mut make)
    };
    let mut checks = pin!(check(async || Ready(make()), key, value, compute));
    let mut context = Context::from_waker(Waker::noop());
    // Every future of `Ready` is ready at once.
    assert_eq!(checks.as_mut().poll(&mut context), Poll::Ready(()));
}

/// Checks the promises of an [`AsyncCache`], and panics on a broken one: [`check_cache`] for async caches.
///
/// ```
/// use ctu_std::{LockedCache, LruCache, Ready, test_util::check_async_cache};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let make = async || Ready(LockedCache::new(LruCache::<String, u64>::with_capacity(100)));
/// check_async_cache(make, |n| n.to_string(), u64::from).await;
/// # }
/// ```
///
/// # Panics
/// On a broken promise, with its name.
pub async fn check_async_cache<C, Q, V>(
    make: impl AsyncFn() -> C,
    key: impl Fn(u32) -> Q,
    value: impl Fn(u32) -> V,
) where
    C: AsyncCache<Value = V>,
    Q: Borrow<C::Key>,
    V: Clone + PartialEq + Debug + Send,
{
    let compute = async |cache: &C, key: &C::Key, mut make: Make<'_, V>| {
        cache
            .get_or_compute(key, move || std::future::ready(make()))
            .await
    };
    check(make, key, value, compute).await;
}

/// A computation of a check.
type Make<'m, V> = Box<dyn FnMut() -> Result<Option<V>, Error> + Send + 'm>;

/// All checks. `compute` is `get_or_compute` of the cache.
async fn check<C, Q, V>(
    make: impl AsyncFn() -> C,
    key: impl Fn(u32) -> Q,
    value: impl Fn(u32) -> V,
    compute: impl AsyncFn(&C, &C::Key, Make<'_, V>) -> Result<Option<V>, C::Error>,
) where
    C: AsyncCache<Value = V>,
    Q: Borrow<C::Key>,
    V: Clone + PartialEq + Debug + Send,
{
    let subject = async || Subject {
        cache: make().await,
        key: &key,
        value: &value,
    };
    subject().await.empty_cache_has_no_entry().await;
    subject().await.stored_value_is_found().await;
    subject().await.later_value_replaces_the_earlier().await;
    subject().await.removed_entry_is_gone().await;
    subject().await.pop_removes_and_returns().await;
    subject().await.clear_removes_every_entry().await;
    subject().await.retain_removes_rejected_keys().await;
    subject().await.time_to_live_is_kept_or_refused().await;
    subject().await.batches_agree_with_single_operations().await;
    subject()
        .await
        .missing_value_is_computed_once(&compute)
        .await;
    subject()
        .await
        .failed_computation_stores_nothing(&compute)
        .await;
}

/// A cache under test, with its keys and values by number.
struct Subject<C, K, W> {
    cache: C,
    key: K,
    value: W,
}

/// The numbers of the entries of a check.
const NUMBERS: [u32; 4] = [1, 2, 3, 4];

impl<C, K, W, Q, V> Subject<C, K, W>
where
    C: AsyncCache<Value = V>,
    K: Fn(u32) -> Q,
    Q: Borrow<C::Key>,
    W: Fn(u32) -> V,
    V: Clone + PartialEq + Debug + Send,
{
    /// Stores the value of number `value` at the key of number `key`.
    async fn insert(&self, key: u32, value: u32) {
        let (key, value) = ((self.key)(key), (self.value)(value));
        let inserted = self.cache.insert_entry(key.borrow(), value, None).await;
        done("insert_entry", inserted);
    }

    async fn get(&self, key: u32) -> Option<V> {
        done("get", self.cache.get((self.key)(key).borrow()).await)
    }

    /// Checks every kind of lookup: the value of number `value` is at the key, or none.
    async fn expect(&self, check: &str, key: u32, value: Option<u32>) {
        let expected = value.map(&self.value);
        assert_eq!(self.get(key).await, expected, "{check}: get");
        let (cache, key) = (&self.cache, (self.key)(key));
        let contains = done("contains", cache.contains(key.borrow()).await);
        assert_eq!(contains, expected.is_some(), "{check}: contains");
        let found = done("get_with_ttl", cache.get_with_ttl(key.borrow()).await);
        let found = found.map(|(value, _)| value);
        assert_eq!(found, expected, "{check}: get_with_ttl");
    }

    async fn empty_cache_has_no_entry(&self) {
        let check = "an empty cache has no entry";
        self.expect(check, 1, None).await;
        let key = (self.key)(1);
        let removed = done("remove", self.cache.remove(key.borrow()).await);
        assert!(!removed, "{check}: remove");
    }

    async fn stored_value_is_found(&self) {
        let check = "a stored value is found at its key alone";
        for number in NUMBERS {
            self.insert(number, number).await;
        }
        for number in NUMBERS {
            self.expect(check, number, Some(number)).await;
        }
        self.expect(check, 9, None).await;
        match self.cache.len().await {
            // That of a server may count other entries.
            Ok(len) => assert!(len >= NUMBERS.len(), "{check}: len is {len}"),
            Err(error) => unsupported(check, &error, &[Capability::Len, Capability::ListKeys]),
        }
    }

    async fn later_value_replaces_the_earlier(&self) {
        self.insert(1, 1).await;
        self.insert(1, 2).await;
        self.expect("a later value replaces the earlier", 1, Some(2))
            .await;
    }

    async fn removed_entry_is_gone(&self) {
        let check = "a removed entry is gone, and others stay";
        self.insert(1, 1).await;
        self.insert(2, 2).await;
        for was_there in [true, false] {
            let key = (self.key)(1);
            let removed = done("remove", self.cache.remove(key.borrow()).await);
            assert_eq!(removed, was_there, "{check}: remove");
        }
        self.expect(check, 1, None).await;
        self.expect(check, 2, Some(2)).await;
    }

    async fn pop_removes_and_returns(&self) {
        let check = "pop removes the entry and returns its value";
        self.insert(1, 1).await;
        for expected in [Some((self.value)(1)), None] {
            let popped = done("pop", self.cache.pop((self.key)(1).borrow()).await);
            assert_eq!(popped, expected, "{check}: pop");
        }
        self.expect(check, 1, None).await;
    }

    async fn clear_removes_every_entry(&self) {
        let check = "clear removes every entry";
        self.insert(1, 1).await;
        self.insert(2, 2).await;
        match self.cache.clear().await {
            Ok(()) => {
                self.expect(check, 1, None).await;
                self.expect(check, 2, None).await;
            }
            Err(error) => {
                unsupported(check, &error, &[Capability::Clear, Capability::ListKeys]);
                self.expect(check, 1, Some(1)).await;
            }
        }
    }

    async fn retain_removes_rejected_keys(&self) {
        let check =
            "retain removes the rejected keys alone, or none of a cache that cannot list them";
        for number in NUMBERS {
            self.insert(number, number).await;
        }
        let all = AtomicU32::new(0);
        let retained = self.cache.retain(|_| {
            all.fetch_add(1, SeqCst);
            true
        });
        match retained.await {
            Ok(()) => assert!(all.load(SeqCst) >= 4, "{check}: not every key is shown"),
            Err(error) => unsupported(check, &error, &[Capability::ListKeys]),
        }
        for number in NUMBERS {
            self.expect(check, number, Some(number)).await;
        }
        if self.cache.retain(|_| false).await.is_ok() {
            for number in NUMBERS {
                self.expect(check, number, None).await;
            }
        }
    }

    async fn time_to_live_is_kept_or_refused(&self) {
        let check = "a time-to-live is kept, or refused without effect";
        let (key, value) = ((self.key)(1), (self.value)(1));
        let inserted = self
            .cache
            .insert_entry(key.borrow(), value, Some(MINUTE))
            .await;
        match inserted {
            Ok(()) => {
                let found = self.cache.get_with_ttl(key.borrow()).await;
                let left = done("get_with_ttl", found).and_then(|(_, left)| left);
                assert!(
                    left.is_none_or(|left| left <= MINUTE),
                    "{check}: {left:?} left"
                );
                self.expect(check, 1, Some(1)).await;
                // An entry without time is expired at once, so no clock is needed.
                let expired = (self.value)(2);
                let inserted = self
                    .cache
                    .insert_entry(key.borrow(), expired, Some(Duration::ZERO));
                done("insert_entry", inserted.await);
                self.expect(check, 1, None).await;
            }
            Err(error) => {
                let refused = error.as_core() == Some(Error::TtlUnsupported);
                assert!(refused, "{check}: {error}");
                self.expect(check, 1, None).await;
            }
        }
        if let Some(ttl) = self.cache.default_ttl() {
            self.insert(2, 2).await;
            let found = self.cache.get_with_ttl((self.key)(2).borrow()).await;
            let left = done("get_with_ttl", found).and_then(|(_, left)| left);
            assert!(
                left.is_none_or(|left| left <= ttl),
                "{check}: default of {ttl:?}"
            );
        }
    }

    async fn batches_agree_with_single_operations(&self) {
        let check = "batches agree with single operations";
        let keys: Vec<Q> = NUMBERS.map(&self.key).into();
        let [one, two, three, four] = &keys[..] else {
            return;
        };
        let entries = vec![
            (one.borrow(), (self.value)(1)),
            (two.borrow(), (self.value)(2)),
            (three.borrow(), (self.value)(3)),
        ];
        done("insert_many", self.cache.insert_many(entries, None).await);
        // A missing key, and one twice.
        let asked = [three.borrow(), four.borrow(), one.borrow(), three.borrow()];
        let expected = [Some(3), None, Some(1), Some(3)].map(|number| number.map(&self.value));
        let found = done("get_many", self.cache.get_many(&asked).await);
        assert_eq!(found, expected, "{check}: get_many");
        let found = done(
            "get_many_with_ttl",
            self.cache.get_many_with_ttl(&asked).await,
        );
        let found = found.into_iter().map(|found| found.map(|(value, _)| value));
        let found: Vec<_> = found.collect();
        assert_eq!(found, expected, "{check}: get_many_with_ttl");
        let removed = [two.borrow(), four.borrow(), one.borrow()];
        let removed = done("remove_many", self.cache.remove_many(&removed).await);
        assert_eq!(removed, 2, "{check}: remove_many");
        for (number, value) in [(1, None), (2, None), (3, Some(3)), (4, None)] {
            self.expect(check, number, value).await;
        }
        assert_eq!(
            done("get_many", self.cache.get_many(&[]).await),
            [],
            "{check}: no keys"
        );
    }

    async fn missing_value_is_computed_once(
        &self,
        compute: impl AsyncFn(&C, &C::Key, Make<'_, V>) -> Result<Option<V>, C::Error>,
    ) {
        let check = "a missing value is computed once and stored";
        let (key, value, calls) = ((self.key)(1), (self.value)(1), AtomicU32::new(0));
        for _ in 0..2 {
            let (calls, made) = (&calls, value.clone());
            let make = move || {
                calls.fetch_add(1, SeqCst);
                Ok(Some(made.clone()))
            };
            let computed = compute(&self.cache, key.borrow(), Box::new(make)).await;
            let computed = done("get_or_compute", computed);
            assert_eq!(computed.as_ref(), Some(&value), "{check}");
        }
        assert_eq!(calls.load(SeqCst), 1, "{check}: computations");
        self.expect(check, 1, Some(1)).await;
    }

    async fn failed_computation_stores_nothing(
        &self,
        compute: impl AsyncFn(&C, &C::Key, Make<'_, V>) -> Result<Option<V>, C::Error>,
    ) {
        let check = "a computation without a value stores nothing";
        let key = (self.key)(1);
        let none = compute(&self.cache, key.borrow(), Box::new(|| Ok(None))).await;
        assert_eq!(done("get_or_compute", none), None, "{check}");
        let fails = Box::new(|| Err(Error::Encode("a check")));
        let failed = compute(&self.cache, key.borrow(), fails).await;
        let error = failed.expect_err(check).as_core();
        assert_eq!(error, Some(Error::Encode("a check")), "{check}");
        self.expect(check, 1, None).await;
    }
}

/// The result of an operation that may not fail.
fn done<T, E: CacheError>(operation: &str, result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{operation} fails: {error}"),
    }
}

/// Checks that the error is the lack of one of these operations.
fn unsupported<E: CacheError>(check: &str, error: &E, allowed: &[Capability]) {
    match error.as_core() {
        Some(Error::Unsupported(missing)) if allowed.contains(&missing) => {}
        _ => panic!("{check}: {error}"),
    }
}

#[cfg(test)]
mod tests;
