//! The examples of `ctu-std`, as their users run them.

mod axum;
#[cfg(feature = "interop")]
mod beside_python;
mod browser;
mod short;
