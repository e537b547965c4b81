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

/// A child process, ended when it is dropped.
#[derive(Debug)]
struct Program(Child);

impl Program {
    fn kill(&mut self) {
        self.0.kill().expect("to kill the server");
        self.0.wait().expect("the server to end");
    }

    fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let status = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(status.expect("kill").success());
    }

    /// Stops it, all of its threads, when this returns.
    fn stop(&self) {
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
fn directory(kind: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("ctu-{kind}-{}-{count}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory).expect("a directory for the server");
    directory
}

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

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
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

/// Waits until the server is ready; `None` where it ends before that.
fn wait_for(mut program: Program, ready: impl Fn(&Program) -> bool) -> Option<Program> {
    while !ready(&program) {
        if program.0.try_wait().expect("the server").is_some() {
            return None;
        }
        thread::yield_now();
    }
    Some(program)
}

/// A Memcached server with nothing in it.
#[derive(Debug)]
pub struct MemcachedServer {
    program: Program,
    at: Place,
    options: Vec<String>,
}

/// Where a [`MemcachedServer`] listens: it cannot do both.
#[derive(Debug)]
enum Place {
    Port(u16),
    Directory(PathBuf),
}

impl MemcachedServer {
    /// Starts one on a free port.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with more options, such as `["-m", "8"]`.
    pub fn with(options: &[&str]) -> Self {
        // Another program may be quicker to take a port that was free.
        (0..20)
            .find_map(|_| Self::on(free_port(), options))
            .expect("memcached to start")
    }

    /// Starts one on `port`; `None` where it ends at once, as where the port is taken.
    pub fn on(port: u16, options: &[&str]) -> Option<Self> {
        Self::at(Place::Port(port), options)
    }

    /// Starts one on a Unix socket.
    pub fn on_socket() -> Self {
        let place = Place::Directory(directory("memcached"));
        Self::at(place, &[]).expect("memcached to start")
    }

    fn at(at: Place, options: &[&str]) -> Option<Self> {
        let options: Vec<String> = options.iter().map(|&option| option.into()).collect();
        Some(Self {
            program: memcached(&at, &options)?,
            at,
            options,
        })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        match self.at {
            Place::Port(port) => port,
            Place::Directory(_) => panic!("it listens on a socket"),
        }
    }

    /// Its address.
    pub fn address(&self) -> String {
        match &self.at {
            Place::Port(port) => format!("127.0.0.1:{port}"),
            Place::Directory(directory) => directory.join("socket").display().to_string(),
        }
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
        self.program = memcached(&self.at, &self.options).expect("its port to be free");
    }

    /// Stops it (SIGSTOP): connections stay, nothing is answered.
    pub fn pause(&self) {
        self.program.stop();
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.program.signal("CONT");
    }

    /// What it answers to `request`, to a client that says no more.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Vec<u8> {
        let mut answer = ask(&self.at, request.as_ref()).expect("an answer");
        answer.truncate(answer.len() - b"MN\r\n".len());
        answer
    }

    /// The same, as text.
    pub fn ask_text(&self, request: &str) -> String {
        String::from_utf8_lossy(&self.ask(request)).into_owned()
    }
}

impl Drop for MemcachedServer {
    fn drop(&mut self) {
        if let Place::Directory(directory) = &self.at {
            let _ = fs::remove_dir_all(directory);
        }
    }
}

/// What a Memcached answers to `request`, and `MN` after it.
fn ask(at: &Place, request: &[u8]) -> io::Result<Vec<u8>> {
    fn talk(mut stream: impl Read + Write, request: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(&[request, b"mn\r\n"].concat())?;
        let (mut answer, mut piece) = (Vec::new(), vec![0; 1 << 16]);
        while !answer.ends_with(b"MN\r\n") {
            match stream.read(&mut piece)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => answer.extend_from_slice(&piece[..len]),
            }
        }
        Ok(answer)
    }
    match at {
        Place::Port(port) => talk(TcpStream::connect((Ipv4Addr::LOCALHOST, *port))?, request),
        Place::Directory(path) => talk(UnixStream::connect(path.join("socket"))?, request),
    }
}

/// `None` where the server ends at once.
fn memcached(at: &Place, options: &[String]) -> Option<Program> {
    let mut command = Command::new("memcached");
    match at {
        Place::Port(port) => command.args(["-l", "127.0.0.1", "-U", "0", "-p", &port.to_string()]),
        Place::Directory(path) => {
            let socket = path.join("socket");
            let _ = fs::remove_file(&socket);
            command.arg("-s").arg(socket)
        }
    };
    let child = command
        // Which it asks for where it is run by root.
        .args(["-u", "root", "-t", "2"])
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("memcached, which tests/run installs");
    // Ready when it answers, if it is itself who does.
    wait_for(Program(child), |program| {
        let own = format!("STAT pid {}\r\n", program.0.id());
        ask(at, b"stats\r\n").is_ok_and(|answer| answer.starts_with(own.as_bytes()))
    })
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

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}
