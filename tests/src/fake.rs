//! A Redis server whose answers a test decides.

use std::{
    fmt::Display,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// The answer that closes the connection.
pub const CLOSE: &str = "close";

/// A program that answers commands as a test tells it to.
pub struct Fake {
    /// The port that it listens on.
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Starts it on a free port. It ends with the test program. `answer` gets that port and a
    /// command.
    pub fn start(answer: impl Fn(u16, &str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answer, noted) = (Arc::new(answer), asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, noted) = (answer.clone(), noted.clone());
                thread::spawn(move || serve(stream, &noted, |command| answer(port, command)));
            }
        });
        Self { port, asked }
    }

    /// One that has all slots by its own account, and answers everything else with `answer`.
    pub fn master(answer: impl Fn(u16, &str) -> String + Send + Sync + 'static) -> Self {
        Self::start(move |port, command| match command {
            "CLUSTER SLOTS" => map(&[(0, 16383, "127.0.0.1", port)]),
            command => answer(port, command),
        })
    }

    /// The address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The number of commands that begin so, those without an answer yet included.
    pub fn count(&self, command: &str) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked
            .iter()
            .filter(|asked| asked.starts_with(command))
            .count()
    }
}

fn serve(
    stream: TcpStream,
    asked: &Mutex<Vec<String>>,
    answer: impl Fn(&str) -> String,
) -> io::Result<()> {
    let mut commands = BufReader::new(stream.try_clone()?);
    let mut answers = stream;
    loop {
        let mut words = Vec::new();
        for _ in 0..number(&mut commands)? {
            let mut word = vec![0; number(&mut commands)? + 2];
            commands.read_exact(&mut word)?;
            words.push(String::from_utf8_lossy(&word).trim_end().to_owned());
        }
        let command = words.join(" ");
        asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(command.clone());
        let answer = answer(&command);
        if answer == CLOSE {
            return Ok(());
        }
        answers.write_all(answer.as_bytes())?;
    }
}

/// The number in the next line, after its kind.
fn number(commands: &mut impl BufRead) -> io::Result<usize> {
    let mut line = String::new();
    commands.read_line(&mut line)?;
    let number = line
        .get(1..)
        .and_then(|number| number.trim_end().parse().ok());
    number.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// An answer to CLUSTER SLOTS: slots from and to, host and port of their master.
pub fn map(shards: &[(i64, i64, &str, u16)]) -> String {
    let shard = |(first, last, host, port): &(i64, i64, &str, u16)| {
        let node = format!("*3\r\n{}:{port}\r\n{}", bulk(host), bulk("id"));
        format!("*3\r\n:{first}\r\n:{last}\r\n{node}")
    };
    let shards: Vec<String> = shards.iter().map(shard).collect();
    format!("*{}\r\n{}", shards.len(), shards.concat())
}

fn bulk(text: impl Display) -> String {
    let text = text.to_string();
    format!("${}\r\n{text}\r\n", text.len())
}
