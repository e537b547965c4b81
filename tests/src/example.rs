//! The examples of `ctu-std`, built for tests.

use std::{
    env,
    path::PathBuf,
    process::{Command, Output},
};

/// The features with which `tests/run host` tests `ctu-std`, so that the examples are built once.
const FEATURES: &str = "cluster,metrics,redis-aio,snapshot,test-util,tls";

/// Builds an example in the profile of the running test, and returns its path.
///
/// # Panics
/// If it cannot be built.
pub fn build(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the test's own path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "ctu-std"]);
    build.args(["--example", name, "--features", FEATURES]);
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
