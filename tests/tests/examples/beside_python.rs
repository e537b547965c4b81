//! The example `beside_python`, with the Python that `CTU_PYTHON` names.

use ctu_tests::example::{self, failure};
use std::{env, process::Command};

#[test]
fn beside_python_both_sides_find_the_entries_of_the_other() {
    let python = env::var("CTU_PYTHON").expect("CTU_PYTHON, which tests/run interop sets");
    let mut example = Command::new(example::build("beside_python"));
    let output = example.args(["--python", &python]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (calls, entries): (Vec<_>, Vec<_>) =
        text.lines().partition(|line| !line.starts_with("entry:"));
    assert_eq!(
        calls,
        [
            "rust:   acme(\"rust\", 2) = \"rustrust\", computed",
            "rust:   acme(\"rust\", 2) = \"rustrust\", found",
            "python: acme(\"rust\", 2) = \"rustrust\", found",
            "python: acme(\"python\", 3) = \"pythonpythonpython\", computed",
            "rust:   acme(\"python\", 3) = \"pythonpythonpython\", found",
        ]
    );
    assert_eq!(entries.len(), 2, "{entries:?}");
}

#[test]
fn beside_python_reports_a_missing_program_or_package() {
    let run = |python: &str| {
        let mut example = Command::new(example::build("beside_python"));
        example.args(["--python", python]).output().unwrap()
    };
    let output = run("/nowhere/python");
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(
        line.starts_with("beside_python: /nowhere/python: "),
        "{line}"
    );
    assert!(line.ends_with("or --python PROGRAM\n"), "{line}");
    let unknown = Command::new(example::build("beside_python"))
        .arg("--unheard-of")
        .output();
    assert!(failure(unknown.unwrap()).contains("usage: beside_python "));
}
