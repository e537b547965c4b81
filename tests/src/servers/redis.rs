use super::{Kind, Place, Program, Server};
use std::{os::unix::net::UnixStream, path::PathBuf, process::Command};

/// Redis.
#[derive(Debug)]
pub enum Redis {}

/// Redis, for an async cache.
#[derive(Debug)]
pub enum AsyncRedis {}

impl Kind for AsyncRedis {
    const NAME: &'static str = Redis::NAME;

    fn spawn(place: &Place, options: &[String]) -> Option<Program> {
        Redis::spawn(place, options)
    }
}

/// An empty Redis server without persistence.
pub type RedisServer = Server<Redis>;

impl Kind for Redis {
    const NAME: &'static str = "Redis";

    fn spawn(place: &Place, options: &[String]) -> Option<Program> {
        let port = place
            .port
            .expect("Redis listens on a port, too")
            .to_string();
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &port, "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(["--unixsocket", "socket", "--loglevel", "warning"])
            .args(options)
            .current_dir(&place.directory);
        // Ready when it accepts connections on this socket, which no other program uses.
        Program::start(&mut command, |_| {
            UnixStream::connect(place.socket()).is_ok()
        })
    }
}

impl RedisServer {
    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// The path of its Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.place.socket()
    }

    /// The standard output of `redis-cli` with `arguments`.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port().to_string()])
            .args(arguments)
            .output()
            .expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim_end().into()
    }
}
