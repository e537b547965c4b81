//! The mapping that seals and opens values.

use super::{
    aead::Aead,
    entry::{Bound, MAX_OVERHEAD, Trailer, overhead},
    hash::KeyedHash,
    monotonic::MonotonicCounter,
    name::{HashedNames, Location, Names, PlainNames},
    ring::{Keys, purpose},
    salt::{NoSalt, Salt},
};
use crate::{
    caches::Found,
    counter::Counter,
    entries::Buffer,
    error::Error,
    mappings::mapping::Mapping,
    wall_clock::{Expiry, NoWallClock, WallClock},
};
use core::{
    fmt,
    ops::RangeInclusive,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use zeroize::Zeroize;

/// The mapping of [`SealedCache`](crate::SealedCache).
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, KeyRing, LruCache, Mapped, Sealing, SpinCache};
/// # fn device_secret() -> [u8; 32] { [9; 32] }
/// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
/// let sealing = Sealing::new(KeyRing::new(&device_secret())?).context(b"settings v2");
/// let cache = Mapped::with_mapping(&base, sealing);
/// cache.insert(b"key", b"value")?;
/// assert_eq!(cache.get(b"key")?.as_deref(), Some(&b"value"[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub struct Sealing<R, P = HashedNames, W = NoWallClock, S = NoSalt> {
    keys: R,
    context: KeyedHash,
    names: P,
    clock: W,
    salt: S,
    epoch: AtomicU32,
    rejections: [Counter; 3],
}

const UNSEALED: Error = Error::Encode("a value without room for its seal");

/// The reasons for a rejection, which only counters tell apart.
#[derive(Clone, Copy)]
enum Reason {
    Forged,
    Expired,
    UnknownKey,
}

const NAME_SIZE: RangeInclusive<usize> = 16..=32;

/// The context that `keys` derive from the name of a context.
fn context<R: Keys>(keys: &R, name: &[u8]) -> KeyedHash {
    KeyedHash::new(purpose(keys.names(), &[b"context", name]).bytes())
}

impl<R: Keys> Sealing<R> {
    /// Sealing with `keys`, in the context without a name, in epoch 0.
    pub fn new(keys: R) -> Self {
        Self {
            context: context(&keys, b""),
            keys,
            names: HashedNames::new(16),
            clock: NoWallClock,
            salt: NoSalt,
            epoch: AtomicU32::new(0),
            rejections: [const { Counter::new() }; 3],
        }
    }
}

impl<R: Keys, P, W, S> Sealing<R, P, W, S> {
    /// The bytes that an entry has beside those of the value: 45 with XChaCha20-Poly1305, 26 with
    /// AES-256-GCM-SIV, 37 with Ascon-AEAD128.
    pub const OVERHEAD: usize = overhead::<R::Aead>();

    /// Binds entries to `context`: a tenant, a schema of the firmware. Entries of another context
    /// are misses. Without this call, the context is empty.
    #[must_use]
    pub fn context(mut self, name: &[u8]) -> Self {
        self.context = context(&self.keys, name);
        self
    }

    /// Names entries by the first `bytes` bytes of a keyed hash, 16 to 32. The default is 16.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn name_size(self, bytes: usize) -> Result<Sealing<R, HashedNames, W, S>, Error> {
        match u8::try_from(bytes) {
            Ok(size) if NAME_SIZE.contains(&bytes) => Ok(self.named(HashedNames::new(size))),
            _ => Err(Error::OutOfRange {
                what: "name_size",
                got: bytes,
                min: *NAME_SIZE.start(),
                max: *NAME_SIZE.end(),
            }),
        }
    }

    /// Names entries by their keys, as they are: the server reads them, and keys can be listed.
    #[must_use]
    pub fn plain_names(self) -> Sealing<R, PlainNames, W, S> {
        self.named(PlainNames)
    }

    fn named<T>(self, names: T) -> Sealing<R, T, W, S> {
        Sealing {
            keys: self.keys,
            context: self.context,
            names,
            clock: self.clock,
            salt: self.salt,
            epoch: self.epoch,
            rejections: self.rejections,
        }
    }

    /// Seals the time that an entry ends, by `clock`. Entries last up to a second longer than their
    /// time to live, never less; nodes whose clocks differ disagree by the difference.
    #[must_use]
    pub fn wall_clock<T: WallClock>(self, clock: T) -> Sealing<R, P, T, S> {
        Sealing {
            keys: self.keys,
            context: self.context,
            names: self.names,
            clock,
            salt: self.salt,
            epoch: self.epoch,
            rejections: self.rejections,
        }
    }

    /// Mixes `salt` into nonces. The default is [`NoSalt`].
    #[must_use]
    pub fn salt<T: Salt>(self, salt: T) -> Sealing<R, P, W, T> {
        Sealing {
            keys: self.keys,
            context: self.context,
            names: self.names,
            clock: self.clock,
            salt,
            epoch: self.epoch,
            rejections: self.rejections,
        }
    }

    /// Starts in `epoch`. The default is 0.
    #[must_use]
    pub fn epoch(self, epoch: u32) -> Self {
        self.set_epoch(epoch);
        self
    }

    /// Makes all entries of other epochs misses. No byte is written, here or below.
    pub fn set_epoch(&self, epoch: u32) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }

    /// Makes all entries so far misses for good, by one step of `counter`, which becomes the epoch.
    /// After a reset, start with `epoch(counter.value()?)`.
    ///
    /// # Errors
    /// A failure of the counter; the epoch is unchanged.
    pub fn forget_all<M: MonotonicCounter>(&self, counter: &mut M) -> Result<(), M::Error> {
        self.set_epoch(counter.step()?);
        Ok(())
    }

    /// The number of entries that were rejected and taken for misses, for any reason.
    pub fn rejected(&self) -> usize {
        self.rejections
            .iter()
            .fold(0, |sum, count| sum.wrapping_add(count.get()))
    }

    /// The number of rejected entries whose time was over, by the time that they carry.
    pub fn expired(&self) -> usize {
        self.rejections[Reason::Expired as usize].get()
    }

    /// The number of rejected entries with the id of a key that is not in the ring.
    pub fn unknown_key(&self) -> usize {
        self.rejections[Reason::UnknownKey as usize].get()
    }

    fn bound(&self, location: &Location, id: u8, expiry: Expiry) -> Bound {
        let epoch = self.epoch.load(Ordering::Relaxed);
        Bound::new::<R::Aead>(location, id, epoch, expiry)
    }
}

impl<R: Keys, P, W: WallClock, S: Salt> Sealing<R, P, W, S> {
    /// Encrypts all but the last bytes of `entry`, and writes those.
    fn seal(&self, location: &Location, entry: &mut [u8], expiry: Expiry) -> Result<(), Error> {
        let (id, key) = self.keys.writer();
        let bound = self.bound(location, id, expiry);
        let text = entry.len().checked_sub(Self::OVERHEAD);
        let Some((text, trailer)) = text.and_then(|len| entry.split_at_mut_checked(len)) else {
            return Err(UNSEALED);
        };
        let nonce = bound.nonce::<R::Aead>(&key.nonces, self.salt.salt(), text, location);
        let tag = key.aead.seal(&nonce, bound.bytes(), text)?;
        let last = Trailer {
            expiry,
            nonce,
            tag,
            id,
        };
        last.write(trailer).ok_or(UNSEALED)
    }

    /// Decrypts an entry in place. `None` where it is rejected; else the length of the value, and
    /// the time that it has left.
    ///
    /// Every rejection goes all the way: the same hash, the same cipher, the same comparison.
    fn open(
        &self,
        location: &Location,
        entry: &mut [u8],
    ) -> Result<Option<(usize, Option<Duration>)>, Error> {
        let len = entry.len().checked_sub(Self::OVERHEAD);
        let (text, last) = entry
            .split_at_mut_checked(len.unwrap_or_default())
            .unwrap_or_default();
        let last = Trailer::read::<R::Aead>(last, location);
        let complete = len.is_some() && last.is_some();
        let last = last.unwrap_or_else(Trailer::none);
        let left = last.expiry.millis_left(&self.clock);
        let known = self.keys.reader(last.id);
        let reason = match (known, left) {
            (None, _) => Reason::UnknownKey,
            (_, Err(())) => Reason::Expired,
            _ => Reason::Forged,
        };
        let acceptable = complete && known.is_some() && left.is_ok();
        let mut bound = self.bound(location, last.id, last.expiry);
        bound.refuse_unless(acceptable);
        let key = known.unwrap_or(self.keys.writer().1);
        let verified = key
            .aead
            .open(&last.nonce, bound.bytes(), text, &last.tag)
            .inspect_err(|_| text.zeroize())?;
        if verified && acceptable {
            let left = left.unwrap_or_default().map(Duration::from_millis);
            return Ok(Some((text.len(), left)));
        }
        text.zeroize();
        if let Some(count) = self.rejections.get(reason as usize) {
            count.count();
        }
        Ok(None)
    }
}

impl<B, R, P, W, S> Mapping<[u8], B> for Sealing<R, P, W, S>
where
    B: Buffer + Clone,
    R: Keys,
    P: Names,
    W: WallClock,
    S: Salt,
{
    type Key = [u8];
    type Value = B;
    type At = P::At;

    const VERIFIES: bool = true;

    const NO_ORIGIN: Option<Error> = P::NO_ORIGIN;

    #[inline]
    fn at(&self, key: &[u8]) -> Result<P::At, Error> {
        self.names.name(key, Location::new(&self.context, key))
    }

    #[inline]
    fn encode(&self, at: &P::At, value: B) -> Result<B, Error> {
        self.encode_for(at, value, None)
    }

    fn encode_for(&self, at: &P::At, mut value: B, ttl: Option<Duration>) -> Result<B, Error> {
        let expiry = Expiry::after(ttl, &self.clock)?;
        value.append([0; MAX_OVERHEAD].get(..Self::OVERHEAD).ok_or(UNSEALED)?)?;
        match self.seal(at.as_ref(), value.as_mut(), expiry) {
            Ok(()) => Ok(value),
            Err(error) => {
                value.as_mut().zeroize();
                Err(error)
            }
        }
    }

    #[inline]
    fn decode(&self, at: &P::At, mut value: B) -> Result<Option<B>, Error> {
        // Not by `decode_with_ttl`, whose result moves the value once more.
        let Some((len, _)) = self.open(at.as_ref(), value.as_mut())? else {
            return Ok(None);
        };
        value.truncate(len);
        Ok(Some(value))
    }

    fn decode_with_ttl(
        &self,
        at: &P::At,
        mut value: B,
        ttl: Option<Duration>,
    ) -> Result<Found<B>, Error> {
        let Some((len, left)) = self.open(at.as_ref(), value.as_mut())? else {
            return Ok(None);
        };
        value.truncate(len);
        // The shorter of both; the cache below may know of none.
        let ttl = ttl.into_iter().chain(left).min();
        Ok(Some((value, ttl)))
    }

    fn origin<'k>(&self, key: &'k [u8]) -> Result<Option<&'k [u8]>, Error> {
        self.names.key(key)
    }
}

impl<R: Keys, P, W, S> fmt::Debug for Sealing<R, P, W, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing")
            .field("suite", &<R::Aead as Aead>::NAME)
            .field("epoch", &self.epoch.load(Ordering::Relaxed))
            .field("rejected", &self.rejected())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<R: Keys, P, W, S> defmt::Format for Sealing<R, P, W, S> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Sealing {{ suite: {=str}, epoch: {=u32}, rejected: {=usize}, .. }}",
            <R::Aead as Aead>::NAME,
            self.epoch.load(Ordering::Relaxed),
            self.rejected()
        );
    }
}
