//! `MemCached` against real servers: its specific features. `backends` tests the common ones.

use ctu_std::{MemCached, MemCachedBuilder, MemCachedError, RawMemCached};
use std::time::Duration;

mod batches;
mod connections;
mod entries;
mod limits;
mod prefixed;
mod python;
mod reports;
mod several;
mod time_to_live;
#[cfg(feature = "tls")]
mod tls;
mod twemproxy;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A builder with a long deadline.
fn builder(address: impl AsRef<str>) -> MemCachedBuilder {
    let builder = MemCached::builder(address).deadline(secs(60));
    builder.connect_deadline(secs(30))
}

/// A cache of bytes with a long deadline.
fn raw(address: &str) -> RawMemCached {
    builder(address).raw().build().expect("a good address")
}

/// The message of an error, which is one line.
fn shown(error: MemCachedError) -> String {
    let shown = error.to_string();
    assert!(!shown.contains('\n'), "{shown}");
    shown
}
