//! Mappings: pure translations of keys and values, and the adaptor that puts them on a cache.

mod auto_prefixed;
mod bytes;
#[cfg(feature = "encrypted")]
mod encrypted;
mod mapped;
mod mapping;
mod prefixed;
#[cfg(feature = "sealed")]
mod sealed;
#[cfg(any(feature = "encrypted", feature = "sealed"))]
mod secret;
#[cfg(any(feature = "json", feature = "postcard"))]
mod to_bytes;

pub use auto_prefixed::{AutoPrefix, AutoPrefixedCache, PrefixCounter};
pub use bytes::{Base85, BytesCache, KeyText, LikeValue};
#[cfg(feature = "aes")]
pub use encrypted::Aes128Cbc;
#[cfg(feature = "chacha20")]
pub use encrypted::ChaCha20;
#[cfg(feature = "encrypted")]
pub use encrypted::{Cipher, Derived, EncryptedCache, Encryption, Salsa20, SecretCheck};
pub use mapped::Mapped;
pub use mapping::Mapping;
pub use prefixed::{
    AsPrefix, MAX_INLINE_KEY, Prefix, PrefixKey, PrefixedBytes, PrefixedCache, PrefixedText,
};
#[cfg(feature = "aes-gcm-siv")]
pub use sealed::Aes256GcmSiv;
#[cfg(feature = "ascon")]
pub use sealed::AsconAead128;
#[cfg(feature = "sealed")]
pub use sealed::{
    Aead, HashedAt, HashedNames, KeyRing, KeyedAead, Keys, Location, MonotonicCounter, Names,
    NoSalt, PlainAt, PlainNames, Salt, SealedCache, Sealing, SealingKey, SoftCounter, Tag,
    XChaCha20Poly1305,
};
#[cfg(any(feature = "encrypted", feature = "sealed"))]
pub use secret::Secret;
#[cfg(feature = "postcard")]
pub use to_bytes::Postcard;
#[cfg(any(feature = "json", feature = "postcard"))]
pub use to_bytes::{Format, Json, ToBytes, ToBytesCache};
