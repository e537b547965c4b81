use std::{
    fs, io,
    process::{Child, Command, Stdio},
    thread,
};

/// A child process that is killed on drop.
#[derive(Debug)]
pub struct Program(Child);

impl Program {
    /// Starts `command` and waits until the server is ready; `None` if it ends before that.
    pub(super) fn start(command: &mut Command, ready: impl Fn(&Self) -> bool) -> Option<Self> {
        let child = command.stdout(Stdio::null()).spawn();
        let mut program = Self(child.expect("a server, which tests/run installs"));
        while !ready(&program) {
            if program.0.try_wait().expect("the server").is_some() {
                return None;
            }
            thread::yield_now();
        }
        Some(program)
    }

    /// The process id.
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn kill(&mut self) {
        self.0.kill().expect("to kill the server");
        self.0.wait().expect("the server to end");
    }

    /// Stops all of its threads; they are stopped on return.
    pub(super) fn stop(&self) {
        self.signal("STOP");
        let tasks = format!("/proc/{}/task", self.0.id());
        let runs = |task: io::Result<fs::DirEntry>| {
            let stat = fs::read_to_string(task.expect("a thread").path().join("stat"));
            // The state follows the name in brackets. A thread may end in between.
            stat.is_ok_and(|stat| !stat.contains(") T "))
        };
        while fs::read_dir(&tasks).expect("its threads").any(runs) {
            thread::yield_now();
        }
    }

    /// Continues it after [`stop`](Self::stop).
    pub(super) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let status = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(status.expect("kill").success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
