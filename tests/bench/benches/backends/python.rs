use crate::OPERATIONS;
use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// CacheToolsUtils itself.
pub(crate) struct Python {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Python {
    /// Starts it; `None` where `CTU_PYTHON` names no Python.
    pub(crate) fn start() -> Option<RefCell<Self>> {
        let python = std::env::var_os("CTU_PYTHON")?;
        let mut child = Command::new(python)
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/benches/backends/peer.py"
            ))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Python that CTU_PYTHON names");
        let (to, from) = (child.stdin.take(), child.stdout.take());
        Some(RefCell::new(Self {
            child,
            to: to.expect("its input"),
            from: BufReader::new(from.expect("its output")),
        }))
    }

    /// Lets it do the operation as often as a round has it.
    pub(crate) fn run(&mut self, url: &str, operation: &str, size: usize) -> u64 {
        writeln!(
            self.to,
            r#"{{"url": "{url}", "operation": "{operation}", "size": {size}, "count": {OPERATIONS}}}"#
        )
        .expect("Python");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("Python");
        line.trim().parse().expect("Python to do as it was told")
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
