//! The packages that are published have all their files, and metadata.

use super::{files, root};
use std::{collections::BTreeSet, fs, process::Command};

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
