//! Makes a book of the pages of ctu in `target/book`, and checks its links.
//!
//! ```text
//! cargo run --manifest-path tests/book/Cargo.toml
//! ```

mod links;
mod pages;

use mdbook_driver::{MDBook, config::Config};
use std::{env, error::Error, fs, io, io::Write, path::Path, process::ExitCode};

fn run() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .ok_or("no repository")?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let (sources, book) = (target.join("book-pages"), target.join("book"));
    // A page that was removed is in no later book.
    for folder in [&sources, &book] {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let count = pages::write(root, &sources)?;
    let mut config = Config::from_disk(root.join("docs/book.toml"))?;
    config.build.build_dir = book.clone();
    MDBook::load_with_config(&sources, config)?.build()?;
    let checked = links::check(&book)?;
    let index = book.join("index.html");
    writeln!(
        io::stdout(),
        "{}: {count} pages, {checked} links",
        index.display()
    )?;
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
