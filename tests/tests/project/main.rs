//! Rules of the project that a compiler does not check.

mod commands;
mod forwarding;
mod guide;
mod imports;
mod packages;
mod pages;
mod plots;
mod voice;

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Appends the files below `folder` with one of the `extensions`, except built ones.
fn files(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                files(&path, extensions, found);
            }
        } else if extensions.iter().any(|end| name.ends_with(end)) {
            found.push(path);
        }
    }
}
