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
            && (returned.trim() == "Self"
                || returned.trim().starts_with("Self where")
                || returned.contains(builder));
        is_option.then(|| name.to_owned())
    });
    of_builder.filter(|name| name != "clone").collect()
}

/// The cells of a row, trimmed.
fn cells_of(line: &str) -> Vec<&str> {
    let row = line.trim().trim_matches('|');
    row.split('|').map(str::trim).collect()
}

/// The names in code style of a cell.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn table_of_options_has_every_option_of_every_builder() {
    let page = fs::read_to_string(root().join("docs/guide/options.md")).unwrap();
    let rows: BTreeSet<_> = page.lines().map(cells_of).collect();
    let has = |of: &str, option: &str| {
        let mut of_cache = rows.iter().filter(|row| row.get(1) == Some(&of));
        of_cache.any(|row| names(row[0]).any(|name| name == option))
    };
    let mut missing = Vec::new();
    for (builder, of) in [
        ("FlashOptions", "`FlashCache`"),
        ("Sealing", "`SealedCache`"),
        ("Encryption", "`EncryptedCache`"),
        ("TimeLimits", "`AdaptiveTtlCache`"),
        ("RedisBuilder", "`RedisCache`"),
        ("MemCachedBuilder", "`MemCached`"),
        ("TwoLevelBuilder", "`TwoLevelCache`"),
        ("ConcurrentCacheBuilder", "`ConcurrentCache`"),
        ("Snapshot", "`Snapshot`"),
    ] {
        let mut found = BTreeSet::new();
        for crate_name in ["ctu-core", "ctu-std"] {
            let snapshot = format!("tests/tests/api/{crate_name}.txt");
            let snapshot = fs::read_to_string(root().join(snapshot)).unwrap();
            found.extend(options(&snapshot, builder));
        }
        assert!(!found.is_empty(), "{builder} has no option in the snapshot");
        let without_row = found.iter().filter(|option| !has(of, option));
        missing.extend(without_row.map(|option| format!("{of}: {option}")));
    }
    let attribute = fs::read_to_string(root().join("ctu-macros/docs/cached.md")).unwrap();
    let attribute = attribute.split("\n# Options\n").nth(1).unwrap();
    let attribute = attribute.split("\n# ").next().unwrap();
    let of_attribute = attribute.lines().map(cells_of);
    let of_attribute = of_attribute.flat_map(|row| names(row[0]).collect::<Vec<_>>());
    for option in of_attribute {
        let option = option.split([' ', ':', '(']).next().unwrap();
        if !has("`#[cached]`", option) {
            missing.push(format!("#[cached]: {option}"));
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    assert!(has("`RedisCache`", "no_ttl") && !has("`MemCached`", "no_ttl"));
}

#[test]
fn features_are_on_the_page_of_options_and_in_the_readme_of_their_crate() {
    let page = fs::read_to_string(root().join("docs/guide/options.md")).unwrap();
    for crate_name in ["ctu-core", "ctu-std"] {
        let folder = root().join(crate_name);
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let features = manifest.split("[features]").nth(1).unwrap();
        let features = features.split("\n[").next().unwrap().lines();
        for feature in features.filter_map(|line| line.split_once(" = ")) {
            let name = feature.0.trim_start_matches("## ");
            if !matches!(name, "default" | "fuzzing") && !name.contains([' ', '#']) {
                let name = format!("`{name}`");
                assert!(page.contains(&name), "{crate_name}: {name}");
                assert!(
                    readme.contains(&name),
                    "{crate_name}/README.md lacks the feature {name}"
                );
            }
        }
    }
}

/// The numbers of a text, such as 10000 and 0.5 of "10,000 keys, 0.5 s".
fn numbers(text: &str) -> Vec<String> {
    let is_part = |char: char| char.is_ascii_digit() || matches!(char, '.' | ',');
    let words = text.split(|char| !is_part(char));
    let words = words.map(|word| word.trim_matches(['.', ',']).replace(',', ""));
    words.filter(|word| !word.is_empty()).collect()
}

#[test]
fn defaults_of_the_page_of_options_are_those_of_the_builders() {
    let page = fs::read_to_string(root().join("docs/guide/options.md")).unwrap();
    let mut compared = 0;
    for (of, source) in [
        ("`RedisCache`", "backends/redis/builder.rs"),
        ("`MemCached`", "backends/memcached/builder.rs"),
        ("`TwoLevelCache`", "behaviours/two_level/builder.rs"),
    ] {
        let source = root().join("ctu-std/src").join(source);
        let source = fs::read_to_string(source).unwrap();
        for line in source.lines().filter(|line| line.starts_with("/// | [`")) {
            let stated = cells_of(line.trim_start_matches("/// "));
            let option = names(stated[0]).next().unwrap();
            let mut rows = page.lines().map(cells_of);
            let shown = rows
                .find(|row| row.get(1) == Some(&of) && names(row[0]).any(|name| name == option));
            let shown = shown.unwrap_or_else(|| panic!("{of}: no row of {option}"));
            assert_eq!(numbers(shown[3]), numbers(stated[1]), "{of}: {option}");
            compared += 1;
        }
    }
    assert!(compared > 15, "{compared}");
    assert_eq!(numbers("0.5 s, growing to 10,000."), ["0.5", "10000"]);
}
