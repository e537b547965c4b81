/// The [`Format`](crate::Format) of `ToBytesCache` in CacheToolsUtils: JSON, written by the module
/// `json` of this crate.
///
/// It needs a heap and the feature `json`.
///
/// ```
/// use ctu_core::{Bytes, Cache, CacheExt, LruCache, SpinCache, ToBytesCache};
/// let base = SpinCache::new(LruCache::<Bytes<16>, Bytes<32>, 8>::new());
/// let cache: ToBytesCache<_, u32, (String, bool)> = ToBytesCache::new(&base);
/// cache.insert(&7, (String::from("on"), true))?;
/// assert_eq!(base.get(b"7")?.as_deref(), Some(&br#"["on",true]"#[..]));
/// # Ok::<(), ctu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Json;

#[cfg(feature = "json")]
mod format {
    use super::Json;
    use crate::{entries::Buffer, error::Error, json, mappings::to_bytes::Format};
    use alloc::vec::Vec;
    use serde::{Serialize, de::DeserializeOwned};

    impl Format for Json {
        type Key = Vec<u8>;

        fn key<K: ?Sized + Serialize>(key: &K) -> Result<Vec<u8>, Error> {
            json::to_vec(key)
        }

        fn value<V: Serialize, B: Buffer>(value: &V) -> Result<B, Error> {
            B::from_bytes(&json::to_vec(value)?)
        }

        fn read<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, Error> {
            json::decode(bytes).map_err(|error| {
                #[cfg(all(feature = "tracing", target_has_atomic = "ptr"))]
                tracing::debug!(reason = %error, "a stored value cannot be decoded");
                error.into()
            })
        }
    }
}
