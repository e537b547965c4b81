//! Arguments of benchmarks.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The path that a caller in another folder means: Cargo runs a benchmark in its package's folder.
#[must_use]
pub fn from_caller(path: OsString) -> PathBuf {
    let path = PathBuf::from(path);
    match std::env::var_os("PWD") {
        Some(folder) if path.is_relative() => Path::new(&folder).join(path),
        _ => path,
    }
}
