//! Real servers for tests: each a child process on a free port of its own, ended with the test.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

/// A Redis server with nothing in it, that keeps nothing.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
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
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ctu-redis-{}-{count}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory for the server");
        let options: Vec<String> = options.iter().map(|&option| option.into()).collect();
        let child = spawn(port, &options, &directory)?;
        Some(Self {
            child,
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
        self.child.kill().expect("to kill the server");
        self.child.wait().expect("the server to end");
    }

    /// Ends it at once and starts another in its place, with nothing in it.
    pub fn restart(&mut self) {
        self.kill();
        self.start_again();
    }

    /// Starts another in the place of one that was ended.
    pub fn start_again(&mut self) {
        self.child = spawn(self.port, &self.options, &self.directory).expect("its port to be free");
    }

    /// Stops it (SIGSTOP): connections stay, nothing is answered.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal("CONT");
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

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(status.expect("kill").success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// `None` where the server ends at once.
fn spawn(port: u16, options: &[String], directory: &Path) -> Option<Child> {
    let mut child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .args(["--unixsocket", "socket", "--loglevel", "warning"])
        .args(options)
        .current_dir(directory)
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server, which tests/run installs");
    // Ready when it takes connections, last on this socket, which is certainly its own.
    while UnixStream::connect(directory.join("socket")).is_err() {
        if child.try_wait().expect("the server").is_some() {
            return None;
        }
        thread::yield_now();
    }
    Some(child)
}

/// A program that answers every connection with the same bytes, whatever it is asked, and closes it.
#[derive(Debug)]
pub struct Parrot {
    port: u16,
}

impl Parrot {
    /// Starts it on a free port. It ends with the test program.
    pub fn start(answer: impl Into<Vec<u8>>) -> io::Result<Self> {
        let answer = answer.into();
        Self::serve(move |mut stream| {
            let _ = stream.write_all(&answer);
        })
    }

    /// The same, but after its answer it goes on with a zero byte every few milliseconds.
    pub fn dribbling(answer: impl Into<Vec<u8>>) -> io::Result<Self> {
        let answer = answer.into();
        Self::serve(move |mut stream| {
            let mut sent = stream.write_all(&answer);
            while sent.is_ok() {
                thread::sleep(Duration::from_millis(5));
                sent = stream.write_all(&[0]);
            }
        })
    }

    fn serve(answer: impl Fn(TcpStream) + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut asked = [0; 4096];
                if stream.read(&mut asked).is_ok_and(|read| read > 0) {
                    answer(stream);
                }
            }
        });
        Ok(Self { port })
    }

    /// Its address, as of a Redis server.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
