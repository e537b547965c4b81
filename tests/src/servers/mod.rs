//! Real servers for tests: each a child process on a free port of its own, ended with the test.

mod canned;
#[cfg(feature = "tls")]
mod certificate;
mod cluster;
mod memcached;
mod nutcracker;
mod program;
mod redis;
mod sentinel;

#[cfg(feature = "tls")]
pub use self::certificate::Certificate;
pub use self::{
    canned::CannedServer,
    cluster::RedisCluster,
    memcached::{AsyncMemcached, MemcacheClient, Memcached, MemcachedServer},
    nutcracker::Nutcracker,
    redis::{AsyncRedis, Redis, RedisServer},
    sentinel::{RedisSentinel, Sentinels},
};
use ctu_std::test_util::FaultProxy;
use program::Program;
use std::{
    fs,
    marker::PhantomData,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// A kind of server.
pub trait Kind: Sized {
    /// The name of the program.
    const NAME: &'static str;

    /// Starts a server and waits until it is ready; `None` if it ends before that.
    #[doc(hidden)]
    fn spawn(place: &Place, options: &[String]) -> Option<Program>;
}

/// The addresses of a server.
#[doc(hidden)]
#[derive(Debug)]
pub struct Place {
    /// `None` for a server on a socket only.
    port: Option<u16>,
    directory: PathBuf,
}

impl Place {
    fn new(port: Option<u16>, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ctu-{name}-{}-{count}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory for the server");
        Self { port, directory }
    }

    /// The path of the Unix socket, for a server with one.
    fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// An empty server without persistence.
#[derive(Debug)]
pub struct Server<K> {
    // Dropped before its directory.
    program: Program,
    place: Place,
    options: Vec<String>,
    kind: PhantomData<K>,
}

impl<K: Kind> Server<K> {
    /// Starts a server on a free port.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server with more options, such as `["--maxmemory", "2mb"]`.
    pub fn with(options: &[&str]) -> Self {
        // Another program may take the free port first.
        (0..20)
            .find_map(|_| Self::on(free_port(), options))
            .unwrap_or_else(|| panic!("{} to start", K::NAME))
    }

    /// Starts a server on `port`; `None` if it ends at once, for example on a taken port.
    pub fn on(port: u16, options: &[&str]) -> Option<Self> {
        Self::at(Place::new(Some(port), K::NAME), options)
    }

    fn at(place: Place, options: &[&str]) -> Option<Self> {
        let options: Vec<String> = options.iter().map(|&option| option.into()).collect();
        Some(Self {
            program: K::spawn(&place, &options)?,
            place,
            options,
            kind: PhantomData,
        })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.place.port.expect("a server that listens on a port")
    }

    /// Its address on this machine.
    pub fn socket_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port()).into()
    }

    /// A network before it that fails on command.
    pub fn proxy(&self) -> FaultProxy {
        FaultProxy::new(self.socket_address()).expect("a free port")
    }

    /// Kills it (SIGKILL).
    pub fn kill(&mut self) {
        self.program.kill();
    }

    /// Kills it and starts an empty server in its place.
    pub fn restart(&mut self) {
        self.kill();
        self.start_again();
    }

    /// Starts a server in the place of a killed one.
    pub fn start_again(&mut self) {
        self.program = K::spawn(&self.place, &self.options).expect("its port to be free");
    }

    /// Stops it (SIGSTOP): connections stay open, without replies.
    pub fn pause(&self) {
        self.program.stop();
    }

    /// Continues it after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.program.go_on();
    }
}

/// A free port.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
