//! Imports between folders follow the tables of `ARCHITECTURE.md`.

use super::{files, root};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// The rows of the tables with the first heading `heading`: the first cell, and the names in code
/// style of the second.
fn table<'t>(text: &'t str, heading: &str) -> BTreeMap<&'t str, BTreeSet<&'t str>> {
    let names = |cell: &'t str| cell.split('`').skip(1).step_by(2);
    let mut lines = text.lines();
    lines
        .by_ref()
        .find(|line| line.starts_with(&format!("| {heading} |")))
        .unwrap_or_else(|| panic!("no table of {heading}"));
    lines
        .skip(1)
        .map_while(|line| line.strip_prefix('|')?.split_once('|'))
        .map(|(name, others)| (names(name).next().unwrap(), names(others).collect()))
        .collect()
}

/// The paths from `crate`, and those from `super` resolved from `module`. A group `{a::b, c}` gives
/// one path for each of its parts. Modules of tests are left out.
fn paths(tokens: TokenStream, module: &[String], found: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is = |at: usize, text: &str| {
        tokens
            .get(at)
            .is_some_and(|token| token.to_string() == text)
    };
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(ident) if ident == "crate" || ident == "super" => {
                // A macro that is exported reaches its crate from outside, by public paths.
                let exported = at > 0 && is(at - 1, "$");
                let mut base = match ident == "super" {
                    true => module
                        .split_last()
                        .map_or(Vec::new(), |(_, up)| up.to_vec()),
                    false => Vec::new(),
                };
                while ident == "super" && is(at + 1, ":") && is(at + 3, "super") {
                    base.pop();
                    at += 3;
                }
                if !exported && is(at + 1, ":") && is(at + 2, ":") {
                    leaves(&tokens[at + 3..], base, found);
                }
            }
            TokenTree::Ident(ident) if ident == "mod" => {
                if let (Some(name), Some(TokenTree::Group(body))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    // Unit tests build their subject from parts of any folder.
                    if name.to_string() != "tests" {
                        let inner = [module, &[name.to_string()]].concat();
                        paths(body.stream(), &inner, found);
                    }
                    at += 2;
                }
            }
            TokenTree::Group(group) => paths(group.stream(), module, found),
            _ => {}
        }
        at += 1;
    }
}

/// The paths that begin with `base` and go on with `tokens`.
fn leaves(tokens: &[TokenTree], mut base: Vec<String>, found: &mut Vec<Vec<String>>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => base.push(ident.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_comma = |token: &TokenTree| token.to_string() == ",";
                for part in inner.split(is_comma).filter(|part| !part.is_empty()) {
                    leaves(part, base.clone(), found);
                }
                return;
            }
            _ => break,
        }
    }
    found.push(base);
}

/// The names in `tokens` outside modules of tests.
fn idents(tokens: TokenStream, found: &mut BTreeSet<String>) {
    let mut is_test = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                is_test = ident == "tests";
                found.insert(ident.to_string());
            }
            TokenTree::Group(group) if !is_test => idents(group.stream(), found),
            _ => is_test = false,
        }
    }
}

/// A source file: its module path below the crate's root, and its tokens.
struct Source {
    module: Vec<String>,
    tokens: TokenStream,
}

fn sources(folder: &str) -> Vec<Source> {
    let folder = root().join(folder);
    let mut found = Vec::new();
    files(&folder, &[".rs"], &mut found);
    let source = |path: std::path::PathBuf| {
        let file = path.strip_prefix(&folder).unwrap().with_extension("");
        let mut module: Vec<String> = file
            .iter()
            .map(|part| part.to_str().unwrap().into())
            .collect();
        module.pop_if(|last| last == "mod" || last == "lib");
        let text = fs::read_to_string(&path).unwrap();
        let tokens = text
            .parse()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Source { module, tokens }
    };
    found.into_iter().map(source).collect()
}

/// The longest row of the table that `module` is in.
fn row<'t>(rows: &BTreeMap<&'t str, BTreeSet<&'t str>>, module: &[String]) -> Option<&'t str> {
    (1..=module.len().min(2))
        .rev()
        .find_map(|len| rows.get_key_value(module[..len].join("/").as_str()))
        .map(|(name, _)| *name)
}

/// The imports of `sources` that the `rows` do not list.
fn violations(rows: &BTreeMap<&str, BTreeSet<&str>>, sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for Source { module, tokens } in sources {
        // `lib.rs` and the tables of contents of folders with rows of their own re-export from all
        // below.
        let Some(from) = row(rows, module) else {
            let contains_rows = rows.keys().any(|row| row.starts_with(&module.join("/")));
            if !contains_rows {
                found.push(format!("{}: no row", module.join("::")));
            }
            continue;
        };
        let mut imported = Vec::new();
        paths(tokens.clone(), module, &mut imported);
        for path in imported {
            let to = row(rows, &path);
            if to.is_none_or(|to| to != from && !rows[from].contains(to)) {
                found.push(format!("{} imports {}", module.join("::"), path.join("::")));
            }
        }
    }
    found
}

#[test]
fn imports_follow_the_architecture() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for folder in ["ctu-core/src", "ctu-std/src"] {
        let rows = table(&architecture, &format!("`{folder}`"));
        let found = violations(&rows, &sources(folder));
        assert!(found.is_empty(), "{folder}:\n{}", found.join("\n"));
    }
}

#[test]
fn folders_avoid_the_names_of_other_layers() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (folder, unused) in table(&architecture, "folder | unused names") {
        for Source { module, tokens } in sources(folder) {
            if module.iter().any(|part| part.ends_with("tests")) {
                continue;
            }
            let mut found = BTreeSet::new();
            idents(tokens, &mut found);
            for name in &unused {
                assert!(
                    !found.contains(*name),
                    "{folder}: {} has `{name}`",
                    module.join("::")
                );
            }
        }
    }
}

#[test]
fn every_way_to_import_is_found() {
    let rows = table(
        "| `src` | imports from |\n| --- | --- |\n| `a` | `b`, `c` |\n| `b` | |\n| `c/d` | `a` |\n",
        "`src`",
    );
    let found = |module: &str, code: &str| {
        let module = module.split("::").map(String::from).collect();
        let tokens = code.parse().unwrap();
        violations(&rows, &[Source { module, tokens }])
    };
    assert!(
        found(
            "a::x",
            "use crate::{a::y, b::{Z, w::V}}; fn f() { super::g(); }"
        )
        .is_empty()
    );
    assert_eq!(
        found("b", "use crate::{b::x::Y, a::Z};"),
        ["b imports a::Z"]
    );
    assert_eq!(
        found("b", "fn f() { m!(crate::a::x()) }"),
        ["b imports a::x"]
    );
    assert_eq!(
        found("b::x", "use super::super::a::Y;"),
        ["b::x imports a::Y"]
    );
    assert_eq!(
        found("b::x", "mod y { use super::super::super::a; }"),
        ["b::x imports a"]
    );
    assert_eq!(found("b::x", "use crate::Root;"), ["b::x imports Root"]);
    assert_eq!(found("e", ""), ["e: no row"]);
    assert!(found("b::x", "mod tests { use crate::a; }").is_empty());
    assert!(found("c", "pub use self::d::X;").is_empty());
    assert!(found("b", "macro_rules! m { () => { $crate::Root } }").is_empty());
}
