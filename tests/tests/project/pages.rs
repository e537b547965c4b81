//! Pages of rustdoc stand by themselves: a package is published without the rest of the repository.

use super::{files, root};
use std::fs;

/// The targets of links, and the words in code style, of the prose of a page.
fn references(page: &str) -> Vec<&str> {
    let mut in_code = false;
    let prose = page.lines().filter(|line| {
        in_code ^= line.trim_start().starts_with("```");
        !in_code
    });
    let mut found = Vec::new();
    for line in prose {
        let links = line.split("](").skip(1);
        found.extend(links.filter_map(|rest| rest.split(')').next()));
        found.extend(line.split('`').skip(1).step_by(2));
    }
    found
}

/// Whether `reference` is a path of the repository that is not in the package of `folder`.
fn is_outside(folder: &str, reference: &str) -> bool {
    let path = reference.split(['#', ' ']).next().unwrap_or_default();
    let is_path = path.contains('/') && !path.contains("://") && !path.starts_with('/');
    let is_known = path.starts_with("..") || path.ends_with(".md") || root().join(path).exists();
    let is_inside = path.starts_with(&format!("{folder}/"));
    is_path && is_known && !is_inside
}

#[test]
fn pages_of_rustdoc_name_no_file_outside_their_package() {
    let mut found = Vec::new();
    for folder in ["ctu-core", "ctu-std", "ctu-macros"] {
        let mut paths = Vec::new();
        files(&root().join(folder), &[".md", ".rs"], &mut paths);
        for path in paths {
            let text = fs::read_to_string(&path).unwrap();
            let is_page = path.extension().is_some_and(|end| end == "md");
            let text = match is_page {
                true => text,
                false => {
                    let lines = text.lines().map(str::trim_start);
                    let docs = lines.filter_map(|line| {
                        line.strip_prefix("///")
                            .or_else(|| line.strip_prefix("//!"))
                    });
                    docs.collect::<Vec<_>>().join("\n")
                }
            };
            let outside = references(&text)
                .into_iter()
                .filter(|reference| is_outside(folder, reference));
            found.extend(outside.map(|reference| format!("{}: {reference}", path.display())));
        }
    }
    // Entry points of this repository's fuzz targets, which no program sees.
    found.retain(|fault| !fault.contains("fuzzing.rs"));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn file_outside_the_package_is_found() {
    let page = "See [this](../README.md), `tests/run` and `docs/none.md`, not `a/b` or [that](https://x.y/z).";
    let found = references(page);
    let outside = found.into_iter().filter(|name| is_outside("ctu-std", name));
    assert_eq!(
        outside.collect::<Vec<_>>(),
        ["../README.md", "tests/run", "docs/none.md"]
    );
}
