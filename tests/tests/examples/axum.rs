//! The example `axum`: a page service and its live page.

use super::browser::Browser;
use ctu_tests::{
    example::{self, failure},
    servers::RedisServer,
};
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::LazyLock,
};

static EXAMPLE: LazyLock<PathBuf> = LazyLock::new(|| example::build("axum"));

/// The running example. It ends in order on drop, together with its Redis server.
struct Service {
    process: Child,
    output: BufReader<ChildStdout>,
    /// The host and port.
    authority: String,
}

impl Service {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(&*EXAMPLE)
            .args(["--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the example");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let authority = line.trim().strip_prefix("http://").expect("an address");
        let authority = authority.trim_end_matches('/').to_owned();
        Self {
            process,
            output,
            authority,
        }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.authority)
    }

    /// The status, headers and body of the answer to a request.
    fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.authority).expect("the service");
        let host = &self.authority;
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the service");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).expect("a status");
        (status.parse().expect("a status"), answer)
    }

    /// Sends SIGTERM, and returns whether the program ends with success.
    fn end(&mut self) -> bool {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &pid]).status();
        assert!(sent.expect("kill").success());
        let ended = self.process.wait().expect("the end").success();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("the output");
        ended && rest.is_empty()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.end();
        }
    }
}

#[test]
fn live_page_shows_an_outage_and_the_recovery() {
    let mut service = Service::start(&[]);
    let mut browser = Browser::open(&service.url());
    browser.until("main.dataset.connected === 'true'");
    browser.until("byId('requests').textContent.replaceAll(',', '') > 500");
    assert_eq!(browser.text("breaker"), "closed");
    assert!(
        browser
            .evaluate("byId('continue').disabled")
            .as_bool()
            .unwrap()
    );
    browser.screenshot("running");

    browser.click("stop");
    browser.until("main.dataset.redis === 'stopped'");
    browser.until("main.dataset.breaker === 'open'");
    browser.until("byId('journal').textContent > 0");
    let requests = browser.number("requests");
    browser.until(&format!(
        "byId('requests').textContent.replaceAll(',', '') > {}",
        requests + 1_000
    ));
    assert!(browser.evaluate("byId('stop').disabled").as_bool().unwrap());
    let last = browser.text("last-outage");
    assert!(last.starts_with("Redis at 127.0.0.1:"), "{last}");
    browser.screenshot("stopped");

    browser.click("continue");
    browser.until("main.dataset.redis === 'running'");
    browser.until("main.dataset.breaker === 'closed'");
    browser.until("byId('journal').textContent === '0'");
    assert!(browser.number("replayed") > 0);
    browser.until("byId('events').textContent.includes('made good')");
    browser.screenshot("recovered");
    browser.set_color_scheme("dark");
    browser.screenshot("dark");
    browser.set_size(400, 1800);
    let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    assert_eq!(browser.evaluate(fits), true);
    browser.screenshot("narrow");

    assert_eq!(browser.number("failed"), 0);
    assert_eq!(browser.number("outdated"), 0);
    assert_eq!(browser.errors(), [""; 0]);
    // The page still has its stream of events.
    assert!(service.end());
}

#[test]
fn page_shows_its_last_edit() {
    let service = Service::start(&["--rate", "0"]);
    let (status, answer) = service.ask("GET", "/pages/7");
    assert!(status == 200 && answer.contains("etag: \"1\""), "{answer}");
    assert_eq!(service.ask("PUT", "/pages/7").0, 204);
    let (status, answer) = service.ask("GET", "/pages/7");
    assert!(status == 200 && answer.contains("Version 2"), "{answer}");
    let (status, answer) = service.ask("GET", "/pages/2000");
    assert!(
        status == 404 && answer.contains("numbered from 0 to 1999"),
        "{answer}"
    );
}

#[test]
fn metrics_have_the_counts_of_the_cache_and_of_requests() {
    let service = Service::start(&["--rate", "0"]);
    for _ in 0..2 {
        assert_eq!(service.ask("GET", "/pages/7").0, 200);
    }
    let (_, metrics) = service.ask("GET", "/metrics");
    for line in [
        "ctu_two_level_first_hits{cache=\"pages\"} 1\n",
        "ctu_two_level_misses{cache=\"pages\"} 1\n",
        "ctu_two_level_breaker_open{cache=\"pages\"} 0\n",
        "http_request_seconds_count{status=\"200\"} 2\n",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
}

/// The words of `text` that begin like a metric of the example.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let words = text.split(|char| !is_part(char));
    words
        .filter(|word| word.starts_with("ctu_two_level_") || word.starts_with("http_request_"))
        .collect()
}

#[test]
fn dashboard_and_alerts_use_exported_metrics() {
    let service = Service::start(&["--rate", "0"]);
    assert_eq!(service.ask("GET", "/pages/7").0, 200);
    let (_, exported) = service.ask("GET", "/metrics");
    let exported = metrics_in(&exported);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ctu-std/examples/axum/monitoring");
    let read = |name| fs::read_to_string(folder.join(name)).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&read("grafana.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            let used = metrics_in(target["expr"].as_str().unwrap());
            assert!(!used.is_empty() && used.is_subset(&exported), "{target}");
        }
    }
    let alerts = read("alerts.yml");
    let used = metrics_in(&alerts);
    assert!(used.len() > 5 && used.is_subset(&exported), "{used:?}");
    assert!(read("prometheus.yml").contains("127.0.0.1:8080"));
}

#[test]
fn given_redis_server_is_used_and_not_stopped() {
    let server = RedisServer::start();
    let service = Service::start(&["--rate", "0", "--redis", &server.url()]);
    assert_eq!(service.ask("GET", "/pages/7").0, 200);
    assert_eq!(server.cli(&["--scan"]), "pages.v1.7");
    let (status, answer) = service.ask("POST", "/redis/stop");
    assert!(
        status == 409 && answer.contains("not of this program"),
        "{answer}"
    );
    assert_eq!(server.cli(&["ping"]), "PONG");
}

#[test]
fn own_redis_server_ends_with_the_program_also_when_stopped() {
    let mut service = Service::start(&["--rate", "0"]);
    assert_eq!(service.ask("POST", "/redis/stop").0, 204);
    // The first event of the stream has the port.
    let mut stream = TcpStream::connect(&service.authority).unwrap();
    write!(stream, "GET /events HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let event = lines.find(|line| line.starts_with("data:")).unwrap();
    let port = event.split("\"redis_port\":").nth(1).unwrap();
    let port: u16 = port.split(',').next().unwrap().parse().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert!(service.end());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn bad_arguments_are_reported_with_the_allowed_values() {
    let run = |arguments: &[&str]| {
        let output = Command::new(&*EXAMPLE).args(arguments).output();
        failure(output.expect("the example"))
    };
    assert_eq!(
        run(&["--port", "x"]),
        "axum: --port x: a number from 0 to 65535\n"
    );
    assert_eq!(
        run(&["--rate", "10001"]),
        "axum: --rate 10001: a number from 0 to 10000\n"
    );
    assert!(run(&["--rate", "-1"]).starts_with("axum: "));
    assert!(run(&["--unheard-of"]).contains("usage: axum "));
    assert!(run(&["--redis"]).starts_with("axum: "));
    let line = run(&[
        "--port",
        "0",
        "--rate",
        "0",
        "--redis",
        "http://:hunter2@localhost",
    ]);
    assert!(
        line.starts_with("axum: not the address of a Redis server"),
        "{line}"
    );
    assert!(!line.contains("hunter2"), "{line}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert!(run(&["--port", &port]).contains(" is in use; give another one"));
}

#[test]
fn help_exits_with_success() {
    let helped = Command::new(&*EXAMPLE).arg("--help").output().unwrap();
    assert!(helped.status.success() && helped.stderr.is_empty());
    assert!(helped.stdout.starts_with(b"usage: axum "));
}
