//! One cached function in Rust and in Python, with one set of entries on a Redis server.
//!
//! ```text
//! pip install CacheToolsUtils redis
//! cargo run -p ctu-std --example beside_python
//! ```
//!
//! The program starts a Redis server of its own and runs `peer.py`, the Python side, with `python3` or with the
//! program that `--python PROGRAM` names.

use ctu_std::{PrefixedRedisCache, RedisCache, cached, json_key};
use std::{
    error::Error,
    ffi::OsString,
    io::{self, Write},
    path::Path,
    process::{Command, ExitCode},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

#[allow(dead_code, reason = "other examples use the rest")]
#[path = "../support/redis.rs"]
mod redis;

static CACHE: OnceLock<PrefixedRedisCache<str, String>> = OnceLock::new();

/// The number of computations.
static COMPUTED: AtomicU32 = AtomicU32::new(0);

/// The same function as in `peer.py`. Python does not write the path of the function into the key, and
/// `prefix = ""` leaves it out here.
#[cached(cache = CACHE.get().expect("the cache is set first"), prefix = "", key = json_key)]
fn acme(text: &str, count: u32) -> String {
    COMPUTED.fetch_add(1, Relaxed);
    text.repeat(count as usize)
}

fn call(text: &str, count: u32) -> io::Result<()> {
    let before = COMPUTED.load(Relaxed);
    let result = acme(text, count);
    let way = match COMPUTED.load(Relaxed) - before {
        0 => "found",
        _ => "computed",
    };
    writeln!(
        io::stdout(),
        "rust:   acme({text:?}, {count}) = {result:?}, {way}"
    )
}

const USAGE: &str = "usage: beside_python [--python PROGRAM]";

/// The Python program of the command line. `None` after `--help`.
fn python() -> Result<Option<OsString>, Box<dyn Error>> {
    use lexopt::prelude::Long;
    let mut python = OsString::from("python3");
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("python") => python = arguments.value()?,
            Long("help") => {
                writeln!(io::stdout(), "{USAGE}")?;
                return Ok(None);
            }
            other => return Err(format!("{}; {USAGE}", other.unexpected()).into()),
        }
    }
    Ok(Some(python))
}

fn run() -> Result<(), Box<dyn Error>> {
    let Some(python) = python()? else {
        return Ok(());
    };
    let redis = redis::Redis::start()?;
    let cache = RedisCache::builder(redis.url()).prefix("acme.").build()?;
    CACHE.get_or_init(|| cache);

    call("rust", 2)?;
    call("rust", 2)?;
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/beside_python/peer.py");
    let status = Command::new(&python).arg(peer).arg(redis.url()).status();
    let name = python.display();
    let status = status.map_err(|error| format!("{name}: {error}; or --python PROGRAM"))?;
    match status.code() {
        Some(0) => {}
        // The code of `peer.py` for missing packages.
        Some(3) => {
            let install = "pip install CacheToolsUtils redis";
            return Err(format!("{name} lacks a package: {install}; or --python PROGRAM").into());
        }
        _ => return Err(format!("{name}: {status}").into()),
    }
    call("python", 3)?;

    for key in CACHE.get().into_iter().flat_map(PrefixedRedisCache::keys) {
        writeln!(io::stdout(), "entry:  acme.{}", key?)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `eprintln!` would panic on a closed pipe.
            let _ = writeln!(io::stderr(), "beside_python: {error}");
            ExitCode::FAILURE
        }
    }
}
