//! A restart with a warm cache: the entries are saved at the end and loaded at the start.
//!
//! ```text
//! cargo run -p ctu-std --example warm_start --features snapshot
//! cargo run -p ctu-std --example warm_start --features snapshot -- pages.snapshot   # kept between runs
//! ```
//!
//! The program starts its service twice, so that one run shows a cold and a warm start.

#[path = "support/file.rs"]
mod file;

use ctu_std::{Cache, CacheExt, ConcurrentCache, Snapshot, SnapshotError, StdClock};
use std::{
    cell::Cell,
    error::Error,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write},
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

const PAGES: u32 = 300;
/// The number of the form of the entries. A program that changes their types changes it.
const SCHEMA: u32 = 1;

type Pages = ConcurrentCache<u32, String, StdClock>;

/// The cache of the last run. A missing or damaged file is a cold start.
fn load(path: &Path) -> Result<Pages, Box<dyn Error>> {
    let pages = Pages::with_ttl(1_000, Duration::from_secs(600), StdClock::new());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(pages),
        Err(error) => return Err(format!("{}: {error}", path.display()).into()),
    };
    match Snapshot::new()
        .schema(SCHEMA)
        .load(&mut &pages, BufReader::new(file))
    {
        Ok(loaded) => writeln!(io::stdout(), "  {} entries loaded", loaded.entries)?,
        Err(error) => writeln!(io::stdout(), "  no entries loaded: {error}")?,
    }
    Ok(pages)
}

/// Writes a new file, and renames it at its end, so that a crash leaves the file of before.
fn save(pages: &Pages, path: &Path) -> Result<(), SnapshotError> {
    let new = path.with_extension("new");
    let mut file = BufWriter::new(File::create(&new)?);
    Snapshot::new().schema(SCHEMA).save(pages, &mut file)?;
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    Ok(fs::rename(new, path)?)
}

/// The service: each page is requested once, and computed if the cache has none.
fn serve(pages: &Pages) -> Result<(), Box<dyn Error>> {
    let (computed, start) = (Cell::new(0), Instant::now());
    for page in 0..PAGES {
        pages.get_or_insert_with(&page, || {
            computed.set(computed.get() + 1);
            // The source takes a millisecond.
            std::thread::sleep(Duration::from_millis(1));
            format!("<h1>Page {page}</h1>")
        })?;
    }
    let (computed, time) = (computed.get(), start.elapsed());
    writeln!(
        io::stdout(),
        "  {PAGES} requests, {computed} pages computed, {:.1} ms",
        time.as_secs_f64() * 1e3
    )?;
    Ok(())
}

fn run(path: &Path) -> Result<(), Box<dyn Error>> {
    for start in ["first start", "second start"] {
        writeln!(io::stdout(), "{start}")?;
        let pages = load(path)?;
        serve(&pages)?;
        save(&pages, path).map_err(|error| format!("{}: {error}", path.display()))?;
        writeln!(io::stdout(), "  {} entries saved", pages.len()?)?;
    }
    Ok(())
}

const USAGE: &str = "usage: warm_start [FILE]";

fn main() -> ExitCode {
    let done = file::of_command_line(USAGE).and_then(|file| match file {
        None => Ok(()),
        Some(Some(file)) => run(&file),
        Some(None) => {
            let name = format!("ctu-warm-start-{}.snapshot", std::process::id());
            let file = std::env::temp_dir().join(name);
            let done = run(&file);
            // Only this run uses it.
            let _ = fs::remove_file(file);
            done
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `eprintln!` would panic on a closed pipe.
            let _ = writeln!(io::stderr(), "warm_start: {error}");
            ExitCode::FAILURE
        }
    }
}
