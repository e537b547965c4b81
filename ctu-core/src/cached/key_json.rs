//! Keys of text: the arguments as Python's `json_key` writes them.

use super::{
    arg::ByValue,
    arities::arities,
    key::{Apart, Args, MakeKey, NoPrefix, OwnedKey, PrefixesKey},
};
use crate::{error::Error, json::json_key, mappings::PrefixedText};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde::Serialize;

/// The conversion that writes the arguments as JSON.
#[derive(Debug)]
pub enum AsJson {}

macro_rules! arguments_are_json {
    (A KA 0) => {
        arguments_are_json!([A: JsonAlone + Serialize] (A,));
    };
    ($($t:ident $k:ident $at:tt)*) => {
        arguments_are_json!([$($t: Serialize),*] ($($t,)*));
    };
    ([$($bounds:tt)*] $args:ty) => {
        #[diagnostic::do_not_recommend]
        impl<$($bounds)*> MakeKey<str, NoPrefix, AsJson> for Args<$args> {
            type Key = OwnedKey<String, str>;
            type Scope = Apart;
            fn make_key(self, NoPrefix: NoPrefix) -> Result<Self::Key, Error> {
                json_key(&self.0).map(OwnedKey::new)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<P: PrefixesKey<str>, $($bounds)*> MakeKey<str, P, AsJson> for Args<$args> {
            type Key = OwnedKey<PrefixedText, str>;
            type Scope = Apart;
            fn make_key(self, prefix: P) -> Result<Self::Key, Error> {
                prefix.before(&json_key(&self.0)?).map(OwnedKey::new)
            }
        }
    };
}
arities!(arguments_are_json);

/// Allows a type as the only argument of a function with keys of text: the key is its JSON.
///
/// Numbers, options, lists, tuples and maps implement it. Text does not, since it is a key without
/// a conversion.
///
/// ```no_run
/// use ctu_core::{LruCache, SpinCache, cached, cached::JsonAlone};
///
/// #[derive(serde::Serialize)]
/// struct Point {
///     x: u32,
///     y: u32,
/// }
///
/// impl JsonAlone for Point {}
///
/// static CACHE: SpinCache<LruCache<String, u32, 8>> = SpinCache::new(LruCache::new());
///
/// #[cached(cache = CACHE)]
/// fn distance(point: &Point) -> u32 {
///     point.x + point.y
/// }
///
/// assert_eq!(distance(&Point { x: 1, y: 2 }), 3);
/// ```
pub trait JsonAlone {}

impl<T: JsonAlone + ?Sized> JsonAlone for &T {}
impl<T: JsonAlone> JsonAlone for ByValue<T> {}
impl<T> JsonAlone for Option<T> {}
impl<T> JsonAlone for Vec<T> {}
impl<T> JsonAlone for [T] {}
impl<T, const N: usize> JsonAlone for [T; N] {}
impl<K, V> JsonAlone for BTreeMap<K, V> {}
#[cfg(feature = "std")]
impl<K, V, S> JsonAlone for std::collections::HashMap<K, V, S> {}

macro_rules! tuple_is_json_alone {
    ($($t:ident $k:ident $at:tt)*) => {
        impl<$($t),*> JsonAlone for ($($t,)*) {}
    };
}
arities!(tuple_is_json_alone);

macro_rules! json_alone {
    ($($t:ty),*) => {$(impl JsonAlone for $t {})*};
}
json_alone!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char
);
