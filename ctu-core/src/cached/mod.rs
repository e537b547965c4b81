//! What `#[cached]` expands to calls into: keys from arguments, results to values and back.
//!
//! Programs use this module through the attributes. Of use by themselves are [`OwnArg`], for types of
//! one's own in typed keys, `JsonAlone` (feature `json`), for one alone in keys of text, and `SingleFlight` (feature `std`), for
//! a single flight that functions share.

mod arg;
mod arities;
mod backend;
mod call;
#[cfg(feature = "std")]
mod coalesce;
mod key;
#[cfg(feature = "json")]
mod key_json;
mod key_made;
mod key_typed;
mod report;
mod returned;
#[cfg(feature = "std")]
mod single_flight;

pub use arg::OwnArg;
pub use key::{CallKey, Kept, KeyOfUntypedCache, Lent, MakeKey};
#[cfg(feature = "json")]
pub use key_json::JsonAlone;
pub use returned::{Outcome, Returned};
#[cfg(feature = "std")]
pub use single_flight::{Flight, SingleFlight};

#[doc(hidden)]
pub use self::{
    arg::{ArgRef, Own},
    backend::{AsyncBackend, BlockingOf, LocalOf},
    call::{
        Look, TakesError, There, apply, contains, contains_async, delete, delete_async, keep,
        keep_async, key, key_async, look, look_async, made, missed, outcome, outcome_async,
        returning,
    },
    key::{Args, FunctionName, Literal, Made, NoPrefix},
    report::{Reports, tell},
    returned::{All, SomeOnly},
};
#[cfg(feature = "std")]
#[doc(hidden)]
pub use coalesce::{Computed, compute, finish, join, join_then_look, join_then_look_async};
#[doc(hidden)]
pub use core::marker::PhantomData;

/// What needs `std`: as it is where there is that, and else a message.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! __needs_std {
    ($say:literal, $($then:tt)*) => { $($then)* };
}

/// What needs `std`: as it is where there is that, and else a message.
#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __needs_std {
    ($say:literal, $($then:tt)*) => {
        ::core::compile_error!($say)
    };
}

/// What comes beside a free function. Its name says what to write where that is none after all.
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

/// What comes beside methods of a trait. Its name says what to write where the type cannot have methods.
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
