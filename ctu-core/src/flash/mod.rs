//! A cache in NOR flash: a log of records over a ring of pages, and an index in RAM.

#[cfg(feature = "flash-async")]
#[allow(
    clippy::duplicate_mod,
    reason = "both forms compile the same operations"
)]
mod asynchronous;
#[allow(
    clippy::duplicate_mod,
    reason = "both forms compile the same operations"
)]
mod blocking;
mod checksum;
mod error;
mod index;
mod layout;
mod log;
mod options;
mod page;
mod record;

#[cfg(feature = "flash-async")]
pub use asynchronous::AsyncFlashCache;
pub use blocking::FlashCache;
pub use error::FlashError;
pub use options::FlashOptions;
