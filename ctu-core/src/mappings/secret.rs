use core::fmt;
use zeroize::Zeroize;

/// A secret of `N` bytes, wiped when it is dropped and never printed.
///
/// A copy is left behind wherever the secret is moved from, as with any value in Rust: make it
/// where it stays.
///
/// ```
/// use ctu_core::Secret;
/// let secret = Secret::new([7; 32]);
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// ```
#[derive(Clone)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Keeps `bytes` as a secret.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }
}

#[cfg(feature = "sealed")]
impl<const N: usize> Secret<N> {
    #[inline]
    pub(crate) const fn bytes(&self) -> &[u8; N] {
        &self.0
    }

    #[inline]
    pub(crate) const fn bytes_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> AsRef<[u8]> for Secret<N> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(feature = "defmt")]
impl<const N: usize> defmt::Format for Secret<N> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Secret(..)");
    }
}
