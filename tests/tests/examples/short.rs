//! The examples that run to their end.

use ctu_tests::example::{self, failure};
use std::{env, fs, process::Command};

/// The output of an example that succeeds.
fn output(name: &str) -> String {
    output_of(&mut Command::new(example::build(name)))
}

fn output_of(command: &mut Command) -> String {
    let output = command.output();
    let output = output.expect("the example");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// The words of the lines that begin with `start`.
fn words<'t>(text: &'t str, start: &str) -> Vec<Vec<&'t str>> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(start));
    lines
        .map(|rest| rest.split_whitespace().collect())
        .collect()
}

#[test]
fn cached_functions_compute_each_result_once() {
    let text = output("cached_functions");
    let computed = |count| ["6000", "computations:", count];
    assert_eq!(
        words(&text, "price(\"lamp\", 3)"),
        [computed("1"), computed("0"), computed("1")]
    );
    for failure in words(&text, "price(\"unicorn\", 1)") {
        assert_eq!(failure, ["unknown", "product", "computations:", "1"]);
    }
    assert_eq!(
        words(&text, "price::uncached(\"lamp\", 3)"),
        [computed("1")]
    );
    let threads = words(&text, "rate(\"crown\") in 8 threads");
    assert_eq!(threads, [["95", "computations:", "1"]]);
    // Its result is the only computation that is left.
    assert_eq!(
        words(&text, "stock.free(20)"),
        [["75", "computations:", "0"]]
    );
}

#[test]
fn two_levels_lose_no_write_in_an_outage() {
    let text = output("two_levels");
    let values = |start| {
        let lines = words(&text, start).into_iter();
        lines.map(|words| words[0]).collect::<Vec<_>>()
    };
    assert_eq!(
        values("get lamp, in memory"),
        ["Some(\"20\")", "Some(\"20\")", "Some(\"25\")"]
    );
    assert_eq!(values("get lamp, other node, from Redis"), ["Some(\"20\")"]);
    assert_eq!(values("get chair, a miss after 100 ms"), ["None"]);
    assert_eq!(values("get lamp, the new value"), ["Some(\"25\")"]);
    assert_eq!(values("get desk, removed"), ["None"]);
    assert!(
        text.contains("the missed keys are deleted there [None, None]"),
        "{text}"
    );
    assert_eq!(values("get desk, from Redis: none"), ["None"]);
    let removed = &words(&text, "remove desk")[0];
    assert_eq!(removed[removed.len() - 2..], ["journal", "2"]);
    assert!(
        text.contains(", 2 writes missed, 2 keys made good"),
        "{text}"
    );
}

#[test]
fn rehearsed_outages_fail_no_request_and_bring_no_old_value_back() {
    let example = example::build("rehearsal");
    let text = output_of(&mut Command::new(example));
    // The program itself checks the prices of each request, and ends with an error at a wrong one.
    let last: Vec<_> = text
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap())
        .collect();
    assert_eq!(last, ["10", "20", "30", "40", "50"]);
    assert_eq!(text.matches("100 answers").count(), 5, "{text}");
    let outages = text.matches(" 0 outages so far").count();
    assert_eq!(outages, 0, "{text}");
}

#[test]
fn key_rotation_reads_old_entries_until_their_key_is_retired() {
    let text = output("key_rotation");
    let values = |key| words(&text, key).into_iter().map(|words| words.join(" "));
    let alice: Vec<_> = values("  alice:").collect();
    assert_eq!(alice, ["token A", "token A", "token A", "none"]);
    let bob: Vec<_> = values("  bob:").collect();
    assert_eq!(bob, ["token B", "token C", "token C", "none"]);
    assert_eq!(text.matches("plain text inside: false").count(), 2);
    assert!(text.contains("entries of unknown keys: 1"), "{text}");
}

#[test]
fn trace_shows_the_share_of_lookups_that_each_capacity_answers() {
    let example = example::build("trace");
    let rows = |text: &str| {
        let rows = text.lines().filter(|line| line.ends_with(" %"));
        let cells = rows.map(|line| {
            let cells = line.split_whitespace().filter(|cell| *cell != "%");
            cells.map(|cell| cell.parse::<f64>().unwrap()).collect()
        });
        cells.collect::<Vec<Vec<f64>>>()
    };
    let text = output_of(&mut Command::new(&example));
    let made = rows(&text);
    assert!(text.starts_with("200000 lookups of "), "{text}");
    // A larger cache finds more; the adaptive policy resists the scans.
    assert!(made.is_sorted_by(|less, more| less[0] < more[0] && less[2] <= more[2]));
    assert!(made[..4].iter().all(|row| row[1] > row[2] + 1.0), "{text}");
    // Ten keys in a loop: a cache of half of them finds no entry by LRU.
    let file = env::temp_dir().join(format!("ctu-trace-test-{}.txt", std::process::id()));
    let keys: Vec<_> = (0..1_000)
        .map(|key| format!("key {}\n", key % 10))
        .collect();
    fs::write(&file, keys.concat()).unwrap();
    let text = output_of(Command::new(&example).arg(&file));
    fs::remove_file(&file).unwrap();
    assert!(text.starts_with("1000 lookups of 10 keys"), "{text}");
    let last = rows(&text).pop().unwrap();
    assert_eq!((last[0], last[2]), (5.0, 0.0));
    assert!(last[1] > 10.0, "{text}");
    let missing = Command::new(&example).arg("no such file").output();
    assert!(failure(missing.unwrap()).starts_with("trace: no such file: "));
    let unknown = Command::new(&example).arg("--unheard-of").output();
    assert!(failure(unknown.unwrap()).contains("usage: trace "));
}

#[test]
fn warm_start_computes_no_page_again() {
    let example = example::build("warm_start");
    let name = format!("ctu-warm-start-test-{}", std::process::id());
    let file = env::temp_dir().join(name);
    let run = || output_of(Command::new(&example).arg(&file));
    let computed = |text: &str| {
        let lines = words(text, "  300 requests, ").into_iter();
        lines.map(|words| words[0].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(computed(&run()), ["300", "0"]);
    assert_eq!(computed(&run()), ["0", "0"]);
    // A damaged file is a cold start.
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let text = run();
    assert!(text.contains("  no entries loaded: "), "{text}");
    assert_eq!(computed(&text), ["300", "0"]);
    fs::remove_file(&file).unwrap();
    let folder = Command::new(&example).arg(env::temp_dir()).output();
    assert!(failure_line(folder.unwrap()).starts_with("warm_start: "));
    let unknown = Command::new(&example).arg("--unheard-of").output();
    assert!(failure(unknown.unwrap()).contains("usage: warm_start "));
}

/// The last line that a failed run printed on standard error.
fn failure_line(output: std::process::Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).expect("text")
}
