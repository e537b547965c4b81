//! A Redis server for examples: one that the program starts, stops and continues, or one that runs already.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
    time::Duration,
};

/// A Redis server.
pub(crate) struct Redis {
    url: String,
    /// The server that the program started, and which ends with it.
    child: Option<(u16, Child)>,
    stopped: AtomicBool,
}

impl Redis {
    /// A server that runs already.
    pub(crate) fn at(url: String) -> Self {
        Self {
            url,
            child: None,
            stopped: AtomicBool::new(false),
        }
    }

    /// Starts a server without persistence on a free port of the loopback address.
    ///
    /// # Errors
    /// The server is not installed, or does not start.
    pub(crate) fn start() -> Result<Self, String> {
        // Another program may take the free port first.
        for _ in 0..10 {
            let port = free_port().map_err(|error| format!("no free port: {error}"))?;
            let mut redis = Self::at(format!("redis://127.0.0.1:{port}"));
            redis.child = Some((port, spawn(port)?));
            if redis.accepts().map_err(|error| error.to_string())? {
                return Ok(redis);
            }
        }
        Err("redis-server ends at its start".into())
    }

    /// Waits until the server accepts connections. Returns whether it does: false if it has ended.
    fn accepts(&mut self) -> io::Result<bool> {
        while let Some((port, child)) = &mut self.child {
            if child.try_wait()?.is_some() {
                return Ok(false);
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok() {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(true)
    }

    /// The address of the server.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The port of the server if the program started it, and so may stop it.
    pub(crate) fn own_port(&self) -> Option<u16> {
        self.child.as_ref().map(|(port, _)| *port)
    }

    /// Whether the server is stopped by [`stop`](Self::stop).
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(SeqCst)
    }

    /// Stops the server (SIGSTOP): its connections stay open, and no request is answered.
    ///
    /// # Errors
    /// The server is not of this program, or has ended.
    pub(crate) fn stop(&self) -> Result<(), String> {
        self.signal(Signal::STOP)?;
        self.stopped.store(true, SeqCst);
        Ok(())
    }

    /// Continues the server (SIGCONT).
    ///
    /// # Errors
    /// Those of [`stop`](Self::stop).
    pub(crate) fn resume(&self) -> Result<(), String> {
        self.signal(Signal::CONT)?;
        self.stopped.store(false, SeqCst);
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        let Some((_, child)) = &self.child else {
            return Err("this Redis server is not of this program".into());
        };
        // The child is not waited for before the drop, so the number is not that of another process.
        let sent = kill_process(Pid::from_child(child), signal);
        sent.map_err(|error| format!("Redis: {error}"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some((_, child)) = &mut self.child {
            // Also ends a stopped process.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn spawn(port: u16) -> Result<Child, String> {
    let child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C at the terminal goes to the program alone, which ends the server last.
        .process_group(0)
        .spawn();
    child.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            "redis-server is not installed; this program starts one of its own".into()
        }
        _ => format!("redis-server: {error}"),
    })
}
