//! Several keys at once: one flight a key, and one computation for all keys that miss.

use super::{
    SingleFlightCache,
    flights::{Leading, Turn},
};
use ctu_core::{Cache, Error};
use std::{
    collections::{HashMap, hash_map::Entry},
    convert::Infallible,
    hash::Hash,
};

/// The values that a caller computed, by its error.
type Made<V, E> = Result<Vec<Option<V>>, E>;

/// A key that this caller computes, with the place of its value in the result.
struct Led<'k, 'f, K: ToOwned + Hash + Eq + ?Sized, V: Clone> {
    key: &'k K,
    place: usize,
    flight: Leading<'f, K, V>,
}

impl<C: Cache<Key: Hash + Eq + ToOwned>> SingleFlightCache<C> {
    /// Returns the values at `keys`, in order. `make` computes those of all keys that miss in one
    /// call, and returns as many values, in order; they are stored for the default time-to-live.
    ///
    /// A key that another caller computes is waited for, after the own values are stored, so that
    /// callers with the same keys in another order do not wait for each other. Where that caller
    /// fails, `make` is called again for the key. Keys may repeat. One round trip for the look-up
    /// and one for the writes, if the cache supports it.
    ///
    /// ```
    /// use ctu_std::{CacheExt, ConcurrentCache, SingleFlightCache};
    ///
    /// let cache = SingleFlightCache::new(ConcurrentCache::<u32, u32>::with_capacity(100));
    /// cache.insert(&2, 20)?;
    /// let values = cache.get_or_insert_many_with(&[&1, &2, &3], |missing| {
    ///     assert_eq!(missing, [&1, &3]);
    ///     missing.iter().map(|key| **key * 10).collect()
    /// })?;
    /// assert_eq!(values, [10, 20, 30]);
    /// # Ok::<(), ctu_std::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`get_many`](Cache::get_many) and [`insert_many`](Cache::insert_many), and
    /// [`Error::OutOfRange`] if `make` returns another number of values: nothing is stored then.
    pub fn get_or_insert_many_with(
        &self,
        keys: &[&C::Key],
        mut make: impl FnMut(&[&C::Key]) -> Vec<C::Value>,
    ) -> Result<Vec<C::Value>, C::Error> {
        let made = self.get_or_try_insert_many_with(keys, |missing| {
            Ok::<_, Infallible>(make(missing).into_iter().map(Some).collect())
        })?;
        match made {
            // Each key has a value, or the number of values was refused.
            Ok(values) => Ok(values.into_iter().flatten().collect()),
            Err(error) => match error {},
        }
    }

    /// [`get_or_insert_many_with`](Self::get_or_insert_many_with) for a computation that may fail,
    /// or find that a key has no value: nothing is stored at that key, and its result is `None`.
    ///
    /// # Errors
    /// As [`get_or_insert_many_with`](Self::get_or_insert_many_with). The inner error is that of
    /// `make`: nothing is stored, and a waiting caller computes.
    #[allow(clippy::type_complexity)]
    pub fn get_or_try_insert_many_with<E>(
        &self,
        keys: &[&C::Key],
        mut make: impl FnMut(&[&C::Key]) -> Result<Vec<Option<C::Value>>, E>,
    ) -> Result<Result<Vec<Option<C::Value>>, E>, C::Error> {
        let mut values = self.inner.get_many(keys)?;
        let (mut led, mut others, mut first) = (Vec::new(), Vec::new(), HashMap::new());
        for (place, &key) in keys.iter().enumerate() {
            if values.get(place).is_some_and(Option::is_some) {
                continue;
            }
            match first.entry(key) {
                Entry::Occupied(_) => others.push((place, key)),
                Entry::Vacant(vacant) => {
                    vacant.insert(place);
                    match self.flights.begin(key) {
                        Some(flight) => led.push(Led { key, place, flight }),
                        None => others.push((place, key)),
                    }
                }
            }
        }
        if let Err(error) = self.lead_many(led, &mut values, &mut make)? {
            return Ok(Err(error));
        }
        for (place, key) in others {
            // A key that came before in `keys` has its result by now, if it has one.
            let before = first.get(key).filter(|before| **before != place);
            if let Some(before) = before {
                values[place] = values[*before].clone();
                continue;
            }
            match self.flights.join(key, || ()) {
                Turn::Done(value) => values[place] = Some(value),
                Turn::Lead(flight) => {
                    let led = vec![Led { key, place, flight }];
                    if let Err(error) = self.lead_many(led, &mut values, &mut make)? {
                        return Ok(Err(error));
                    }
                }
                Turn::Within => match Self::checked(make(&[key]), 1)? {
                    Ok(made) => values[place] = made.into_iter().next().flatten(),
                    Err(error) => return Ok(Err(error)),
                },
            }
        }
        Ok(Ok(values))
    }

    /// The result of a computation, which has as many values as keys.
    fn checked<E>(made: Made<C::Value, E>, keys: usize) -> Result<Made<C::Value, E>, C::Error> {
        match made {
            Ok(made) if made.len() != keys => Err(Error::OutOfRange {
                what: "number of computed values",
                got: made.len(),
                min: keys,
                max: keys,
            }
            .into()),
            made => Ok(made),
        }
    }

    /// Computes the values of keys for the waiting callers, too.
    fn lead_many<E>(
        &self,
        led: Vec<Led<'_, '_, C::Key, C::Value>>,
        values: &mut [Option<C::Value>],
        make: &mut impl FnMut(&[&C::Key]) -> Result<Vec<Option<C::Value>>, E>,
    ) -> Result<Result<(), E>, C::Error> {
        if led.is_empty() {
            return Ok(Ok(()));
        }
        // Other computations may have ended since the look-up.
        let keys: Vec<_> = led.iter().map(|led| led.key).collect();
        let found = self.inner.get_many(&keys)?;
        let mut missing = Vec::new();
        for (led, found) in led.into_iter().zip(found) {
            match found {
                None => missing.push(led),
                Some(value) => {
                    values[led.place] = Some(value.clone());
                    led.flight.finish(value);
                }
            }
        }
        if missing.is_empty() {
            return Ok(Ok(()));
        }
        let keys: Vec<_> = missing.iter().map(|led| led.key).collect();
        let made = match Self::checked(make(&keys), keys.len())? {
            Ok(made) => made,
            Err(error) => return Ok(Err(error)),
        };
        let made: Vec<_> = missing.into_iter().zip(made).collect();
        let with_value = made
            .iter()
            .filter_map(|(led, value)| Some((led, value.as_ref()?)));
        let storing: Vec<_> = with_value
            .filter_map(|(led, value)| {
                let storing = self.writes.store(&led.flight, led.key)?;
                Some((storing, led.key, value.clone()))
            })
            .collect();
        let (storing, entries): (Vec<_>, Vec<_>) = storing
            .into_iter()
            .map(|(storing, key, value)| (storing, (key, value)))
            .unzip();
        let stored = match entries.is_empty() {
            true => Ok(()),
            false => self.inner.insert_many(entries, None),
        };
        drop(storing);
        for (led, value) in made {
            if let Some(value) = value {
                values[led.place] = Some(value.clone());
                led.flight.finish(value);
            }
        }
        stored.map(Ok)
    }
}
