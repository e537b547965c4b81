use crate::error::{Error, SealError};

/// A counter that goes up, outlives resets, and cannot be set back.
///
/// Secure elements and some chips have one. Bound to the epoch of a
/// [`SealedCache`](crate::SealedCache), a step makes every entry before it a miss, an old image of
/// the flash included.
///
/// ```
/// use ctu_core::MonotonicCounter;
///
/// /// A counter of 32 fuses.
/// struct Fuses(u32);
/// impl MonotonicCounter for Fuses {
///     type Error = &'static str;
///     fn value(&mut self) -> Result<u32, &'static str> {
///         Ok(self.0.count_ones())
///     }
///     fn step(&mut self) -> Result<u32, &'static str> {
///         let next = self.0.checked_mul(2).ok_or("no fuse is left")?;
///         self.0 = next | 1;
///         self.value()
///     }
/// }
/// assert_eq!(Fuses(0).step(), Ok(1));
/// ```
pub trait MonotonicCounter {
    /// The failure of the hardware.
    type Error;

    /// The count.
    ///
    /// # Errors
    /// A failure of the hardware.
    fn value(&mut self) -> Result<u32, Self::Error>;

    /// Adds 1 for good, and returns the new count.
    ///
    /// # Errors
    /// A failure of the hardware, and a count that cannot go further.
    fn step(&mut self) -> Result<u32, Self::Error>;
}

/// A counter in RAM, for tests and for boards without a real one.
///
/// It protects from nothing: an attacker that restores its storage, or a reset, sets it back.
///
/// ```
/// use ctu_core::{MonotonicCounter, SoftCounter};
/// let mut boots = SoftCounter::at(41);
/// assert_eq!(boots.step(), Ok(42));
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SoftCounter(u32);

impl SoftCounter {
    /// A counter at `count`, as it was stored before.
    #[must_use]
    pub const fn at(count: u32) -> Self {
        Self(count)
    }
}

impl MonotonicCounter for SoftCounter {
    type Error = Error;

    fn value(&mut self) -> Result<u32, Error> {
        Ok(self.0)
    }

    fn step(&mut self) -> Result<u32, Error> {
        let next = self.0.checked_add(1);
        self.0 = next.ok_or(Error::Seal(SealError::CounterAtEnd))?;
        Ok(self.0)
    }
}
