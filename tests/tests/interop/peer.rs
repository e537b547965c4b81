//! The Python program `peer.py`, which does as it is told.

use ctu_std::memcached::MemValue;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

pub(crate) struct Peer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// An entry that Python wrote.
pub(crate) struct Written {
    /// The form of the key: `{"json": ..}`, `{"bytes": ..}`, `{"json_key": [args, kwargs]}`, ...
    pub(crate) key: Value,
    pub(crate) value: MemValue,
    /// The key on the server.
    pub(crate) at: Vec<u8>,
}

impl Peer {
    /// Starts the program. `seed` makes its entries repeatable.
    pub(crate) fn start(seed: u64) -> Self {
        let python = std::env::var_os("CTU_PYTHON")
            .expect("CTU_PYTHON, a Python with what requirements.txt names: see tests/run interop");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/peer.py");
        let mut child = Command::new(python)
            .args(["-B", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python");
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let mut peer = Self {
            child,
            to: to.expect("its input"),
            from: BufReader::new(from.expect("its output")),
        };
        let seed = std::env::var("CTU_SEED").map_or(seed, |seed| seed.parse().expect("a number"));
        peer.ask(&json!({"do": "begin", "seed": seed}));
        peer
    }

    fn ask(&mut self, request: &Value) -> Value {
        self.to
            .write_all(format!("{request}\n").as_bytes())
            .expect("a peer that listens");
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("an answer");
        ctu_std::json::from_str(&line).expect("an answer: see above for what Python says")
    }

    /// Makes the cache that is described.
    pub(crate) fn open(&mut self, setup: &Value) {
        let mut request = setup.clone();
        request["do"] = "open".into();
        self.ask(&request);
    }

    /// Stores random entries, and tells which.
    pub(crate) fn write(&mut self, count: usize) -> Vec<Written> {
        let Value::Array(entries) = self.ask(&json!({"do": "write", "count": count})) else {
            panic!("no entries");
        };
        entries
            .into_iter()
            .map(|mut entry| Written {
                key: entry["key"].take(),
                value: match entry["value"].get("bytes") {
                    Some(bytes) => unhex(bytes).into(),
                    None => entry["value"]["json"].take().into(),
                },
                at: unhex(&entry["at"]),
            })
            .collect()
    }

    /// Asserts that it finds all of them as it wrote them.
    pub(crate) fn check(&mut self, setup: &Value) {
        let wrong = self.ask(&json!({"do": "check"}));
        assert_eq!(wrong, json!([]), "{setup}");
    }

    /// Asserts that it finds none of them.
    pub(crate) fn gone(&mut self, setup: &Value) {
        let there = self.ask(&json!({"do": "gone"}));
        assert_eq!(there, json!([]), "{setup}");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn unhex(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().expect("hex").as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    hex.chunks(2).map(pair).collect::<Option<_>>().expect("hex")
}
