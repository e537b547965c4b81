//! The digest (SHA3-256) of every file below a folder, twice: the second time from a cache.
//!
//! ```text
//! cargo run --release --example quickstart                                      # this repository
//! cargo run --release --example quickstart -- --explain                         # the work of each cache
//! cargo run --release --example quickstart -- /usr/share/doc                    # another folder
//! cargo run --release --example quickstart -- --redis redis://127.0.0.1:6379    # warm the next time
//! ```
//!
//! Folders within it that are tagged as caches (`CACHEDIR.TAG`), such as Cargo's `target`, are left out.

use ctu_std::{
    Cache, CacheExt, EncryptedCache, LockedCache, LruCache, PrefixedCache, RedisCache, StatsCache,
    StdClock, TtlCache, TwoLevelCache,
};
use std::{error::Error, time::Duration};

const SECRET: &[u8; 32] = b"an example, so not at all secret";
const MINUTE: Duration = Duration::from_secs(60);

/// A quick first level in memory in front of an encrypted second level, with a count of hits. The
/// prefix is above the encryption, where it makes the keystreams this program's own.
fn digest_twice<C>(files: &[File], second: C) -> Result<[Pass; 2], Box<dyn Error>>
where
    C: Cache<Key = [u8], Value = Vec<u8>, Error: 'static>,
{
    let first = TtlCache::<Vec<u8>, _, _>::with_capacity(100_000, 10 * MINUTE, StdClock::new());
    let second = PrefixedCache::new(EncryptedCache::new(second, SECRET), b"quickstart.");
    let levels = TwoLevelCache::builder(first, second).build();
    let digests = StatsCache::new(PrefixedCache::new(&levels, b"sha3-256."));

    let pass = |name| -> Result<Pass, Box<dyn Error>> {
        digests.reset_stats();
        levels.reset_stats();
        let mut pass = Pass::begin(name, files);
        for file in files {
            // Reads the file only where neither level knows its digest.
            let digest = digests.get_or_try_insert_with(&file.key, || pass.read(file))?;
            pass.add(digest);
        }
        Ok(pass.end(digests.stats()?, levels.stats()))
    };
    Ok([pass("first pass")?, pass("second pass")?])
}

fn run() -> Result<(), Box<dyn Error>> {
    let Some(options) = Options::from_command_line()? else {
        return Ok(());
    };
    let redis = options.redis.as_deref().map(connect).transpose()?;
    let folder = Folder::list(&options.folder)?;
    let passes = match redis {
        Some(redis) => digest_twice(&folder.files, redis)?,
        None => {
            let memory = LruCache::<Vec<u8>, Vec<u8>>::with_capacity(1_000_000);
            digest_twice(&folder.files, LockedCache::new(memory))?
        }
    };
    report(&folder, &passes)?;
    if options.explain {
        explain(&passes, options.redis.is_some())?;
    }
    Ok(writeln!(
        io::stdout(),
        "\nnext: {}",
        options.next_command()
    )?)
}

fn connect(url: &str) -> Result<ctu_std::RawRedisCache, ctu_std::RedisError> {
    let redis = RedisCache::builder(url).ttl(60 * MINUTE).raw().build()?;
    // The first operation connects: better now than after a long walk.
    redis.len()?;
    Ok(redis)
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the pipe has ended, such as `| head`.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            // `eprintln!` would panic on a closed pipe.
            let _ = writeln!(io::stderr(), "quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

// The rest has nothing to do with caches: the command line, files, a table.

use ctu_std::{Stats, TwoLevelStats};
use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};
use sha3::{Digest, Sha3_256};
use std::{
    env, fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Instant, UNIX_EPOCH},
};
use walkdir::WalkDir;

/// Whether a folder is tagged as a cache, as Cargo's `target` is: its files are output of programs.
fn is_cache(folder: &Path) -> bool {
    folder.join("CACHEDIR.TAG").exists()
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

struct Options {
    folder: PathBuf,
    redis: Option<String>,
    explain: bool,
}

const USAGE: &str = "usage: quickstart [DIR] [--redis URL] [--explain]";

impl Options {
    /// `None` where nothing but help is wanted, which this gives.
    fn from_command_line() -> Result<Option<Self>, Box<dyn Error>> {
        use lexopt::prelude::{Long, Value, ValueExt};
        let (mut folder, mut redis, mut explain) = (None, None, false);
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("redis") => redis = Some(arguments.value()?.string()?),
                Long("explain") => explain = true,
                Long("help") => {
                    writeln!(io::stdout(), "{USAGE}")?;
                    return Ok(None);
                }
                Value(path) if folder.is_none() => folder = Some(PathBuf::from(path)),
                other => {
                    let error = other.unexpected();
                    return Err(format!("{error}; {USAGE}").into());
                }
            }
        }
        let folder = match folder {
            Some(folder) => folder,
            None => repository(env::current_dir()?),
        };
        Ok(Some(Self {
            folder,
            redis,
            explain,
        }))
    }

    /// A command that shows more than this run.
    fn next_command(&self) -> &'static str {
        match (self.explain, &self.redis) {
            (false, _) => "cargo run --release --example quickstart -- --explain",
            (true, None) => {
                "cargo run --release --example quickstart -- --redis redis://127.0.0.1:6379"
            }
            (true, Some(_)) => "cargo run -p ctu-std --example axum --features tokio,metrics",
        }
    }
}

/// The repository that `directory` is in, or `directory` where it is in none.
fn repository(directory: PathBuf) -> PathBuf {
    let mut above = directory.ancestors();
    match above.find(|path| path.join(".git").exists()) {
        Some(root) => root.to_owned(),
        None => directory,
    }
}

struct File {
    path: PathBuf,
    size: u64,
    /// Size, time of change and path: a file that was changed is another.
    key: Vec<u8>,
}

impl File {
    fn new(path: PathBuf) -> io::Result<Self> {
        let metadata = fs::metadata(&path)?;
        let size = metadata.len();
        let changed = metadata.modified()?.duration_since(UNIX_EPOCH);
        let changed = changed.unwrap_or_default().as_nanos();
        let mut key = format!("{size} {changed} ").into_bytes();
        key.extend_from_slice(path.as_os_str().as_encoded_bytes());
        Ok(Self { path, size, key })
    }
}

/// The files of a folder and its subfolders, and the number of skipped items.
struct Folder {
    path: PathBuf,
    files: Vec<File>,
    /// Links, which are not followed, since they may lead in a circle; sockets and the like.
    others: usize,
    /// Folders that cannot be looked into, files about which nothing can be known.
    closed: usize,
}

impl Folder {
    fn list(path: &Path) -> Result<Self, Box<dyn Error>> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => format!("{}: no such folder", path.display()),
            kind => format!("{}: {kind}", path.display()),
        };
        let path = fs::canonicalize(path).map_err(failed)?;
        fs::read_dir(&path).map_err(failed)?;
        let mut folder = Self {
            path,
            files: Vec::new(),
            others: 0,
            closed: 0,
        };
        let progress = ProgressBar::new_spinner().with_message("looking for files");
        let found = WalkDir::new(&folder.path).sort_by_file_name().into_iter();
        for entry in found.filter_entry(|entry| entry.depth() == 0 || !is_cache(entry.path())) {
            progress.tick();
            match entry.map(|entry| (entry.file_type(), entry.into_path())) {
                Ok((kind, _)) if kind.is_dir() => {}
                Ok((kind, path)) if kind.is_file() => match File::new(path) {
                    Ok(file) => folder.files.push(file),
                    Err(_) => folder.closed += 1,
                },
                Ok(_) => folder.others += 1,
                Err(_) => folder.closed += 1,
            }
        }
        progress.finish_and_clear();
        if folder.files.is_empty() {
            return Err(format!("{}: no files in there", folder.path.display()).into());
        }
        Ok(folder)
    }
}

/// Once through all files.
struct Pass {
    name: &'static str,
    progress: ProgressBar,
    begun: Instant,
    time: Duration,
    bytes_read: u64,
    digests: usize,
    unreadable: usize,
    /// The digest of all digests.
    all: Sha3_256,
    stats: Stats,
    levels: TwoLevelStats,
}

impl Pass {
    fn begin(name: &'static str, files: &[File]) -> Self {
        // Shown on terminals only.
        let progress = ProgressBar::new(files.len() as u64).with_message(name);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len} files") {
            progress.set_style(style);
        }
        Self {
            name,
            progress,
            begun: Instant::now(),
            time: Duration::ZERO,
            bytes_read: 0,
            digests: 0,
            unreadable: 0,
            all: Sha3_256::new(),
            stats: Stats::default(),
            levels: TwoLevelStats::default(),
        }
    }

    /// The digest of a file, from the file.
    fn read(&mut self, file: &File) -> io::Result<Vec<u8>> {
        let mut source = fs::File::open(&file.path)?;
        let mut digest = Sha3_256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => return Ok(digest.finalize().to_vec()),
                Ok(len) => {
                    digest.update(&buffer[..len]);
                    self.bytes_read += len as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn add(&mut self, digest: io::Result<Vec<u8>>) {
        match digest {
            Ok(digest) => {
                self.all.update(digest);
                self.digests += 1;
            }
            Err(_) => self.unreadable += 1,
        }
        self.progress.inc(1);
    }

    fn end(mut self, stats: Stats, levels: TwoLevelStats) -> Self {
        self.time = self.begun.elapsed();
        self.progress.finish_and_clear();
        self.stats = stats;
        self.levels = levels;
        self
    }
}

fn report(folder: &Folder, passes: &[Pass; 2]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let [first, second] = passes;
    let size = BinaryBytes(folder.files.iter().map(|file| file.size).sum());
    let path = folder.path.display();
    writeln!(out, "{} files, {size}, in {path}\n", folder.files.len())?;
    let head = ["", "time", "hits", "level 1", "level 2", "read"];
    row(&mut out, head.map(String::from))?;
    for pass in passes {
        let TwoLevelStats {
            first_hits,
            second_hits,
            misses,
            ..
        } = pass.levels;
        let asked = second_hits + misses;
        let cells = [
            pass.name.to_owned(),
            format!("{:.2?}", pass.time),
            rate(pass.stats.hits as u64, pass.stats.reads as u64),
            rate(first_hits, first_hits + asked),
            rate(second_hits, asked),
            BinaryBytes(pass.bytes_read).to_string(),
        ];
        row(&mut out, cells)?;
    }
    let speed_up = first.time.as_secs_f64() / second.time.as_secs_f64().max(1e-9);
    // A hashed key of 16 bytes and the digest, encrypted.
    let kept = BinaryBytes(second.digests as u64 * (16 + 32));
    writeln!(
        out,
        "\nspeed-up {speed_up:.1}, about {kept} kept in level 2"
    )?;
    if second.unreadable + folder.closed > 0 {
        let unreadable = second.unreadable + folder.closed;
        writeln!(out, "unreadable and passed over: {unreadable}")?;
    }
    if folder.others > 0 {
        let others = folder.others;
        writeln!(out, "links and the like, not followed: {others}")?;
    }
    let all = second.all.clone().finalize();
    let all: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(out, "digest of all digests: {all}")
}

/// The caches of [`digest_twice`] from the program to the second level, with the work of each.
fn explain(passes: &[Pass; 2], on_redis: bool) -> io::Result<()> {
    let base = match on_redis {
        true => ("    RedisCache", "keeps entries on the server for an hour"),
        false => (
            "    LockedCache<LruCache>",
            "keeps up to 1,000,000 entries in memory",
        ),
    };
    let lookups = passes.each_ref().map(|pass| pass.stats.reads as u64);
    let first = passes.each_ref().map(|pass| pass.levels.first_hits);
    let second = passes.each_ref().map(|pass| pass.levels.second_hits);
    let read = passes.each_ref().map(|pass| pass.levels.misses);
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\n{:<26}{:<44}{:>12}{:>13}",
        "cache", "work", "first pass", "second pass"
    )?;
    for (cache, work, counts) in [
        ("StatsCache", "counts look-ups", Some(lookups)),
        ("PrefixedCache", "begins each key with \"sha3-256.\"", None),
        (
            "TwoLevelCache",
            "asks level 1, then 2, then reads the file",
            Some(read),
        ),
        (
            "  level 1: TtlCache",
            "answers from memory for 10 minutes",
            Some(first),
        ),
        (
            "  level 2: PrefixedCache",
            "begins each key with \"quickstart.\"",
            Some(second),
        ),
        ("    EncryptedCache", "hashes keys, encrypts values", None),
        (base.0, base.1, None),
    ] {
        let [before, after] = match counts {
            Some(counts) => counts.map(|count| count.to_string()),
            None => [String::new(), String::new()],
        };
        let line = format!("{cache:<26}{work:<44}{before:>12}{after:>13}");
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(
        out,
        "\nStatsCache: all look-ups. TwoLevelCache: files read. Level 1 and 2: look-ups answered."
    )
}

fn row(out: &mut impl Write, [name, cells @ ..]: [String; 6]) -> io::Result<()> {
    write!(out, "{name:<12}")?;
    for cell in cells {
        write!(out, "{cell:>12}")?;
    }
    writeln!(out)
}

fn rate(hits: u64, reads: u64) -> String {
    match reads {
        0 => "-".into(),
        reads => format!("{:.1} %", hits as f64 * 100.0 / reads as f64),
    }
}
