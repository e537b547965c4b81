#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod memcached;
#[cfg(feature = "redis")]
mod net;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "redis")]
pub use self::redis::{
    AsJson, Form, KeyText, Keys, Prefixed, PrefixedRedisCache, Raw, RawRedisCache, RedisBuilder,
    RedisCache, RedisError, RedisStats,
};
pub use ctu_core::*;
