//! A function in Python and one in Rust with the same arguments share their entries.
//!
//! `CTU_PYTHON` names a Python that has CacheToolsUtils 11.0 and redis, as `tests/run interop`
//! makes one.

use ctu_std::{PrefixedRedisCache, RedisCache, cached, json_key};
use ctu_tests::servers::RedisServer;
use std::{process::Command, time::Duration};

type Acme = PrefixedRedisCache<str, String>;

#[cached(cache: Acme = cache, prefix = "", key = json_key)]
fn acme(cache: &Acme, what: &str, count: usize, scale: f64, flag: Option<bool>) -> String {
    let flag = flag.map_or("None", |flag| if flag { "True" } else { "False" });
    // The mark shows which program ran the function.
    format!("{} {scale} {flag} by Rust", what.repeat(count))
}

fn call(cache: &Acme, count: usize) -> String {
    let flag = count.is_multiple_of(2).then_some(true);
    acme(cache, "hé\"\n", count, 0.1 * count as f64, flag)
}

/// The results of Python for each count, and the counts for which its function ran.
fn python(server: &RedisServer, counts: &[usize]) -> (Vec<String>, String) {
    let python = std::env::var("CTU_PYTHON").expect("CTU_PYTHON, a Python with CacheToolsUtils");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cached/interop.py");
    let output = Command::new(python)
        .arg(script)
        .arg(server.port().to_string())
        .args(counts.iter().map(ToString::to_string))
        .output()
        .expect("Python");
    let (stdout, stderr) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    let mut lines: Vec<String> = String::from_utf8_lossy(stdout)
        .lines()
        .map(Into::into)
        .collect();
    let runs = lines.pop().unwrap_or_default();
    (lines, runs)
}

#[test]
fn python_and_rust_hit_each_others_entries() {
    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url()).deadline(Duration::from_secs(60));
    let cache: Acme = builder.prefix("acme.").build().unwrap();

    let (results, runs) = python(&server, &[1, 2, 3]);
    assert_eq!(runs, "1 2 3");
    for (count, result) in (1..).zip(results) {
        let returned = call(&cache, count);
        assert!(!returned.ends_with("by Rust"), "{returned}");
        let hex: String = returned.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, result);
    }
    assert!(call(&cache, 4).ends_with("by Rust"));
    let (_, runs) = python(&server, &[3, 4, 5]);
    assert_eq!(runs, "5");
    assert_eq!(
        acme::cache_del(&cache, "hé\"\n", 5, 0.1 * 5.0, None),
        Ok(true)
    );
    let (_, runs) = python(&server, &[5]);
    assert_eq!(runs, "5");
}
