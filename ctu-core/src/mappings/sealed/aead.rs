//! The trait of ciphers with authentication, open to users.

use crate::error::Error;
use zeroize::Zeroize;

/// The tag of an entry: the proof that nothing in it was changed.
///
/// ```
/// use ctu_core::{Aead, KeyedAead, Tag, XChaCha20Poly1305};
/// let suite = XChaCha20Poly1305::new(&[7; 32]);
/// let mut text = *b"value";
/// let tag: Tag = suite.seal(&[0; 24], b"location", &mut text)?;
/// assert!(suite.open(&[0; 24], b"location", &mut text, &tag)?);
/// assert_eq!(&text, b"value");
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub type Tag = [u8; 16];

/// An authenticated cipher with its key: a suite of [`SealedCache`](crate::SealedCache).
///
/// The suites of this crate keep the key in memory. An adapter for a cipher unit or a secure
/// element holds a handle to the key instead, which then never leaves the chip:
///
/// ```
/// use core::cell::RefCell;
/// use ctu_core::{Aead, Bytes, Cache, CacheExt, Error, KeyRing, LruCache, SealError, SealedCache, SealingKey, SpinCache, Tag};
/// # use ctu_core::{KeyedAead, XChaCha20Poly1305};
/// # struct Element(XChaCha20Poly1305);
/// # impl Element {
/// #     fn power_on() -> Self { Self(XChaCha20Poly1305::new(&[7; 32])) }
/// #     fn encrypt(&mut self, _: u8, n: &[u8; 24], d: &[u8], t: &mut [u8]) -> Result<Tag, ()> {
/// #         self.0.seal(n, d, t).map_err(drop)
/// #     }
/// #     fn decrypt(&mut self, _: u8, n: &[u8; 24], d: &[u8], t: &mut [u8], tag: &Tag) -> Result<bool, ()> {
/// #         self.0.open(n, d, t, tag).map_err(drop)
/// #     }
/// # }
/// # fn device_secret() -> [u8; 32] { [9; 32] }
///
/// /// One key slot of a secure element on a bus.
/// struct Slot<'e> {
///     element: &'e RefCell<Element>,
///     slot: u8,
/// }
///
/// impl Aead for Slot<'_> {
///     const SUITE: u8 = 128;
///     const NAME: &'static str = "key slot of the element";
///     type Nonce = [u8; 24];
///
///     fn seal(&self, nonce: &[u8; 24], data: &[u8], text: &mut [u8]) -> Result<Tag, Error> {
///         let mut element = self.element.try_borrow_mut().map_err(|_| Error::Busy)?;
///         let sealed = element.encrypt(self.slot, nonce, data, text);
///         sealed.map_err(|()| Error::Seal(SealError::Hardware("no answer")))
///     }
///
///     fn open(&self, nonce: &[u8; 24], data: &[u8], text: &mut [u8], tag: &Tag) -> Result<bool, Error> {
///         let mut element = self.element.try_borrow_mut().map_err(|_| Error::Busy)?;
///         let opened = element.decrypt(self.slot, nonce, data, text, tag);
///         opened.map_err(|()| Error::Seal(SealError::Hardware("no answer")))
///     }
/// }
///
/// let element = RefCell::new(Element::power_on());
/// let slot = Slot { element: &element, slot: 3 };
/// let secret = device_secret(); // for the names and nonces only
/// let keys = KeyRing::<_, 1>::with_key(&secret, 1, SealingKey::held_by(slot, &secret)?)?;
///
/// let flash = SpinCache::new(LruCache::<Bytes<16>, Bytes<112>, 8>::new());
/// let settings = SealedCache::with_keys(&flash, keys);
/// settings.insert(b"wifi/psk", b"correct horse")?;
/// assert_eq!(settings.get(b"wifi/psk")?.as_deref(), Some(&b"correct horse"[..]));
/// # Ok::<(), Error>(())
/// ```
///
/// # For implementers
/// `text` is changed in place and keeps its length. Nonces are unpredictable and repeat only where
/// the same text is sealed with the same data; a suite that must never see a nonce twice is safe.
pub trait Aead {
    /// The number of the suite, bound into each entry: 128 and above are free for adapters.
    const SUITE: u8;

    /// The name of the suite, for messages.
    const NAME: &'static str;

    /// The nonce: an array of at most 24 bytes.
    type Nonce: AsRef<[u8]> + AsMut<[u8]> + Default;

    /// The bytes of the nonce that an entry stores. The others are taken from the location of the
    /// entry. Only a suite that withstands a repeated nonce may store fewer than all.
    const STORED_NONCE: usize = size_of::<Self::Nonce>();

    /// Encrypts `text` in place and returns the tag over `data` and `text`.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] above the limit of the cipher, and any failure of the hardware.
    fn seal(&self, nonce: &Self::Nonce, data: &[u8], text: &mut [u8]) -> Result<Tag, Error>;

    /// Decrypts `text` in place if `tag` is right for `data` and `text`, and returns whether it is.
    /// After `false` or an error the content of `text` is unspecified; the caller wipes it.
    ///
    /// # Errors
    /// Any failure of the hardware. A wrong tag is not an error.
    fn open(
        &self,
        nonce: &Self::Nonce,
        data: &[u8],
        text: &mut [u8],
        tag: &Tag,
    ) -> Result<bool, Error>;
}

/// An [`Aead`] whose key is in memory, so that a [`KeyRing`](crate::KeyRing) derives it from a secret.
///
/// ```
/// use ctu_core::{Aead, KeyedAead, XChaCha20Poly1305};
/// let suite = XChaCha20Poly1305::new(&[7; 32]);
/// let mut text = *b"value";
/// let tag = suite.seal(&[1; 24], b"location", &mut text)?;
/// assert!(suite.open(&[1; 24], b"location", &mut text, &tag)?);
/// assert_eq!(&text, b"value");
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub trait KeyedAead: Aead {
    /// The key: an array of at most 32 bytes.
    type Key: AsMut<[u8]> + Default + Zeroize;

    /// The suite with a copy of `key`.
    fn new(key: &Self::Key) -> Self;
}
