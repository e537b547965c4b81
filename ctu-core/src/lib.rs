#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod async_cache;
mod buffer;
mod cache;
mod error;
mod key;
mod mapped;
mod mapping;
mod store;
mod value;

pub use async_cache::{AsyncCache, LocalAsyncCache, Ready};
pub use buffer::{Buffer, Bytes, Text};
pub use cache::{Cache, WithTtl};
pub use error::Error;
pub use key::StoredKey;
pub use mapped::Mapped;
pub use mapping::Mapping;
pub use store::Store;
pub use value::IntoValue;
