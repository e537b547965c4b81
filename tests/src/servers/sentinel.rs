use super::{Kind, Place, Program, RedisServer, Server};
use std::{
    fs,
    os::unix::net::UnixStream,
    process::{Command, Stdio},
};

/// One process of Redis Sentinel. Its options are lines of its configuration.
#[derive(Debug)]
pub enum RedisSentinel {}

impl Kind for RedisSentinel {
    const NAME: &'static str = "Redis Sentinel";

    fn spawn(place: &Place, options: &[String]) -> Option<Program> {
        let port = place.port.expect("a sentinel listens on a port");
        let mut lines = vec![
            format!("port {port}"),
            "bind 127.0.0.1".into(),
            "unixsocket socket".into(),
            "loglevel warning".into(),
        ];
        lines.extend_from_slice(options);
        // A sentinel rewrites its configuration.
        let path = place.directory.join("sentinel.conf");
        fs::write(&path, lines.join("\n")).expect("to write the configuration");
        let mut command = Command::new("redis-sentinel");
        command.arg(path).current_dir(&place.directory);
        command.stdin(Stdio::null());
        Program::start(&mut command, |_| {
            UnixStream::connect(place.socket()).is_ok()
        })
    }
}

/// Three sentinels that watch one master under the name `mymaster`.
#[derive(Debug)]
pub struct Sentinels(Vec<Server<RedisSentinel>>);

impl Sentinels {
    /// Starts them, with more lines of configuration such as `requirepass x`. They know each other
    /// and the replicas of the master when this returns.
    pub fn of(master: &RedisServer, replicas: usize, password: &str, options: &[&str]) -> Self {
        let watch = format!("sentinel monitor mymaster 127.0.0.1 {} 2", master.port());
        let mut lines = vec![
            watch.as_str(),
            "sentinel down-after-milliseconds mymaster 300",
            "sentinel failover-timeout mymaster 2000",
        ];
        lines.extend_from_slice(options);
        let sentinels = Self((0..3).map(|_| Server::with(&lines)).collect());
        for index in 0..3 {
            let known = |field: &str, count: usize| {
                let state = sentinels.cli(index, password, &["sentinel", "master", "mymaster"]);
                let mut lines = state.lines().map(str::trim);
                let found = lines.find(|line| *line == field).and_then(|_| lines.next());
                found == Some(count.to_string().as_str())
            };
            while !(known("num-other-sentinels", 2) && known("num-slaves", replicas)) {
                std::thread::yield_now();
            }
        }
        sentinels
    }

    /// The address of each.
    pub fn urls(&self) -> Vec<String> {
        let url = |port: u16| format!("redis://127.0.0.1:{port}");
        self.0.iter().map(|sentinel| url(sentinel.port())).collect()
    }

    /// The ports of all.
    pub fn ports(&self) -> Vec<u16> {
        self.0.iter().map(Server::port).collect()
    }

    /// Ends one at once.
    pub fn kill(&mut self, index: usize) {
        self.0[index].kill();
    }

    /// Stops one: connections stay, nothing is answered.
    pub fn pause(&self, index: usize) {
        self.0[index].pause();
    }

    /// The standard output of `redis-cli` at one of them.
    pub fn cli(&self, index: usize, password: &str, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.0[index].port().to_string()])
            .envs((!password.is_empty()).then_some(("REDISCLI_AUTH", password)))
            .args(arguments)
            .output()
            .expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim_end().into()
    }
}
