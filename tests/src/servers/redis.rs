use super::{
    free_port,
    program::{Program, directory, wait_for},
};
use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A Redis server with nothing in it, that keeps nothing.
#[derive(Debug)]
pub struct RedisServer {
    program: Program,
    port: u16,
    options: Vec<String>,
    directory: PathBuf,
}

impl RedisServer {
    /// Starts one on a free port.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with more options, such as `["--maxmemory", "2mb"]`.
    pub fn with(options: &[&str]) -> Self {
        // Another program may be quicker to take a port that was free.
        (0..20)
            .find_map(|_| Self::on(free_port(), options))
            .expect("redis-server to start")
    }

    /// Starts one on `port`; `None` where it ends at once, as where the port is taken.
    pub fn on(port: u16, options: &[&str]) -> Option<Self> {
        let directory = directory("redis");
        let options: Vec<String> = options.iter().map(|&option| option.into()).collect();
        let program = spawn(port, &options, &directory)?;
        Some(Self {
            program,
            port,
            options,
            directory,
        })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The path of its Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&mut self) {
        self.program.kill();
    }

    /// Ends it at once and starts another in its place, with nothing in it.
    pub fn restart(&mut self) {
        self.kill();
        self.start_again();
    }

    /// Starts another in the place of one that was ended.
    pub fn start_again(&mut self) {
        self.program =
            spawn(self.port, &self.options, &self.directory).expect("its port to be free");
    }

    /// Stops it (SIGSTOP): connections stay, nothing is answered.
    pub fn pause(&self) {
        self.program.stop();
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.program.signal("CONT");
    }

    /// The standard output of `redis-cli` with `arguments`.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(arguments)
            .output()
            .expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim_end().into()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// `None` where the server ends at once.
fn spawn(port: u16, options: &[String], directory: &Path) -> Option<Program> {
    let child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .args(["--unixsocket", "socket", "--loglevel", "warning"])
        .args(options)
        .current_dir(directory)
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server, which tests/run installs");
    // Ready when it takes connections, last on this socket, which is certainly its own.
    wait_for(Program(child), |_| {
        UnixStream::connect(directory.join("socket")).is_ok()
    })
}
