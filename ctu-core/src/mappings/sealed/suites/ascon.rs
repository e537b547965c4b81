use super::rustcrypto::suite;
use crate::{
    error::Error,
    mappings::sealed::aead::{Aead, KeyedAead, Tag},
};
use ascon_aead128::aead::{AeadInOut, KeyInit};
use core::fmt;

suite! {
    /// Ascon-AEAD128 (NIST SP 800-232), for small processors. Adds 37 bytes to a value.
    ///
    /// The smallest code. It does without multiplications, whose time depends on the numbers on a
    /// Cortex-M3. The key has 128 bits.
    AsconAead128(ascon_aead128::AsconAead128), 16, 16, suite 3, "Ascon-AEAD128"
}
