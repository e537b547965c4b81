use super::{Place, Program, free_port};
use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    process::{Command, Stdio},
};

/// twemproxy before several servers on this machine.
#[derive(Debug)]
pub struct Nutcracker {
    // Ended before its directory is removed.
    _program: Program,
    _place: Place,
    port: u16,
}

impl Nutcracker {
    /// Starts one before Memcached servers at these ports.
    pub fn before_memcached(servers: &[u16]) -> Self {
        Self::start(servers, false)
    }

    /// Starts one before Redis servers at these ports.
    pub fn before_redis(servers: &[u16]) -> Self {
        Self::start(servers, true)
    }

    fn start(servers: &[u16], redis: bool) -> Self {
        // Another program may be quicker to take a port that was free.
        (0..20)
            .find_map(|_| Self::on(free_port(), servers, redis))
            .expect("nutcracker to start")
    }

    fn on(port: u16, servers: &[u16], redis: bool) -> Option<Self> {
        let place = Place::new(Some(port), "nutcracker");
        let mut settings = format!(
            "ctu:\n  listen: 127.0.0.1:{port}\n  hash: fnv1a_64\n  distribution: ketama\n  \
             redis: {redis}\n  servers:\n"
        );
        for server in servers {
            settings += &format!("   - 127.0.0.1:{server}:1\n");
        }
        fs::write(place.directory.join("settings.yml"), settings).expect("its settings");
        let mut command = Command::new("nutcracker");
        command
            .args(["-c", "settings.yml", "-a", "127.0.0.1", "-s"])
            .arg(free_port().to_string())
            .stderr(Stdio::null())
            .current_dir(&place.directory);
        let program = Program::start(&mut command, |_| {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        })?;
        Some(Self {
            _program: program,
            _place: place,
            port,
        })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}
