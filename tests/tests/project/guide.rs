//! The guide is complete: its links lead somewhere, and the page of options names every option.

use super::{files, root};
use std::{collections::BTreeSet, fs, path::PathBuf};

fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(root(), &[".md"], &mut found);
    found
}

/// The targets of the links of a page, outside code.
fn links(page: &str) -> Vec<String> {
    let mut in_code = false;
    let prose = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    });
    let rests = prose.flat_map(|line| line.split("](").skip(1));
    rests
        .filter_map(|rest| rest.split(')').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_link_to_a_file_leads_to_a_file() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let path = link.split('#').next().unwrap_or_default();
            let is_elsewhere = path.contains("::") || path.contains("://") || path.contains('@');
            if !is_elsewhere && !page.parent().unwrap().join(path).exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_picture_is_on_a_page_and_has_both_color_schemes() {
    let mut pictures = Vec::new();
    files(&root().join("docs"), &[".svg"], &mut pictures);
    assert!(pictures.len() > 10, "{pictures:?}");
    let pages: Vec<_> = pages().into_iter().map(fs::read_to_string).collect();
    for picture in pictures {
        let name = picture.strip_prefix(root().join("docs")).unwrap();
        let name = name.to_str().unwrap();
        let shown = pages.iter().flatten().any(|page| page.contains(name));
        assert!(shown, "no page shows {name}");
        let drawn = fs::read_to_string(&picture).unwrap();
        assert!(drawn.contains("prefers-color-scheme:dark"), "{name}");
    }
}

#[test]
fn cookbook_has_every_alert_of_the_example() {
    let alerts = root().join("ctu-std/examples/axum/monitoring/alerts.yml");
    let alerts = fs::read_to_string(alerts).unwrap();
    let cookbook = fs::read_to_string(root().join("docs/guide/cookbook.md")).unwrap();
    let names = alerts
        .lines()
        .filter_map(|line| line.split_once("- alert: "));
    let of_example: BTreeSet<_> = names.map(|(_, name)| format!("| `{name}` |")).collect();
    assert!(of_example.len() > 3, "{of_example:?}");
    for name in of_example {
        assert!(cookbook.contains(&name), "{name}");
    }
}

/// The number of cells of a row of a table, or `None`. A bar in code counts, unless it is escaped.
fn cells(line: &str) -> Option<usize> {
    let row = line.trim().strip_prefix('|')?;
    Some(row.replace("\\|", "").matches('|').count())
}

#[test]
fn rows_of_tables_have_the_cells_of_their_head() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let (mut in_code, mut head) = (false, None);
        for line in text.lines() {
            in_code ^= line.trim_start().starts_with("```");
            let found = cells(line).filter(|_| !in_code);
            // The head is the first row after another line.
            head = found.and(head.or(found));
            if found != head {
                broken.push(format!("{}: {line}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    assert_eq!(cells(r"| `a \| b` | c |"), Some(2));
    assert_eq!(cells("| `a | b` | c |"), Some(3));
}

#[test]
fn every_page_of_the_guide_is_in_its_summary() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let listed: BTreeSet<String> = links(&summary).into_iter().collect();
    let mut found = Vec::new();
    files(&root().join("docs"), &[".md"], &mut found);
    for page in found {
        let path = page.strip_prefix(root().join("docs")).unwrap();
        let path = path.to_str().unwrap();
        assert!(
            path == "SUMMARY.md" || listed.contains(path),
            "{path} is not in docs/SUMMARY.md"
        );
    }
}

/// The path of a method without its own type parameters.
fn without_parameters(path: &str) -> &str {
    if !path.ends_with('>') {
        return path;
    }
    let mut depth = 0;
    let start = path.char_indices().rev().find(|(_, char)| {
        depth += match char {
            '>' => 1,
            '<' => -1,
            _ => 0,
        };
        depth == 0
    });
    start.map_or(path, |(index, _)| &path[..index])
}

/// Public methods of `builder` that take and return it, of the snapshot of the public API.
fn options(snapshot: &str, builder: &str) -> BTreeSet<String> {
    let methods = snapshot
        .lines()
        .filter(|line| line.contains("fn ") && line.contains(builder));
    let of_builder = methods.filter_map(|line| {
        let (path, arguments) = line.split_once('(')?;
        let (owner, name) = without_parameters(path).rsplit_once("::")?;
        let owner = owner.split('<').next()?.rsplit("::").next()?;
        let returned = arguments.rsplit_once("->")?.1;
        let is_option = owner == builder
            && arguments.starts_with("self")
            && (returned.trim() == "Self" || returned.contains(builder));
        is_option.then(|| name.to_owned())
    });
    of_builder.filter(|name| name != "clone").collect()
}

#[test]
fn page_of_options_names_every_option_and_feature() {
    let page = fs::read_to_string(root().join("docs/guide/options.md")).unwrap();
    let mut missing = Vec::new();
    let mut need = |owner: &str, name: &str| {
        if !page.contains(&format!("`{name}`")) {
            missing.push(format!("{owner}: {name}"));
        }
    };
    for (crate_name, builders) in [
        ("ctu-core", &["FlashOptions", "Sealing", "Encryption"][..]),
        (
            "ctu-std",
            &[
                "RedisBuilder",
                "MemCachedBuilder",
                "TwoLevelBuilder",
                "ConcurrentCacheBuilder",
            ][..],
        ),
    ] {
        let snapshot = format!("tests/tests/api/{crate_name}.txt");
        let snapshot = fs::read_to_string(root().join(snapshot)).unwrap();
        for builder in builders {
            let found = options(&snapshot, builder);
            assert!(!found.is_empty(), "{builder} has no option in the snapshot");
            found.iter().for_each(|name| need(builder, name));
        }
        let folder = root().join(crate_name);
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let features = manifest.split("[features]").nth(1).unwrap();
        let features = features.split("\n[").next().unwrap().lines();
        for feature in features.filter_map(|line| line.split_once(" = ")) {
            let name = feature.0.trim_start_matches("## ");
            if !matches!(name, "default" | "fuzzing") && !name.contains([' ', '#']) {
                need(crate_name, name);
                assert!(
                    readme.contains(&format!("`{name}`")),
                    "{crate_name}/README.md lacks the feature {name}"
                );
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

/// The numbers of a text, such as 10000 and 0.5 of "10,000 keys, 0.5 s".
fn numbers(text: &str) -> Vec<String> {
    let is_part = |char: char| char.is_ascii_digit() || matches!(char, '.' | ',');
    let words = text.split(|char| !is_part(char));
    let words = words.map(|word| word.trim_matches(['.', ',']).replace(',', ""));
    words.filter(|word| !word.is_empty()).collect()
}

/// The names in code style of the first cell of a row, and its last cell but `after`.
fn row(line: &str, after: usize) -> Option<(Vec<&str>, &str)> {
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    let names = cells.get(1)?.split('`').skip(1).step_by(2).collect();
    let default = cells.get(cells.len().checked_sub(2 + after)?)?;
    Some((names, default))
}

#[test]
fn defaults_of_the_page_of_options_are_those_of_the_builders() {
    let page = fs::read_to_string(root().join("docs/guide/options.md")).unwrap();
    let mut compared = 0;
    for (heading, source) in [
        ("## `RedisCache::builder`", "backends/redis/builder.rs"),
        ("## `MemCached::builder`", "backends/memcached/builder.rs"),
        (
            "## `TwoLevelCache::builder`",
            "behaviours/two_level/builder.rs",
        ),
    ] {
        let section = page.split(heading).nth(1).expect(heading);
        let section = section.split("\n## ").next().unwrap();
        let source = root().join("ctu-std/src").join(source);
        let source = fs::read_to_string(source).unwrap();
        for line in source.lines().filter(|line| line.starts_with("/// | [`")) {
            let (names, stated) = row(line, 0).unwrap();
            let rows = section.lines().filter_map(|line| row(line, 1));
            let shown = rows.into_iter().find(|(of, _)| of.contains(&names[0]));
            let (_, shown) = shown.unwrap_or_else(|| panic!("{heading}: no row of {names:?}"));
            assert_eq!(numbers(shown), numbers(stated), "{heading}: {names:?}");
            compared += 1;
        }
    }
    assert!(compared > 15, "{compared}");
    assert_eq!(numbers("0.5 s, growing to 10,000."), ["0.5", "10000"]);
}
