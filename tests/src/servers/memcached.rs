use super::{Kind, Place, Program, Server};
use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
    os::unix::net::UnixStream,
    process::{Command, Stdio},
};

/// Memcached.
#[derive(Debug)]
pub enum Memcached {}

/// Memcached, for a cache on a client of the crate `memcache`: in the text protocol or the binary.
#[derive(Debug)]
pub enum MemcacheClient<const TEXT: bool> {}

impl<const TEXT: bool> Kind for MemcacheClient<TEXT> {
    const NAME: &'static str = Memcached::NAME;

    fn spawn(place: &Place, options: &[String]) -> Option<Program> {
        Memcached::spawn(place, options)
    }
}

/// Memcached, for an async cache.
#[derive(Debug)]
pub enum AsyncMemcached {}

impl Kind for AsyncMemcached {
    const NAME: &'static str = Memcached::NAME;

    fn spawn(place: &Place, options: &[String]) -> Option<Program> {
        Memcached::spawn(place, options)
    }
}

/// An empty Memcached server. It listens on a port or on a socket, not on both.
pub type MemcachedServer = Server<Memcached>;

impl Kind for Memcached {
    const NAME: &'static str = "Memcached";

    fn spawn(place: &Place, options: &[String]) -> Option<Program> {
        let mut command = Command::new("memcached");
        match place.port {
            Some(port) => {
                // A TLS server still accepts plain connections on this port.
                let plain = match options.iter().any(|option| option == "-Z") {
                    true => "notls:127.0.0.1",
                    false => "127.0.0.1",
                };
                command.args(["-l", plain, "-U", "0", "-p", &port.to_string()])
            }
            None => {
                let _ = fs::remove_file(place.socket());
                command.arg("-s").arg(place.socket())
            }
        };
        command
            // Memcached demands a user name if root starts it.
            .args(["-u", "root", "-t", "2"])
            .args(options)
            .stderr(Stdio::null());
        // Ready when it answers with its own process id.
        Program::start(&mut command, |program| {
            let own = format!("STAT pid {}\r\n", program.id());
            ask(place, b"stats\r\n").is_ok_and(|answer| answer.starts_with(own.as_bytes()))
        })
    }
}

impl MemcachedServer {
    /// Starts a server on a Unix socket.
    pub fn on_socket() -> Self {
        Self::at(Place::new(None, Memcached::NAME), &[]).expect("Memcached to start")
    }

    /// Its address.
    pub fn address(&self) -> String {
        match self.place.port {
            Some(port) => format!("127.0.0.1:{port}"),
            None => self.place.socket().display().to_string(),
        }
    }

    /// The reply to `request`, read to its end.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Vec<u8> {
        let mut answer = ask(&self.place, request.as_ref()).expect("an answer");
        answer.truncate(answer.len() - b"MN\r\n".len());
        answer
    }

    /// The same, as text.
    pub fn ask_text(&self, request: &str) -> String {
        String::from_utf8_lossy(&self.ask(request)).into_owned()
    }
}

/// The reply of a Memcached to `request`, up to the `MN` after it.
fn ask(place: &Place, request: &[u8]) -> io::Result<Vec<u8>> {
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
    match place.port {
        Some(port) => talk(TcpStream::connect((Ipv4Addr::LOCALHOST, port))?, request),
        None => talk(UnixStream::connect(place.socket())?, request),
    }
}
