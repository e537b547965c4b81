//! The example on the README's first screen, as its users run it.

use ctu_tests::{
    example::{self, failure},
    servers::{RedisServer, free_port},
};
use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// The built example, of the profile that the tests have.
static EXAMPLE: LazyLock<PathBuf> = LazyLock::new(|| example::build("quickstart"));

/// A folder of its own for each test, removed after it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ctu-quickstart-{}-{count}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// One with three files in two folders.
    fn with_files() -> Self {
        let folder = Self::new();
        fs::create_dir(folder.0.join("sub")).unwrap();
        fs::write(folder.0.join("a"), "one").unwrap();
        fs::write(folder.0.join("empty"), "").unwrap();
        fs::write(folder.0.join("sub/b"), vec![7; 200_000]).unwrap();
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(arguments: &[&str]) -> Output {
    let output = Command::new(&*EXAMPLE).args(arguments).output();
    output.expect("the example")
}

/// The output of a successful run.
fn good(output: Output) -> String {
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    text
}

/// The columns of a line of the table but the time: hits, level 1, level 2, read.
fn columns(text: &str, pass: &str) -> Vec<String> {
    let line = text.lines().find(|line| line.starts_with(pass));
    let words: Vec<&str> = line.expect(text).split_whitespace().skip(3).collect();
    let joined = words.join(" ").replace(" %", "%");
    joined.splitn(4, ' ').map(str::to_owned).collect()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn help_exits_with_success() {
    let helped = run(&["--help"]);
    assert!(helped.status.success() && helped.stderr.is_empty());
    assert!(helped.stdout.starts_with(b"usage: quickstart "));
}

#[test]
fn second_pass_hits_the_first_level() {
    let folder = Folder::with_files();
    let text = good(run(&[path(&folder.0)]));
    assert!(text.starts_with("3 files, 195.32 KiB, in "), "{text}");
    let first = columns(&text, "first pass");
    assert_eq!(first, ["0.0%", "0.0%", "0.0%", "195.32 KiB"]);
    let second = columns(&text, "second pass");
    assert_eq!(second, ["100.0%", "100.0%", "-", "0 B"]);
    // Three times 16 and 32 bytes.
    assert!(text.contains("about 144 B kept in level 2"), "{text}");
    // The sha3-256 of the sha3-256 hashes of the three files, computed by Python's hashlib.
    let all =
        "digest of all digests: 57ca2c09dd306e8883182ce7e00b582b6031f123a94139420b881b2d4a7ae88b\n";
    assert!(text.contains(all), "{text}");
}

#[test]
fn folders_that_are_tagged_as_caches_are_left_out() {
    let folder = Folder::with_files();
    let output = folder.0.join("sub/target");
    fs::create_dir(&output).unwrap();
    fs::write(output.join("CACHEDIR.TAG"), "Signature: ").unwrap();
    fs::write(output.join("built"), vec![7; 1_000]).unwrap();
    let text = good(run(&[path(&folder.0)]));
    assert!(text.starts_with("3 files, 195.32 KiB, in "), "{text}");
    // A tagged folder itself may be named.
    let text = good(run(&[path(&output)]));
    assert!(text.starts_with("2 files, "), "{text}");
}

/// The lines of the table of caches, without the head.
fn explained(text: &str) -> Vec<&str> {
    let lines = text.lines().skip_while(|line| !line.starts_with("cache "));
    let lines = lines.skip(1).take_while(|line| !line.is_empty());
    lines.collect()
}

#[test]
fn explanation_counts_the_work_of_each_level() {
    let folder = Folder::with_files();
    let text = good(run(&[path(&folder.0), "--explain"]));
    let ends = |start: &str| {
        let lines = explained(&text).into_iter();
        let mut lines = lines.filter(|line| line.trim_start().starts_with(start));
        let line = lines.next().unwrap_or_else(|| panic!("{start}: {text}"));
        let words: Vec<_> = line.split_whitespace().collect();
        words[words.len() - 2..].join(" ")
    };
    assert_eq!(ends("StatsCache"), "3 3");
    assert_eq!(ends("TwoLevelCache"), "3 0");
    assert_eq!(ends("level 1: TtlCache"), "0 3");
    assert_eq!(ends("level 2: PrefixedCache"), "0 0");
    assert_eq!(ends("EncryptedCache"), "encrypts values");
    assert_eq!(ends("LockedCache<LruCache>"), "in memory");
}

#[test]
fn last_line_is_the_next_command_to_try() {
    let server = RedisServer::start();
    let folder = Folder::with_files();
    let url = server.url();
    let next = |arguments: &[&str]| {
        let text = good(run(&[&[path(&folder.0)], arguments].concat()));
        text.lines().last().map(str::to_owned)
    };
    let command = |rest: &str| Some(format!("next: cargo run {rest}"));
    let again = "--release --example quickstart -- ";
    assert_eq!(next(&[]), command(&format!("{again}--explain")));
    assert_eq!(
        next(&["--explain"]),
        command(&format!("{again}--redis redis://127.0.0.1:6379"))
    );
    assert_eq!(
        next(&["--explain", "--redis", &url]),
        command("-p ctu-std --example axum --features tokio,metrics")
    );
}

#[test]
fn second_run_over_redis_starts_warm() {
    let server = RedisServer::start();
    let folder = Folder::with_files();
    let arguments = [path(&folder.0), "--redis", &server.url()];
    let cold = good(run(&arguments));
    assert_eq!(columns(&cold, "first pass")[..3], ["0.0%", "0.0%", "0.0%"]);
    // Encrypted, under hashed keys: no path is on the server.
    assert_eq!(server.cli(&["dbsize"]), "3");
    assert_eq!(server.cli(&["--scan", "--pattern", "*ctu-quickstart*"]), "");
    assert_eq!(server.cli(&["--scan", "--pattern", "*quickstart*"]), "");
    let warm = good(run(&arguments));
    let first = columns(&warm, "first pass");
    assert_eq!(first, ["100.0%", "0.0%", "100.0%", "0 B"]);
    let digest = |text: &str| {
        let mut lines = text.lines();
        let line = lines.find(|line| line.starts_with("digest of all digests"));
        line.expect("a digest").to_owned()
    };
    assert_eq!(digest(&warm), digest(&cold));
    // A file that was changed is not stale.
    fs::write(folder.0.join("a"), "two!").unwrap();
    let changed = good(run(&arguments));
    assert_eq!(columns(&changed, "first pass")[2..], ["66.7%", "4 B"]);
    assert_ne!(digest(&changed), digest(&cold));
}

#[test]
fn unreadable_files_and_links_are_counted_and_skipped() {
    let folder = Folder::with_files();
    let secret = folder.0.join("secret");
    fs::write(&secret, "hidden").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    symlink(&folder.0, folder.0.join("circle")).unwrap();
    symlink("/nowhere", folder.0.join("dangling")).unwrap();
    // A privileged user drops the permission to read all files.
    let output = if fs::read(&secret).is_ok() {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-dac_override,-dac_read_search"]);
        command.arg(&*EXAMPLE).arg(&folder.0).output().unwrap()
    } else {
        run(&[path(&folder.0)])
    };
    let text = good(output);
    assert!(text.starts_with("4 files, "), "{text}");
    assert!(text.contains("unreadable and passed over: 1\n"), "{text}");
    assert!(text.contains("links and the like, not followed: 2\n"));
    assert_eq!(columns(&text, "second pass")[0], "75.0%");
}

#[test]
fn default_folder_is_the_repository() {
    let folder = Folder::with_files();
    fs::create_dir(folder.0.join(".git")).unwrap();
    let mut command = Command::new(&*EXAMPLE);
    let text = good(command.current_dir(folder.0.join("sub")).output().unwrap());
    assert!(text.starts_with("3 files, "), "{text}");
}

#[test]
fn missing_folder_is_an_error() {
    let line = failure(run(&["/nowhere/at/all"]));
    assert_eq!(line, "quickstart: /nowhere/at/all: no such folder\n");
}

#[test]
fn file_in_place_of_a_folder_is_an_error() {
    let folder = Folder::with_files();
    let line = failure(run(&[path(&folder.0.join("a"))]));
    assert!(line.ends_with("/a: not a directory\n"), "{line}");
}

#[test]
fn empty_folder_is_an_error() {
    let folder = Folder::new();
    let line = failure(run(&[path(&folder.0)]));
    assert!(line.ends_with(": no files in there\n"), "{line}");
}

#[test]
fn wrong_address_is_reported_without_its_password() {
    let folder = Folder::with_files();
    let begin = "quickstart: not the address of a Redis server: ";
    for url in ["http://localhost", "redis://:hunter2@localhost:port", ""] {
        let line = failure(run(&[path(&folder.0), "--redis", url]));
        assert!(line.starts_with(begin), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[test]
fn dead_server_is_reported() {
    let folder = Folder::with_files();
    let port = free_port();
    let url = format!("redis://127.0.0.1:{port}");
    let line = failure(run(&[path(&folder.0), "--redis", &url]));
    let text = format!("quickstart: no Redis at 127.0.0.1:{port}: connection refused\n");
    assert_eq!(line, text);
}

#[test]
fn full_server_is_reported() {
    let full = ["--maxmemory", "1", "--maxmemory-policy", "noeviction"];
    let server = RedisServer::with(&full);
    let folder = Folder::with_files();
    let line = failure(run(&[path(&folder.0), "--redis", &server.url()]));
    assert!(
        line.starts_with("quickstart: second level: Redis at "),
        "{line}"
    );
    assert!(line.ends_with(" is out of memory\n"), "{line}");
}

#[test]
fn unknown_argument_is_an_error() {
    for arguments in [&["--what"][..], &["a", "b"], &["--redis"]] {
        assert!(failure(run(arguments)).starts_with("quickstart: "));
    }
}

/// Runs the example with one closed output stream, and returns its exit code.
fn unread(arguments: &[&str], standard_error: bool) -> Option<i32> {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut example = Command::new(&*EXAMPLE);
    example.args(arguments);
    if standard_error {
        example.stderr(writer).stdout(std::process::Stdio::null());
    } else {
        example.stdout(writer).stderr(std::process::Stdio::null());
    }
    example.status().unwrap().code()
}

#[test]
fn closed_output_does_not_panic() {
    let folder = Folder::with_files();
    assert_eq!(unread(&[path(&folder.0)], false), Some(0));
    assert_eq!(unread(&[path(&folder.0)], true), Some(0));
    assert_eq!(unread(&["/nowhere/at/all"], true), Some(1));
}
