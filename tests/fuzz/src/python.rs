use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// Reads JSON, a line each, and answers with the line that CacheToolsUtils writes for it, or with an
/// empty line where Python refuses the text.
const PROGRAM: &str = r#"
import json, sys

def refuse(word):
    raise ValueError(word)

def keyed(text):
    value = json.loads(text, parse_constant=refuse)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)

# Older releases have no limit.
getattr(sys, "set_int_max_str_digits", int)(0)
for line in sys.stdin.buffer:
    try:
        written = keyed(line.decode())
    except (ValueError, RecursionError):
        written = ""
    print(written, flush=True)
"#;

/// A process of Python that reads JSON and writes it in the form of CacheToolsUtils.
pub struct Python {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Python {
    /// Starts the process: `python3`, with its standard library alone.
    pub fn start() -> Self {
        let mut process = Command::new("python3")
            .args(["-I", "-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        let to = process.stdin.take().expect("a pipe");
        let from = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { process, to, from }
    }

    /// `json.dumps(json.loads(json))` with sorted keys and no spaces; `None` where Python refuses it.
    ///
    /// `json` is one line.
    pub fn dumps(&mut self, json: &str) -> Option<String> {
        assert!(!json.contains('\n'), "a line: {json:?}");
        writeln!(self.to, "{json}").expect("the process reads");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("the process writes");
        assert!(line.ends_with('\n'), "the process ended at {json:?}");
        line.pop();
        (!line.is_empty()).then_some(line)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
