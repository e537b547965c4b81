use ctu_std::{Cache, CacheError, MemCachedError, NetError, RedisError};
use ctu_tests::servers::{Kind, Server};
use std::{
    fmt::Debug,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

/// A kind of server, a cache of bytes on it, and the messages between both.
pub(crate) trait Backend: Kind {
    /// The cache.
    type Cache: Cache<Key = [u8], Value = Vec<u8>, Error = Self::Error>
        + Clone
        + Send
        + Sync
        + 'static;
    /// Its error.
    type Error: CacheError + PartialEq + Send;

    /// The scheme of a URL.
    const SCHEME: &'static str;
    /// The default port.
    const PORT: u16;
    /// Options of a server that takes few clients, far less than 64.
    const FEW_CLIENTS: &'static [&'static str];
    /// Options of a server that takes two megabytes, and evicts nothing.
    const SMALL: &'static [&'static str];
    /// Options of a server that takes values of 64 MiB.
    const LARGE: &'static [&'static str];
    /// The answer to [`put_request`](Self::put_request).
    const PUT_ANSWER: &'static [u8];
    /// An answer that would do for some request.
    const UNASKED: &'static [u8];

    /// Bytes that a network adds to the replies under load, and that the cache has to find.
    const UNASKED_UNDER_LOAD: [&'static [u8]; 2] = [Self::UNASKED, Self::PUT_ANSWER];

    /// A cache on the server at `address`, without limits of its own.
    fn cache(address: &str, deadline: Duration, connections: usize) -> Self::Cache;

    /// A cache that waits long and reads no value of more than `max` bytes.
    fn limited(address: &str, max: usize) -> Self::Cache;

    /// Asserts that the server has `len` entries.
    fn assert_len(cache: &Self::Cache, len: usize) {
        assert_eq!(cache.len(), Ok(len));
    }

    /// How many connections the server has accepted.
    fn connections(cache: &Self::Cache) -> u64;

    /// Requests statistics of the server.
    fn ask(cache: &Self::Cache) -> Result<(), Self::Error>;

    /// Brings the server to where [`once`](Self::once) has something to do.
    fn before_once(cache: &Self::Cache) -> Result<(), Self::Error>;

    /// Runs an operation that must not be repeated.
    fn once(cache: &Self::Cache) -> Result<(), Self::Error>;

    /// Returns whether that operation took effect.
    fn was_done(cache: &Self::Cache) -> bool;

    /// The request that stores `value` at the key `a`.
    fn put_request(value: &[u8]) -> Vec<u8>;

    /// The answer to `get` of the key `a` with the value `value`.
    fn get_answer(value: &[u8]) -> Vec<u8>;

    /// The answer to `get_many` of `a`, `x` and `b`, with the values `1` of `a` and `2` of `b`.
    fn get_many_answer() -> Vec<u8>;

    /// The start of a very long answer to `get` of the key `a`.
    fn endless() -> Vec<u8>;

    /// Other valid answers, and operations that receive and check them.
    fn answered() -> Vec<(Vec<u8>, Operation<Self>)>;

    /// Answers to `get` of the key `a` that such a server does not give.
    fn garbage() -> Vec<Vec<u8>>;

    /// Fragments of answers.
    fn parts() -> Vec<Vec<u8>>;
}

/// Something to do with a cache of `B`.
pub(crate) type Operation<B> = fn(&<B as Backend>::Cache) -> Result<(), <B as Backend>::Error>;

/// The address of a server on this machine.
pub(crate) fn address<B: Backend>(port: u16) -> String {
    format!("{}://127.0.0.1:{port}", B::SCHEME)
}

/// A cache that waits long.
pub(crate) fn long_deadline<B: Backend>(port: u16) -> B::Cache {
    B::cache(&address::<B>(port), Duration::from_secs(60), 16)
}

/// A cache that gives up soon, for servers that do not answer.
pub(crate) fn short_deadline<B: Backend>(port: u16, connections: usize) -> B::Cache {
    let soon = Duration::from_millis(50);
    B::cache(&address::<B>(port), soon, connections)
}

/// A server, and a cache on it that waits long.
pub(crate) fn with_server<B: Backend>() -> (Server<B>, B::Cache) {
    let server = Server::start();
    let cache = long_deadline::<B>(server.port());
    (server, cache)
}

/// Returns the error of the network in a result, if it is one.
///
/// # Panics
/// If the error is of another kind, or its message has more than one line.
pub(crate) fn net<T, E: CacheError>(done: Result<T, E>) -> Result<T, NetError> {
    done.map_err(|error| {
        let told = net_of(&error).unwrap_or_else(|| panic!("{error:?}"));
        assert_eq!(shown(&error), told.to_string());
        let is_overload = matches!(told, NetError::PoolTimedOut { .. });
        assert_eq!(error.is_overload(), is_overload, "{error}");
        assert_eq!(error.is_outage(), !is_overload, "{error}");
        told.clone()
    })
}

/// The error of the network within an error of a backend.
fn net_of<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e NetError> {
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(RedisError::Net(net)), _) | (_, Some(MemCachedError::Net(net))) => Some(net),
        _ => None,
    }
}

/// The message of an error, which is one line.
pub(crate) fn shown(error: &impl CacheError) -> String {
    let shown = error.to_string();
    assert!(!shown.contains('\n'), "{shown}");
    shown
}

/// Asserts that the operation timed out. The message shows any other result.
pub(crate) fn assert_late<T: Debug, E: CacheError>(done: Result<T, E>) {
    let done = net(done);
    assert!(matches!(done, Err(NetError::TimedOut { .. })), "{done:?}");
}

/// A path for a socket that no other test uses: tests of the forms of a backend run at the same time.
pub(crate) fn socket_path(purpose: &str) -> PathBuf {
    static PATHS: AtomicU32 = AtomicU32::new(0);
    let number = PATHS.fetch_add(1, Relaxed);
    std::env::temp_dir().join(format!("ctu-{purpose}-{}-{number}", std::process::id()))
}
