//! The runtime of `#[cached]`: it makes keys from arguments and converts results to values and
//! back.
//!
//! Programs use this module through the attributes. Three items are of direct use: [`OwnArg`]
//! admits other types to typed keys, `JsonAlone` (feature `json`) admits them to keys of text, and
//! `SingleFlight` (feature `std`) is a single flight that functions share.

mod arg;
mod arities;
mod backend;
mod call;
#[cfg(feature = "std")]
mod coalesce;
mod key;
mod key_custom;
#[cfg(feature = "json")]
mod key_json;
mod key_typed;
mod report;
mod returned;
#[cfg(feature = "std")]
mod single_flight;

pub use arg::OwnArg;
pub use key::{Apart, Bare, BorrowedKey, CallKey, KeyOfUntypedCache, MakeKey, OwnedKey};
#[cfg(feature = "json")]
pub use key_json::JsonAlone;
pub use returned::{Outcome, Returned};
#[cfg(feature = "std")]
pub use single_flight::{Flight, SingleFlight};

#[doc(hidden)]
pub use self::{
    arg::{ArgRef, ByValue},
    backend::{AsyncBackend, BlockingOf, LocalOf},
    call::{
        EntryState, Lookup, TakesError, after_miss, apply, contains, contains_async, delete,
        delete_async, into_key, key, key_async, lookup, lookup_async, outcome, outcome_async,
        returning, store, store_async,
    },
    key::{Args, CustomKey, FunctionName, Literal, NoPrefix},
    report::{Reports, notify},
    returned::{All, SomeOnly},
};
#[cfg(feature = "std")]
#[doc(hidden)]
pub use coalesce::{Computed, compute, finish, join, join_then_lookup, join_then_lookup_async};
#[doc(hidden)]
pub use core::marker::PhantomData;

/// Expands to its tokens with the feature `std`, and to a compile error without it.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! __needs_std {
    ($message:literal, $($then:tt)*) => { $($then)* };
}

/// Expands to its tokens with the feature `std`, and to a compile error without it.
#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __needs_std {
    ($message:literal, $($then:tt)*) => {
        ::core::compile_error!($message)
    };
}

/// Declares the companions of a free function. In an impl block, the message of the compiler shows
/// the name of this macro, and with it the missing option.
#[doc(hidden)]
#[macro_export]
macro_rules! __in_an_impl_write_method {
    ([$($everywhere:tt)*] $doc:literal $vis:vis $name:ident { $($beside:tt)* }) => {
        $($everywhere)*
        #[doc = $doc]
        #[allow(non_camel_case_types, dead_code, missing_debug_implementations)]
        $vis enum $name {}
        $($everywhere)*
        #[allow(dead_code)]
        impl $name { $($beside)* }
    };
}

/// Declares the companions of methods of a trait. For a type of another crate, the message of the
/// compiler shows the name of this macro, and with it the missing option.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_a_foreign_type_write_opts_in_trait {
    ([$($attrs:tt)*] $($rest:tt)*) => {
        $($attrs)*
        impl $($rest)*
    };
}

#[doc(hidden)]
pub use __for_a_foreign_type_write_opts_in_trait as for_a_foreign_type_write_opts_in_trait;
#[doc(hidden)]
pub use __in_an_impl_write_method as in_an_impl_write_method;
#[doc(hidden)]
pub use __needs_std as needs_std;
