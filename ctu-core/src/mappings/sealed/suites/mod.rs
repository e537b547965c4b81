//! The suites: published constructions out of public crates.

#[cfg(feature = "aes-gcm-siv")]
pub(super) mod aes_gcm_siv;
#[cfg(feature = "ascon")]
pub(super) mod ascon;
#[cfg(any(feature = "aes-gcm-siv", feature = "ascon"))]
mod rustcrypto;
pub(super) mod xchacha;
