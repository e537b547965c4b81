//! Old images of the cache below: one step of a counter a boot tells them from the current one.

use super::{SealedCache, monotonic::MonotonicCounter, name::Names, ring::Keys, salt::Salt};
use crate::{
    caches::Cache,
    entries::Buffer,
    error::{Error, SealError},
    wall_clock::WallClock,
};

/// The key of the entry with the number of the boot. Users' keys differ from it.
const BOOT: &[u8] = b"\0ctu boot";

impl<C, R, P, W, S> SealedCache<C, R, P, W, S>
where
    C: Cache<Key = [u8]>,
    C::Value: Buffer,
    R: Keys,
    P: Names,
    W: WallClock,
    S: Salt,
{
    /// Empties the cache below where it is an old image put back, and begins the next boot, by one
    /// step of `counter`. Returns whether the entries are those of the boot before.
    ///
    /// To be called once after each reset, before any other use. The cache below belongs to this
    /// cache alone, and keeps one more entry, sealed, with the number of the boot. It must not
    /// evict that entry, or the next boot finds no entries: use
    /// `FlashOptions::keep_all` below.
    ///
    /// An image from the time since the last reset passes, and so does a single old entry of this
    /// epoch beside the current entry of the boot. [`forget_all`](Self::forget_all) ends the epoch.
    /// With a [`SoftCounter`](crate::SoftCounter) this protects from nothing.
    ///
    /// # Errors
    /// Those of the cache below, and of the counter. A call after a failure, or after a power cut,
    /// goes on where this one ended.
    ///
    /// # Example
    /// ```
    /// use ctu_core::{Bytes, LruCache, SealedCache, SoftCounter, SpinCache, prelude::*};
    ///
    /// # fn device_secret() -> [u8; 32] { [9; 32] }
    /// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
    /// let settings = SealedCache::new(&base, &device_secret())?;
    /// let mut counter = SoftCounter::default(); // of a secure element
    /// settings.begin_boot(&mut counter)?;
    /// settings.insert(b"ssid", b"home")?;
    /// assert!(settings.begin_boot(&mut counter)?);
    /// counter = SoftCounter::at(7); // the entries are older
    /// assert!(!settings.begin_boot(&mut counter)?);
    /// assert_eq!(settings.get(b"ssid")?, None);
    /// # Ok::<(), ctu_core::Error>(())
    /// ```
    pub fn begin_boot<M>(&self, counter: &mut M) -> Result<bool, C::Error>
    where
        M: MonotonicCounter<Error: Into<C::Error>>,
    {
        let count = counter.value().map_err(Into::into)?;
        let next = count.checked_add(1);
        let next = next.ok_or(Error::Seal(SealError::CounterAtEnd))?;
        let stamp = self.get(BOOT)?;
        // The entry is written before the step: a power cut in between leaves the next number.
        let current = stamp.is_some_and(|stamp| {
            let stamp = stamp.as_ref();
            stamp == count.to_le_bytes() || stamp == next.to_le_bytes()
        });
        if !current {
            self.get_ref().clear()?;
        }
        let stamp = C::Value::from_bytes(&next.to_le_bytes())?;
        self.insert_entry(BOOT, stamp, None)?;
        counter.step().map_err(Into::into)?;
        Ok(current)
    }
}
