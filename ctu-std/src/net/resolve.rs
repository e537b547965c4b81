use super::Deadline;
use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::mpsc,
    thread,
};

/// The addresses of `host`, within `deadline`.
///
/// The system's resolver knows no deadline, so it runs in a thread of its own, which ends when the
/// resolver does. An IP address needs none of this.
pub(super) fn resolve(host: &str, port: u16, deadline: Deadline) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (answer, answers) = mpsc::sync_channel(1);
    let name = host.to_owned();
    thread::Builder::new()
        .name("ctu-resolve".into())
        .spawn(move || {
            let found = (name.as_str(), port).to_socket_addrs();
            // Nobody listens any more when the deadline came first.
            let _ = answer.send(found.map(Iterator::collect::<Vec<_>>));
        })?;
    let left = deadline.remaining().ok_or(io::ErrorKind::TimedOut)?;
    match answers.recv_timeout(left) {
        Ok(Ok(addresses)) if addresses.is_empty() => {
            Err(io::Error::new(io::ErrorKind::NotFound, "no such host"))
        }
        // The system's own message repeats itself and names no host.
        Ok(Err(error)) if error.raw_os_error().is_none() => {
            Err(io::Error::new(io::ErrorKind::NotFound, "no such host"))
        }
        Ok(answer) => answer,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
