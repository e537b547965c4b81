use super::Format;
use crate::{
    entries::{Buffer, Bytes},
    error::Error,
};
use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};

/// The [`Format`] for small machines: [postcard](https://postcard.jamesmunns.com), without a heap.
///
/// A key is encoded in a buffer of `KEY` bytes on the stack, a value in that of the cache below.
///
/// ```
/// use ctu_core::{Bytes, Cache, LruCache, Postcard, SpinCache, ToBytesCache};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// struct Reading { celsius: f32, valid: bool }
///
/// let inner = SpinCache::new(LruCache::<Bytes<4>, Bytes<8>, 16>::new());
/// let cache = ToBytesCache::<(u8, u16), Reading, _, Postcard<4>>::new(inner);
/// cache.insert(&(1, 0x48), Reading { celsius: 21.5, valid: true })?;
/// assert_eq!(cache.get(&(1, 0x48))?, Some(Reading { celsius: 21.5, valid: true }));
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// Postcard names no fields and no types: bytes of another type may well decode. Nor has it a limit
/// of depth, or of the number of values that take no byte, such as those of a `Vec<()>`: read a type with one of these only
/// from a cache that nobody else writes to.
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
        // The buffer told where it overflowed; only then is the whole length worth a second pass.
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

/// Where postcard writes to, as it has it: a [`Buffer`], and the error that postcard has no room for.
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
