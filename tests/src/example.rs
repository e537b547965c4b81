//! The examples of `ctu-std`, built for tests.

use std::{
    env,
    path::PathBuf,
    process::{Command, Output},
};

/// The packages and features that `tests/run` selects, so that an example is built once.
const SELECTION: &[&str] = &[
    "--package=ctu-std",
    "--package=ctu-macros",
    "--package=ctu-conformance",
    "--package=ctu-tests",
    "--features=ctu-std/cluster,ctu-std/metrics,ctu-std/redis-aio,ctu-std/snapshot,ctu-std/test-util,ctu-std/tls",
    "--features=ctu-tests/cluster,ctu-tests/tls",
];

/// Builds an example in the profile of the running test, and returns its path.
///
/// # Panics
/// If it cannot be built.
pub fn build(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the test's own path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet"]).args(SELECTION);
    build.args(["--example", name]);
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    build.env("CARGO_TARGET_DIR", profile.parent().expect("target"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().expect("cargo").success());
    profile.join("examples").join(name)
}

/// The one line that a failed run printed on standard error.
///
/// # Panics
/// If the run did not fail with exit code 1, one such line, and no output.
pub fn failure(output: Output) -> String {
    let line = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(output.stdout.is_empty());
    line
}
