//! The commands that the documents show are those of this repository.

use super::{files, root};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

/// A package of the workspace: its features, and the names of its targets by kind.
struct Package {
    features: BTreeSet<String>,
    targets: BTreeSet<(String, String)>,
}

/// The packages of the workspace by name.
fn packages() -> BTreeMap<String, Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let package = |package: &Value| {
        let features = package["features"].as_object().unwrap();
        let targets = package["targets"].as_array().unwrap().iter();
        let targets = targets.map(|target| (text(&target["kind"][0]), text(&target["name"])));
        let found = Package {
            features: features.keys().cloned().collect(),
            targets: targets.collect(),
        };
        (text(&package["name"]), found)
    };
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(package).collect()
}

/// The lines of the shell blocks of a page, without comments.
fn shell_lines(page: &str) -> Vec<String> {
    let mut in_shell = false;
    let mut lines = Vec::new();
    for line in page.lines().map(str::trim) {
        if line.starts_with("```") {
            in_shell = matches!(line, "```sh" | "```bash" | "```shell" | "```console");
            continue;
        }
        let command = line.split(" #").next().unwrap_or_default().trim();
        if in_shell && !command.is_empty() && !command.starts_with('#') {
            lines.push(command.trim_start_matches("$ ").to_owned());
        }
    }
    lines
}

/// The words of a command, without quotes.
fn words(command: &str) -> Vec<String> {
    let words = command.split_whitespace();
    words.map(|word| word.replace(['"', '\''], "")).collect()
}

/// The faults of a command that is run at the root of the repository.
fn faults(command: &str, packages: &BTreeMap<String, Package>) -> Vec<String> {
    let mut found = Vec::new();
    let words = words(command);
    // Settings before the program. Cargo runs a test or benchmark in the folder of its package, so
    // a path in a setting is to be absolute.
    let settings = words.iter().take_while(|word| word.contains('=')).count();
    for setting in &words[..settings] {
        let (_, value) = setting.split_once('=').unwrap();
        if value.contains('/') && !value.starts_with(['/', '$']) {
            found.push(format!("`{value}` is a relative path in a setting"));
        }
    }
    let mut rest = &words[settings..];
    if rest.first().is_some_and(|word| word == "taskset") {
        rest = rest.get(3..).unwrap_or_default();
    }
    match rest.split_first() {
        Some((program, arguments)) if program == "cargo" => {
            found.extend(cargo_faults(arguments, packages));
        }
        Some((program, arguments)) => {
            let paths = arguments.iter().chain([program]);
            let paths = paths.filter(|word| word.contains('/') && !word.contains("://"));
            let missing = paths.filter(|path| !root().join(path).exists());
            found.extend(missing.map(|path| format!("there is no `{path}`")));
            let known = ["cd", "pip", "python3", "git", "rustup", "apt", "apt-get"];
            if !program.contains('/') && !known.contains(&program.as_str()) {
                found.push(format!("`{program}` is not a program that a test knows"));
            }
        }
        None => found.push("no program".into()),
    }
    found
}

fn cargo_faults(arguments: &[String], packages: &BTreeMap<String, Package>) -> Vec<String> {
    let mut found = Vec::new();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let arguments = arguments.split(|word| *word == "--").next().unwrap();
    let value_of = |names: &[&str]| {
        let at = arguments.iter().position(|word| names.contains(word))?;
        arguments.get(at + 1).copied()
    };
    const SUBCOMMANDS: [&str; 10] = [
        "add", "bench", "build", "check", "clippy", "doc", "fmt", "install", "run", "test",
    ];
    match arguments.first() {
        Some(&"add") => return found,
        Some(name) if SUBCOMMANDS.contains(name) => {}
        other => found.push(format!("`cargo {}` is unknown", other.unwrap_or(&""))),
    }
    // Without `-p`, the packages of the workspace that cargo takes by default: all.
    let named = value_of(&["-p", "--package"]);
    if let Some(name) = named.filter(|name| !packages.contains_key(*name)) {
        found.push(format!("there is no package `{name}`"));
        return found;
    }
    let chosen: Vec<&Package> = match named {
        Some(name) => vec![&packages[name]],
        None => packages.values().collect(),
    };
    for kind in ["bench", "test", "example", "bin"] {
        if let Some(name) = value_of(&[&format!("--{kind}")]) {
            let target = (kind.to_owned(), name.to_owned());
            if !chosen
                .iter()
                .any(|package| package.targets.contains(&target))
            {
                found.push(format!("there is no {kind} `{name}`"));
            }
        }
    }
    let features = value_of(&["--features", "-F"]).unwrap_or_default();
    for feature in features.split(',').filter(|feature| !feature.is_empty()) {
        let name = feature.rsplit('/').next().unwrap();
        if !chosen.iter().any(|package| package.features.contains(name)) {
            found.push(format!("there is no feature `{feature}`"));
        }
    }
    found
}

/// The commands of the documents, each after the page that shows it.
fn shown() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    files(root(), &[".md"], &mut pages);
    let mut commands = Vec::new();
    for page in pages {
        let name = page.strip_prefix(root()).unwrap().display().to_string();
        let text = fs::read_to_string(&page).unwrap();
        let lines = shell_lines(&text).into_iter();
        commands.extend(lines.map(|command| (name.clone(), command)));
    }
    commands
}

#[test]
fn shown_commands_name_existing_packages_targets_features_and_paths() {
    let packages = packages();
    let commands = shown();
    assert!(commands.len() > 5, "{commands:?}");
    let mut found = Vec::new();
    for (page, command) in &commands {
        let faults = faults(command, &packages);
        found.extend(
            faults
                .iter()
                .map(|fault| format!("{page}: {command}: {fault}")),
        );
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// Each command once, in the order of the pages, without `tests/run`, which runs this test, and without the
/// service `axum`, which runs until a signal: the test `examples` has it. It takes as long as all
/// benchmarks together.
#[cfg(feature = "pages")]
#[test]
fn shown_commands_succeed() {
    let mut ran = Vec::new();
    for (page, command) in shown() {
        let is_service = command.contains("--example axum");
        if command == "tests/run" || is_service || ran.contains(&command) {
            continue;
        }
        let mut shell = Command::new("bash");
        let status = shell.arg("-c").arg(&command).current_dir(root()).status();
        assert!(status.unwrap().success(), "{page}: {command}");
        ran.push(command);
    }
}

#[test]
fn shown_scripts_pass_a_syntax_check() {
    for (page, command) in shown() {
        let words = words(&command);
        for path in words.iter().map(|word| root().join(word)) {
            let checker = match path.extension().and_then(|end| end.to_str()) {
                Some("py") => vec![
                    "python3",
                    "-c",
                    "import ast, sys; ast.parse(open(sys.argv[1]).read())",
                ],
                None if is_shell(&path) => vec!["bash", "-n"],
                _ => continue,
            };
            let mut check = Command::new(checker[0]);
            let status = check.args(&checker[1..]).arg(&path).status();
            assert!(status.unwrap().success(), "{page}: {command}");
        }
    }
}

fn is_shell(path: &Path) -> bool {
    let Ok(text) = fs::read_to_string(path) else {
        return false;
    };
    text.lines()
        .next()
        .is_some_and(|line| line.starts_with("#!") && line.contains("sh"))
}

#[test]
fn every_kind_of_broken_command_is_found() {
    let packages = packages();
    let count = |command: &str| faults(command, &packages).len();
    for wrong in [
        "CTU_PYTHON=target/interop/bin/python cargo bench -p ctu-bench --bench backends",
        "cargo bench -p ctu-test --bench backends",
        "cargo bench -p ctu-bench --bench backend",
        "cargo test -p ctu-tests --features server --test redis",
        "cargo test -p ctu-tests --test redi",
        "cargo run --release --example quick",
        "cargo frob",
        "tests/rum",
        "python3 tests/compare/none.py",
        "unheard of",
    ] {
        assert_eq!(count(wrong), 1, "{wrong}");
    }
    for right in [
        "CTU_PYTHON=\"$PWD/target/interop/bin/python\" taskset -c 0 cargo bench -p ctu-bench --bench backends",
        "cargo test -p ctu-tests --features servers --test redis name -- --nocapture",
        "cargo run --release --example quickstart",
        "tests/run",
    ] {
        assert_eq!(faults(right, &packages), [""; 0], "{right}");
    }
    assert_eq!(
        shell_lines("```sh\n$ a b # c\n# d\n```\n```rust\ne\n```\nf\n"),
        ["a b"]
    );
}
