//! The public API of the crates, as a snapshot: it changes on purpose only.
//!
//! `CTU_API=overwrite tests/run api` writes the snapshots anew; the difference then shows in
//! review. The compiler describes the API in a format that changes between its versions:
//! `public-api` reads that of the version in `ctu-tests`' manifest.

use std::{fs, path::Path, process::Command};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The public items of a crate with all its features, a line each.
fn items(package: &str) -> String {
    let status = Command::new(env!("CARGO"))
        .args([
            "rustdoc",
            "--quiet",
            "--lib",
            "--all-features",
            "-p",
            package,
        ])
        .args(["--", "-Zunstable-options", "--output-format=json"])
        .current_dir(root())
        .env("RUSTDOC", root().join("tests/tests/api/rustdoc"))
        .status();
    assert!(status.unwrap().success(), "rustdoc of {package}");
    // The folder for temporary files is in the target directory.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let json = target.join("doc").join(package.replace('-', "_") + ".json");
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .expect("the compiler writes a format that this `public-api` reads");
    api.items().map(|item| format!("{item}\n")).collect()
}

/// The lines of `left` that `right` lacks.
fn missing<'t>(left: &'t str, right: &str) -> Vec<&'t str> {
    let there: std::collections::HashSet<_> = right.lines().collect();
    left.lines().filter(|line| !there.contains(line)).collect()
}

fn matches_its_snapshot(package: &str) {
    let snapshot = root().join(format!("tests/tests/api/{package}.txt"));
    let found = items(package);
    if std::env::var_os("CTU_API").is_some_and(|mode| mode == "overwrite") {
        fs::write(&snapshot, &found).unwrap();
    }
    let known = fs::read_to_string(&snapshot).unwrap();
    let (new, gone) = (missing(&found, &known), missing(&known, &found));
    assert!(
        new.is_empty() && gone.is_empty(),
        "new:\n{}\ngone:\n{}",
        new.join("\n"),
        gone.join("\n")
    );
}

#[test]
fn ctu_core_matches_its_snapshot() {
    matches_its_snapshot("ctu-core");
}

#[test]
fn ctu_std_matches_its_snapshot() {
    matches_its_snapshot("ctu-std");
}
