//! The examples of `ctu-std`, as their users run them.

mod axum;
mod browser;
