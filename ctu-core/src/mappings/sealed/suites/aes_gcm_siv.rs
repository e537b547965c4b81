use super::rustcrypto::suite;
use crate::{
    error::Error,
    mappings::sealed::aead::{Aead, KeyedAead, Tag},
};
use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use core::fmt;

suite! {
    /// AES-256-GCM-SIV (RFC 8452), for processors with AES instructions. Adds 26 bytes to a value.
    ///
    /// Withstands a repeated nonce, so an entry stores 5 bytes of it; the other 7 come from the
    /// location. Slow in software, where the crate's checks can also panic as far as the linker
    /// can tell.
    Aes256GcmSiv(aes_gcm_siv::Aes256GcmSiv), 32, 12, suite 2, "AES-256-GCM-SIV", stored nonce 5
}
