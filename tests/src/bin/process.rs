//! A program of its own, for faults that concern a whole process: `fork` and signals.
//!
//! `process fork ADDRESS`, `process fork-with-threads ADDRESS`, `process fork-given ADDRESS`,
//! `process fork-client ADDRESS` and `process sigpipe SCHEME SOCKET`. It succeeds if the caches do.

use ctu_std::{Cache, CacheError, MemCached, RedisCache};
use std::{
    os::unix::net::UnixListener,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(10);
/// A value that no buffer of a socket takes as a whole.
const LARGE: usize = 16 << 20;

/// A cache of bytes of any kind.
trait Bytes: Send + Sync {
    fn insert_entry(&self, key: &[u8], value: &[u8]) -> Result<(), String>;
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, String>;
}

impl<C> Bytes for C
where
    C: Cache<Key = [u8], Value = Vec<u8>, Error: CacheError> + Send + Sync,
{
    fn insert_entry(&self, key: &[u8], value: &[u8]) -> Result<(), String> {
        Cache::insert_entry(self, key, value.to_vec(), None).map_err(|error| error.to_string())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Cache::get(self, key).map_err(|error| error.to_string())
    }
}

fn cache(address: &str) -> Box<dyn Bytes> {
    if address.starts_with("redis://") || address.starts_with("unix://") {
        let builder = RedisCache::builder(address).deadline(PATIENCE).raw();
        return Box::new(builder.build().expect("an address"));
    }
    let builder = MemCached::builder(address)
        .deadline(PATIENCE)
        .max_item(2 * LARGE);
    Box::new(builder.raw().build().expect("an address"))
}

/// Writes and reads values that no other process has.
fn works(cache: &dyn Bytes, rounds: usize) -> Result<(), String> {
    let own = std::process::id();
    for round in 0..rounds {
        let (key, value) = (format!("{own}-{round}"), format!("{own} {round}").repeat(9));
        cache.insert_entry(key.as_bytes(), value.as_bytes())?;
        let found = cache.get(key.as_bytes())?;
        if found.as_deref() != Some(value.as_bytes()) {
            return Err(format!("{key} is {found:?}"));
        }
    }
    Ok(())
}

/// Runs `child` in a forked process and `parent` in this one, at the same time.
fn forked(
    child: impl FnOnce() -> Result<(), String>,
    parent: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let tell = |done: &Result<(), String>| match done {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            1
        }
    };
    // SAFETY: the child uses memory, its own connections and standard error, and ends without the
    // destructors of the parent's threads.
    match unsafe { libc::fork() } {
        0 => unsafe {
            // A child that hangs is ended, which is a failure.
            libc::alarm(30);
            libc::_exit(tell(&child()))
        },
        id => {
            let done = parent();
            let mut status = 0;
            // SAFETY: `status` is valid for writes.
            unsafe { libc::waitpid(id, &mut status, 0) };
            done?;
            match status {
                0 => Ok(()),
                status => Err(format!("the child ended with status {status}")),
            }
        }
    }
}

fn fork(address: &str) -> Result<(), String> {
    let cache = cache(address);
    works(&*cache, 1)?;
    for _ in 0..50 {
        forked(|| works(&*cache, 50), || works(&*cache, 50))?;
    }
    Ok(())
}

/// The same, while other threads of the parent use the cache, from its first use on.
fn fork_with_threads(address: &str) -> Result<(), String> {
    (0..10).try_for_each(|_| fork_beside_threads(&*cache(address)))
}

fn fork_beside_threads(cache: &dyn Bytes) -> Result<(), String> {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !ended.load(Relaxed) {
                    cache.insert_entry(b"busy", b"busy").expect("the server");
                }
            });
        }
        let mut done = Ok(());
        for _ in 0..5 {
            done = done.and_then(|()| forked(|| works(cache, 5), || works(cache, 5)));
        }
        ended.store(true, Relaxed);
        done
    })
}

/// A connection that was given belongs to the process that gave it.
fn fork_given(address: &str) -> Result<(), String> {
    let client = redis::Client::open(address).map_err(|error| error.to_string())?;
    let connection = client.get_connection().map_err(|error| error.to_string())?;
    let cache = RedisCache::from_connection(connection).raw().build();
    refused_in_a_child(&cache.map_err(|error| error.to_string())?)
}

/// The same, of the connections of a `memcache::Client`.
fn fork_client(address: &str) -> Result<(), String> {
    let client = memcache::connect(address).map_err(|error| error.to_string())?;
    let cache = MemCached::from_connection(client).raw().build();
    refused_in_a_child(&cache.map_err(|error| error.to_string())?)
}

/// A forked child gets an error from `cache`, and its parent goes on.
fn refused_in_a_child<C>(cache: &C) -> Result<(), String>
where
    C: Cache<Key = [u8], Value = Vec<u8>, Error: CacheError> + Send + Sync,
{
    works(cache, 1)?;
    let refused = || match Cache::get(cache, b"a") {
        Err(error) if error.is_outage() => Ok(()),
        other => Err(format!("a child used the connection: {other:?}")),
    };
    forked(refused, || works(cache, 50))
}

/// Writes to a peer that closes each connection, by the signals of a program that is not Rust's.
fn sigpipe(scheme: &str, socket: &str) -> Result<(), String> {
    // SAFETY: no handler is installed.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let listener = UnixListener::bind(socket).map_err(|error| error.to_string())?;
    thread::spawn(move || listener.incoming().for_each(drop));
    let address = match scheme {
        "redis" => format!("unix://{socket}"),
        _ => socket.to_owned(),
    };
    match cache(&address).insert_entry(b"a", &vec![b'x'; LARGE]) {
        Err(error) if error.contains("lost") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *arguments {
        ["fork", address] => fork(address),
        ["fork-with-threads", address] => fork_with_threads(address),
        ["fork-given", address] => fork_given(address),
        ["fork-client", address] => fork_client(address),
        ["sigpipe", scheme, socket] => sigpipe(scheme, socket),
        _ => Err("unknown arguments".to_owned()),
    };
    if let Err(error) = done {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
