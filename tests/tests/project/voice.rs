//! Comments and documentation name their subject.

use super::{files, root};
use std::fs;

/// The highest accepted share of lines with one of the [`PRONOUNS`], in percent. It only goes down.
const LIMIT: f64 = 0.5;

const PRONOUNS: [&str; 7] = [
    "what", "who", "whom", "whoever", "whatever", "nobody", "somebody",
];

fn is_vague(line: &str) -> bool {
    line.split(|char: char| !char.is_alphanumeric())
        .any(|word| PRONOUNS.contains(&word.to_lowercase().as_str()))
}

/// The lines of comments in Rust, and the lines of prose in Markdown.
fn lines_of_prose<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
    if name.ends_with(".rs") {
        let lines = text.lines().filter_map(|line| line.split_once("//"));
        // Not the two slashes of an address.
        let comments = lines.filter(|(code, _)| !code.ends_with(':'));
        return comments.map(|(_, comment)| comment).collect();
    }
    let mut in_code = false;
    let mut prose = text.lines().filter(|line| {
        in_code ^= line.trim_start().starts_with("```");
        !in_code && !line.is_empty()
    });
    prose.by_ref().collect()
}

#[test]
fn comments_name_their_subject() {
    let mut paths = Vec::new();
    files(root(), &[".rs", ".md"], &mut paths);
    let (mut all, mut vague) = (0, Vec::new());
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        // The rule itself names the pronouns.
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        for line in lines_of_prose(&name, &text) {
            all += 1;
            if is_vague(line) {
                vague.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    let share = 100.0 * vague.len() as f64 / f64::from(all);
    println!("{} of {all} lines, {share:.2} %", vague.len());
    assert!(
        share <= LIMIT,
        "{} of {all} lines of comments and documentation ({share:.2} %, at most {LIMIT} %) have a \
         pronoun in place of a noun:\n{}",
        vague.len(),
        vague.join("\n")
    );
}

#[test]
fn a_pronoun_in_place_of_a_noun_is_found() {
    assert!(is_vague(" Whoever waits gets what was computed."));
    assert!(is_vague("/// Nobody waits."));
    assert!(!is_vague(" The caller waits somewhat, on a whole."));
}

#[test]
fn only_prose_counts() {
    assert_eq!(
        lines_of_prose("a.rs", "let what = 1; // one\n\"http://who\"\n/// two"),
        [" one", "/ two"]
    );
    assert_eq!(
        lines_of_prose("a.md", "one\n\n```rust\nwhat\n```\ntwo"),
        ["one", "```", "two"]
    );
}
