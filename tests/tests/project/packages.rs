//! The packages that are published have all their files, and metadata.

use super::{files, root};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

/// The crates that are published, in the order of publication.
const PUBLISHED: [&str; 3] = ["ctu-macros", "ctu-core", "ctu-std"];

/// The paths of a package, as Cargo would publish them.
fn contents(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .args(["--package", package])
        .current_dir(root())
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn packages_have_sources_pages_and_licences_and_no_tests() {
    for package in PUBLISHED {
        let contents = contents(package);
        let folder = root().join(package);
        let mut wanted = Vec::new();
        files(&folder.join("src"), &[".rs", ".md"], &mut wanted);
        if folder.join("docs").exists() {
            files(&folder.join("docs"), &[".md"], &mut wanted);
        }
        let wanted = wanted
            .iter()
            .map(|path| path.strip_prefix(&folder).unwrap());
        let wanted = wanted.map(|path| path.to_str().unwrap());
        let pages = ["README.md", "LICENSE-APACHE", "LICENSE-MIT", "Cargo.lock"];
        for path in wanted.chain(pages) {
            assert!(contents.contains(path), "{package} lacks {path}");
        }
        for path in &contents {
            let is_test = path.starts_with("tests/") || path.contains("proptest-regressions");
            assert!(!is_test, "{package} has {path}");
        }
    }
}

#[test]
fn packages_have_metadata_and_the_docs_rs_settings_of_the_check() {
    let run = fs::read_to_string(root().join("tests/run")).unwrap();
    let built = run.lines().find(|line| line.contains("--cfg docsrs"));
    let built = built.expect("tests/run builds the documentation with the flags of docs.rs");
    assert!(built.contains("--all-features"), "{built}");
    for package in PUBLISHED {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
        let (fields, docs) = manifest
            .split_once("[package.metadata.docs.rs]\n")
            .unwrap_or_else(|| panic!("{package} has no settings for docs.rs"));
        for field in [
            "description = ",
            "license.",
            "keywords.",
            "categories.",
            "rust-version.",
            "readme = ",
            "include = ",
        ] {
            assert!(fields.contains(&format!("\n{field}")), "{package}: {field}");
        }
        for setting in [
            "all-features = true",
            r#"rustdoc-args = ["--cfg", "docsrs"]"#,
        ] {
            assert!(docs.contains(setting), "{package}: {setting}");
        }
    }
}

/// Major and minor number of a version of the compiler.
fn release(version: &Value) -> Option<(u32, u32)> {
    let mut numbers = version.as_str()?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[test]
fn dependencies_of_packages_need_no_newer_compiler() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline"])
        // Offline, Cargo has the sources of dependencies for Linux alone.
        .args([
            "--all-features",
            "--filter-platform=x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let packages: BTreeMap<_, _> = list(&metadata["packages"])
        .into_iter()
        .map(|package| (package["id"].to_string(), package))
        .collect();
    let nodes: BTreeMap<_, _> = list(&metadata["resolve"]["nodes"])
        .into_iter()
        .map(|node| (node["id"].to_string(), list(&node["deps"])))
        .collect();
    let is_published = |package: &Value| PUBLISHED.contains(&package["name"].as_str().unwrap());
    let published = packages.iter().filter(|(_, package)| is_published(package));
    let mut waiting: Vec<_> = published.map(|(id, _)| id.clone()).collect();
    let mut seen: BTreeSet<_> = waiting.iter().cloned().collect();
    let ours = release(&packages[&waiting[0]]["rust_version"]).expect("a version");
    while let Some(id) = waiting.pop() {
        let package = &packages[&id];
        let needed = release(&package["rust_version"]);
        assert!(
            needed.is_none_or(|needed| needed <= ours),
            "{id} needs Rust {}: `cargo update` with `--precise` selects an older version",
            package["rust_version"]
        );
        for dependency in &nodes[&id] {
            let kinds = list(&dependency["dep_kinds"]);
            let id = dependency["pkg"].to_string();
            if kinds.iter().any(|kind| kind["kind"] != "dev") && seen.insert(id.clone()) {
                waiting.push(id);
            }
        }
    }
    assert!(seen.len() > 50, "{seen:?}");
}
