use super::{
    free_port,
    program::{Program, directory, wait_for},
};
use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Command, Stdio},
};

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
