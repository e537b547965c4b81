//! Prefixes that a counter makes.

use super::mapped::Mapped;
use super::prefixed::{AsPrefix, Prefix};
use crate::{counter::Counter, encoding::PrefixEncoding, entries::Text, error::Error};

/// A cache with its number as prefix, in the format of `AutoPrefixedCache` in CacheToolsUtils.
///
/// ```
/// use ctu_core::{AutoPrefixedCache, Cache, CacheExt, LruCache, PrefixCounter, PrefixEncoding, SpinCache, Text};
///
/// static COUNTER: PrefixCounter = PrefixCounter::new();
///
/// let base = SpinCache::new(LruCache::<Text<20>, u32, 32>::new());
/// let first = AutoPrefixedCache::counted(&base, &COUNTER, PrefixEncoding::B64, ".")?;
/// let second = AutoPrefixedCache::counted(&base, &COUNTER, PrefixEncoding::B64, ".")?;
/// first.insert("key", 1)?;
/// second.insert("key", 2)?;
/// assert_eq!((base.get("AA==.key")?, base.get("AQ==.key")?), (Some(1), Some(2)));
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub type AutoPrefixedCache<C> = Mapped<C, Prefix<AutoPrefix>>;

impl<C> AutoPrefixedCache<C> {
    /// Wraps `inner` with the next prefix of this process, in base64, followed by a `.`.
    ///
    /// The number depends on earlier calls in this process, so a cache that outlives the process
    /// needs [`counted`](Self::counted) or a [`PrefixedCache`](crate::PrefixedCache).
    pub fn new(inner: C) -> Self {
        let prefix = AutoPrefix::next(&PROCESS, PrefixEncoding::default(), ".");
        Self::with_mapping(inner, Prefix::new(prefix.unwrap_or_default()))
    }

    /// Wraps `inner` with the next prefix of `counter`, followed by `separator`.
    ///
    /// The separator begins with a character that the encoding does not use. Otherwise one prefix
    /// could begin another (`01` and `0100` without a separator), and the two caches would share
    /// keys. Ascii85 uses `!` to `u` and `z`, the `.` included; `~` is a separator there.
    ///
    /// # Errors
    /// [`Error::KeyTooLong`] for a separator of more than 16 bytes, and
    /// [`Error::AmbiguousSeparator`] for an empty one or one that begins with a character of the
    /// encoding.
    pub fn counted(
        inner: C,
        counter: &PrefixCounter,
        encoding: PrefixEncoding,
        separator: &str,
    ) -> Result<Self, Error> {
        let prefix = AutoPrefix::next(counter, encoding, separator)?;
        Ok(Self::with_mapping(inner, Prefix::new(prefix)))
    }
}

/// The numbers of automatic prefixes, from 0.
///
/// ```
/// use ctu_core::{AutoPrefixedCache, Cache, CacheExt, LruCache, PrefixCounter, PrefixEncoding, SpinCache, Text};
/// static COUNTER: PrefixCounter = PrefixCounter::new();
/// let base = SpinCache::new(LruCache::<Text<20>, u32, 8>::new());
/// let one = AutoPrefixedCache::counted(&base, &COUNTER, PrefixEncoding::B16, ".")?;
/// let two = AutoPrefixedCache::counted(&base, &COUNTER, PrefixEncoding::B16, ".")?;
/// one.insert("key", 1)?;
/// assert_eq!(two.get("key")?, None);
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PrefixCounter(Counter);

static PROCESS: PrefixCounter = PrefixCounter::new();

impl PrefixCounter {
    /// A counter at 0.
    pub const fn new() -> Self {
        Self(Counter::new())
    }
}

/// The prefix of an [`AutoPrefixedCache`].
///
/// ```
/// use ctu_core::{AsPrefix, AutoPrefixedCache, LruCache, SpinCache, Text};
/// let base = SpinCache::new(LruCache::<Text<20>, u32, 8>::new());
/// let cache = AutoPrefixedCache::new(&base);
/// let prefix: &str = cache.mapping().prefix().as_prefix();
/// assert!(prefix.ends_with('.'));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AutoPrefix(Text<40>);

impl AutoPrefix {
    fn next(
        counter: &PrefixCounter,
        encoding: PrefixEncoding,
        separator: &str,
    ) -> Result<Self, Error> {
        if separator.len() > 16 {
            return Err(Error::KeyTooLong {
                len: separator.len(),
                max: 16,
            });
        }
        if separator
            .chars()
            .next()
            .is_none_or(|first| encoding.uses(first))
        {
            return Err(Error::AmbiguousSeparator);
        }
        let mut prefix = Text::new();
        // A number has at most 16 characters, so both fit.
        let number = encoding.encode(counter.0.count() as u64);
        let _ = prefix.push_str(&number);
        let _ = prefix.push_str(separator);
        Ok(Self(prefix))
    }
}

impl AsPrefix<str> for AutoPrefix {
    fn as_prefix(&self) -> &str {
        &self.0
    }
}

impl AsPrefix<[u8]> for AutoPrefix {
    fn as_prefix(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
