//! The settings of a cache in flash.

use super::{
    layout::{Layout, Sizes},
    log::Log,
};
use crate::{
    error::Error,
    wall_clock::{NoWallClock, WallClock},
};
use core::ops::Range;

/// The settings of a [`FlashCache`](crate::FlashCache).
///
/// ```
/// use ctu_core::FlashOptions;
///
/// let options = FlashOptions::new().range(0x3_E000..0x4_0000).schema(2).keep_all();
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct FlashOptions<W = NoWallClock> {
    range: Option<(u32, u32)>,
    schema: u32,
    keeps_all: bool,
    wipes: bool,
    clock: W,
}

impl FlashOptions {
    /// The whole flash, schema 0, evicting, without a clock.
    pub const fn new() -> Self {
        Self {
            range: None,
            schema: 0,
            keeps_all: false,
            wipes: false,
            clock: NoWallClock,
        }
    }
}

impl Default for FlashOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl<W> FlashOptions<W> {
    /// Uses the addresses in `range` alone: at least two pages, from the start of a page to the end
    /// of one.
    pub const fn range(mut self, range: Range<u32>) -> Self {
        self.range = Some((range.start, range.end));
        self
    }

    /// The version of the keys and values. Entries of another schema are misses, and their pages are
    /// overwritten.
    pub const fn schema(mut self, schema: u32) -> Self {
        self.schema = schema;
        self
    }

    /// Never evicts an entry, for settings: a write without room is [`Error::Full`](crate::Error::Full).
    /// A new value of an existing key needs room beside the old one.
    pub const fn keep_all(mut self) -> Self {
        self.keeps_all = true;
        self
    }

    /// Ends each `remove`, `clear` and `retain` with [`FlashCache::wipe`](crate::FlashCache::wipe), so
    /// that no byte of the removed entries is left in the flash. Each takes as many erases as there
    /// are pages: a few pages are enough for a cache of secrets.
    pub const fn wipe_removed(mut self) -> Self {
        self.wipes = true;
        self
    }

    /// Keeps the time that an entry ends, by `clock`, to the second. Without one, a time-to-live is
    /// [`Error::TtlUnsupported`](crate::Error::TtlUnsupported).
    pub fn wall_clock<T: WallClock>(self, clock: T) -> FlashOptions<T> {
        FlashOptions {
            range: self.range,
            schema: self.schema,
            keeps_all: self.keeps_all,
            wipes: self.wipes,
            clock,
        }
    }
}

impl<W: WallClock> FlashOptions<W> {
    /// A log in a flash of these sizes, which was not read yet, and the clock.
    pub(super) fn log<const N: usize>(self, sizes: &Sizes) -> Result<(Log<N>, W), Error> {
        let layout = Layout::new(sizes, self.range, self.schema)?;
        Ok((Log::new(layout, self.keeps_all, self.wipes), self.clock))
    }
}
