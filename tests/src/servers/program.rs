use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

/// A child process, ended when it is dropped.
#[derive(Debug)]
pub(super) struct Program(pub(super) Child);

impl Program {
    pub(super) fn kill(&mut self) {
        self.0.kill().expect("to kill the server");
        self.0.wait().expect("the server to end");
    }

    pub(super) fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let status = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(status.expect("kill").success());
    }

    /// Stops it, all of its threads, when this returns.
    pub(super) fn stop(&self) {
        self.signal("STOP");
        let tasks = format!("/proc/{}/task", self.0.id());
        let runs = |task: io::Result<fs::DirEntry>| {
            let stat = fs::read_to_string(task.expect("a thread").path().join("stat"));
            // Its state follows its name in brackets. A thread may end meanwhile.
            stat.is_ok_and(|stat| !stat.contains(") T "))
        };
        while fs::read_dir(&tasks).expect("its threads").any(runs) {
            thread::yield_now();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A directory for a server.
pub(super) fn directory(kind: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("ctu-{kind}-{}-{count}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory).expect("a directory for the server");
    directory
}

/// Waits until the server is ready; `None` where it ends before that.
pub(super) fn wait_for(mut program: Program, ready: impl Fn(&Program) -> bool) -> Option<Program> {
    while !ready(&program) {
        if program.0.try_wait().expect("the server").is_some() {
            return None;
        }
        thread::yield_now();
    }
    Some(program)
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
