//! The format of `postcard`.

use super::Format;
use crate::{
    entries::{Buffer, Bytes},
    error::Error,
};
use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};

/// The [`Format`] for small machines: [postcard](https://postcard.jamesmunns.com), without a heap.
///
/// A key is encoded in a buffer of `KEY` bytes on the stack, a value in the buffer of the inner
/// cache.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, LruCache, Postcard, SpinCache, ToBytesCache};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// struct Reading { celsius: f32, valid: bool }
///
/// let inner = SpinCache::new(LruCache::<Bytes<4>, Bytes<8>, 16>::new());
/// let cache = ToBytesCache::<_, (u8, u16), Reading, Postcard<4>>::new(inner);
/// cache.insert(&(1, 0x48), Reading { celsius: 21.5, valid: true })?;
/// assert_eq!(cache.get(&(1, 0x48))?, Some(Reading { celsius: 21.5, valid: true }));
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// Postcard stores no names of fields or types: bytes of another type may decode. It has no limit
/// of depth, nor of the number of values without bytes, such as those of a `Vec<()>`: read such
/// types only from a cache without untrusted writers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Postcard<const KEY: usize = 64>;

impl<const KEY: usize> Format for Postcard<KEY> {
    type Key = Bytes<KEY>;

    fn key<K: ?Sized + Serialize>(key: &K) -> Result<Bytes<KEY>, Error> {
        write(key).map_err(|error| match error {
            Error::ValueTooLong { len, max } => Error::KeyTooLong { len, max },
            other => other,
        })
    }

    fn value<V: Serialize, B: Buffer>(value: &V) -> Result<B, Error> {
        write(value)
    }

    fn read<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, Error> {
        match postcard::take_from_bytes(bytes) {
            Ok((value, [])) => Ok(value),
            Ok(_) => Err(Error::Decode("postcard of the value's type, and no more")),
            Err(_) => Err(Error::Decode("postcard of the value's type")),
        }
    }
}

fn write<T: ?Sized + Serialize, B: Buffer>(value: &T) -> Result<B, Error> {
    let mut buffer = B::default();
    let mut full = None;
    let onto = Onto {
        buffer: &mut buffer,
        full: &mut full,
    };
    let Err(error) = postcard::serialize_with_flavor(value, onto) else {
        return Ok(buffer);
    };
    match full {
        // Only an overflow needs the whole length, by a second pass.
        Some(Error::ValueTooLong { len, max }) => Err(Error::ValueTooLong {
            len: postcard::experimental::serialized_size(value).unwrap_or(len),
            max,
        }),
        Some(other) => Err(other),
        None => Err(Error::Encode(match error {
            postcard::Error::SerializeSeqLengthUnknown => {
                "a sequence or map that does not know its length, in postcard"
            }
            _ => "a value that its own type refused",
        })),
    }
}

/// The output of postcard: a [`Buffer`], and its error, which postcard's own error type cannot
/// hold.
struct Onto<'b, B> {
    buffer: &'b mut B,
    full: &'b mut Option<Error>,
}

impl<B: Buffer> Flavor for Onto<'_, B> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.buffer.append(bytes).map_err(|error| {
            *self.full = Some(error);
            postcard::Error::SerializeBufferFull
        })
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
