//! Keys of text: the arguments as Python's `json_key` writes them.

use super::{
    arg::Own,
    key::{Args, Kept, Literal, MakeKey, NoPrefix},
};
use crate::{Error, PrefixKey, PrefixedText, json_key};
use alloc::{string::String, vec::Vec};
use serde::Serialize;

/// The arguments are written as JSON.
#[derive(Debug)]
pub enum AsJson {}

macro_rules! arguments_are_json {
    ($([$($bounds:tt)*] $args:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($bounds)*> MakeKey<str, NoPrefix, AsJson> for Args<$args> {
            type Key = Kept<String, str>;
            fn make_key(self, NoPrefix: NoPrefix) -> Result<Self::Key, Error> {
                json_key(&self.0).map(Kept::new)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($bounds)*> MakeKey<str, Literal, AsJson> for Args<$args> {
            type Key = Kept<PrefixedText, str>;
            fn make_key(self, prefix: Literal) -> Result<Self::Key, Error> {
                json_key(&self.0)?.prefixed(prefix.0).map(Kept::new)
            }
        }
    )*};
}
arguments_are_json! {
    [] ();
    [A: JsonAlone + Serialize] (A,);
    [A: Serialize, B: Serialize] (A, B);
    [A: Serialize, B: Serialize, C: Serialize] (A, B, C);
    [A: Serialize, B: Serialize, C: Serialize, D: Serialize] (A, B, C, D);
    [A: Serialize, B: Serialize, C: Serialize, D: Serialize, E: Serialize] (A, B, C, D, E);
    [A: Serialize, B: Serialize, C: Serialize, D: Serialize, E: Serialize, F: Serialize] (A, B, C, D, E, F);
    [A: Serialize, B: Serialize, C: Serialize, D: Serialize, E: Serialize, F: Serialize, G: Serialize]
        (A, B, C, D, E, F, G);
    [A: Serialize, B: Serialize, C: Serialize, D: Serialize, E: Serialize, F: Serialize, G: Serialize, H: Serialize]
        (A, B, C, D, E, F, G, H);
}

/// An argument that is written as JSON where it is the only one. A text is none: it is its own key.
pub trait JsonAlone {}

impl<T: JsonAlone + ?Sized> JsonAlone for &T {}
impl<T: JsonAlone> JsonAlone for Own<T> {}
impl<T> JsonAlone for Option<T> {}
impl<T> JsonAlone for Vec<T> {}
impl<T> JsonAlone for [T] {}
impl<T, const N: usize> JsonAlone for [T; N] {}

macro_rules! json_alone {
    ($($t:ty),*) => {$(impl JsonAlone for $t {})*};
}
json_alone!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char
);
