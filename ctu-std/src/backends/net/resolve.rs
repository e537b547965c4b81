//! Host names to addresses, within a deadline.

use super::Deadline;
use crate::per_process::PerProcess;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::Arc,
    thread,
};

/// The addresses of `host`, within `deadline`.
///
/// The system's resolver knows no deadline, so it runs in a thread of its own, which ends when the
/// resolver does. An IP address needs none of this.
pub(super) fn resolve(host: &str, port: u16, deadline: Deadline) -> io::Result<Vec<SocketAddr>> {
    static SYSTEM: Resolver = Resolver::new(|host| Ok((host, 0).to_socket_addrs()?.collect()));
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let mut addresses = SYSTEM.resolve(host, deadline)?;
    for address in &mut addresses {
        address.set_port(port);
    }
    Ok(addresses)
}

/// The addresses that a look-up found, without a port, or the kind of its error: errors themselves cannot
/// be shared.
type Found = Result<Vec<SocketAddr>, io::ErrorKind>;

/// Limit of the look-ups under way, each of which has a thread.
const MAX_THREADS: usize = 16;

/// Looks hosts up, each in one thread at a time: a resolver that hangs holds as many threads as there
/// are hosts and at most [`MAX_THREADS`], however many operations wait for it or gave up.
struct Resolver {
    look_up: fn(&str) -> io::Result<Vec<SocketAddr>>,
    under_way: PerProcess<Mutex<BTreeMap<String, Arc<LookUp>>>>,
    /// Notified when a thread ends.
    freed: Condvar,
}

/// One look-up, and its result after its end.
#[derive(Default)]
struct LookUp {
    found: Mutex<Option<Found>>,
    ended: Condvar,
}

impl Resolver {
    const fn new(look_up: fn(&str) -> io::Result<Vec<SocketAddr>>) -> Self {
        Self {
            look_up,
            under_way: PerProcess::new(),
            freed: Condvar::new(),
        }
    }

    /// The look-ups of this process: a forked child has none of its parent's threads.
    fn under_way(&self) -> MutexGuard<'_, BTreeMap<String, Arc<LookUp>>> {
        self.under_way.get(|_| ()).lock()
    }

    fn resolve(&'static self, host: &str, deadline: Deadline) -> io::Result<Vec<SocketAddr>> {
        let look_up = self.begin(host, deadline)?;
        let mut found = look_up.found.lock();
        loop {
            match &*found {
                Some(Ok(addresses)) => return Ok(addresses.clone()),
                Some(Err(io::ErrorKind::NotFound)) => {
                    return Err(io::Error::new(io::ErrorKind::NotFound, "no such host"));
                }
                Some(Err(kind)) => return Err((*kind).into()),
                None => {
                    let waited = look_up.ended.wait_until(&mut found, deadline.at());
                    if waited.timed_out() && found.is_none() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
            }
        }
    }

    /// The look-up of `host` that is under way, or a new one as soon as there is a thread for it.
    fn begin(&'static self, host: &str, deadline: Deadline) -> io::Result<Arc<LookUp>> {
        let mut under_way = self.under_way();
        loop {
            if let Some(look_up) = under_way.get(host) {
                return Ok(look_up.clone());
            }
            if under_way.len() < MAX_THREADS {
                break;
            }
            let waited = self.freed.wait_until(&mut under_way, deadline.at());
            if waited.timed_out() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        let look_up: Arc<LookUp> = Arc::default();
        let (host, ours) = (host.to_owned(), look_up.clone());
        let name = host.clone();
        thread::Builder::new()
            .name("ctu-resolve".into())
            .spawn(move || {
                let found = match (self.look_up)(&name) {
                    Ok(addresses) if addresses.is_empty() => Err(io::ErrorKind::NotFound),
                    Ok(addresses) => Ok(addresses),
                    // The system's own message repeats itself and names no host.
                    Err(error) if error.raw_os_error().is_none() => Err(io::ErrorKind::NotFound),
                    Err(error) => Err(error.kind()),
                };
                // Later callers start a look-up of their own: names move.
                self.under_way().remove(&name);
                self.freed.notify_all();
                *ours.found.lock() = Some(found);
                ours.ended.notify_all();
            })?;
        under_way.insert(host, look_up.clone());
        Ok(look_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::Ipv4Addr,
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
        time::Duration,
    };

    const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    fn within(time: Duration) -> Deadline {
        Deadline::after(time)
    }

    #[test]
    fn hanging_lookup_holds_one_thread_a_host() {
        static BEGUN: AtomicUsize = AtomicUsize::new(0);
        static HANG: Mutex<()> = Mutex::new(());
        static HANGING: Resolver = Resolver::new(|host| {
            BEGUN.fetch_add(usize::from(host == "a"), SeqCst);
            let _free = HANG.lock();
            Ok(vec![HERE])
        });
        let hang = HANG.lock();
        for host in ["a", "b", "a", "b", "a"] {
            let late = HANGING.resolve(host, within(Duration::from_millis(1)));
            assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert_eq!(HANGING.under_way().len(), 2);
        // A patient caller gets the result of the look-up that others gave up.
        thread::scope(|scope| {
            let patient = || HANGING.resolve("a", within(Duration::from_secs(60)));
            let waiting = [scope.spawn(patient), scope.spawn(patient)];
            while Arc::strong_count(&HANGING.under_way()["a"]) < 4 {
                thread::yield_now();
            }
            drop(hang);
            for one in waiting {
                let found = one.join().unwrap().unwrap();
                assert_eq!(found, [HERE]);
            }
        });
        assert_eq!(BEGUN.load(SeqCst), 1);
        // Later callers start a look-up of their own.
        HANGING
            .resolve("a", within(Duration::from_secs(60)))
            .unwrap();
        assert_eq!(BEGUN.load(SeqCst), 2);
    }

    #[test]
    fn look_ups_of_many_hosts_hold_a_bounded_number_of_threads() {
        static HANG: Mutex<()> = Mutex::new(());
        static HANGING: Resolver = Resolver::new(|_| {
            let _free = HANG.lock();
            Ok(vec![HERE])
        });
        let hang = HANG.lock();
        for host in 0..2 * MAX_THREADS {
            let late = HANGING.resolve(&host.to_string(), within(Duration::from_millis(1)));
            assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert_eq!(HANGING.under_way().len(), MAX_THREADS);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| HANGING.resolve("late", within(Duration::from_secs(60))));
            drop(hang);
            assert_eq!(waiting.join().unwrap().unwrap(), [HERE]);
        });
    }

    #[test]
    fn unknown_host_is_not_found() {
        static NOWHERE: Resolver = Resolver::new(|_| Ok(vec![]));
        let none = NOWHERE.resolve("a", within(Duration::from_secs(60)));
        assert_eq!(none.unwrap_err().to_string(), "no such host");
    }

    #[test]
    fn ip_address_needs_no_lookup() {
        let late = within(Duration::ZERO);
        let found = resolve("::1", 7, late).unwrap();
        assert_eq!(found, ["[::1]:7".parse().unwrap()]);
    }
}
