//! A client of the crate `memcache` in place of a connection pool of this crate.

use super::{
    MemCachedError,
    commands::{Commands, Entry, MAX_READ, chunks},
    error::peer,
    requests::Stored,
    ttl::{self, Expiry},
};
use crate::backends::net::{Deadline, NetError};
use ctu_core::Error;
use memcache::{Client, ClientError, CommandError, MemcacheError, ServerError, ToMemcacheValue};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    io::{self, Write},
    process, str,
    sync::Arc,
    time::{Duration, Instant},
};

/// The message of the crate's pool when no connection became free in time and none failed to open.
const POOL_TIMED_OUT: &str = "timed out waiting for connection";
/// A status of the binary protocol: out of memory.
const OUT_OF_MEMORY: u16 = 0x82;

/// A client of the crate `memcache`, with its own servers, pools and timeouts.
///
/// The crate's `add` and `stats` are not used: in its text protocol the first discards the server's
/// reply, and the second leaves most of the reply unread on the connection.
#[derive(Clone)]
pub(super) struct External {
    client: Client,
    label: Arc<str>,
    /// The process of the connections. A forked child would read the replies to its parent.
    process: u32,
}

impl External {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            label: "a memcache::Client".into(),
            process: process::id(),
        }
    }

    /// Runs one operation of the client. Its deadline is the client's own.
    fn run<T>(
        &self,
        operation: impl FnOnce(&Client) -> Result<T, MemcacheError>,
    ) -> Result<T, MemCachedError> {
        if self.process != process::id() {
            let inherited = NetError::Unreachable {
                server: peer(&self.label),
                kind: io::ErrorKind::NotConnected,
                why: "its connections belong to another process".into(),
            };
            return Err(inherited.into());
        }
        let start = Instant::now();
        operation(&self.client).map_err(|error| self.error(&error, start.elapsed()))
    }

    /// The error of an operation that failed `after` this time.
    fn error(&self, error: &MemcacheError, after: Duration) -> MemCachedError {
        let server = peer(&self.label);
        match error {
            MemcacheError::IOError(error) => {
                let kind = match error.kind() {
                    // The error of a read timeout on a blocking socket.
                    io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut,
                    kind => kind,
                };
                MemCachedError::talking(&self.label, after, &kind.into())
            }
            MemcacheError::PoolError(error) if error.to_string() == POOL_TIMED_OUT => {
                NetError::PoolTimedOut {
                    server,
                    size: None,
                    after,
                }
                .into()
            }
            MemcacheError::PoolError(error) => NetError::Unreachable {
                server,
                kind: io::ErrorKind::NotConnected,
                why: crate::backends::net::one_line(&error.to_string()),
            }
            .into(),
            // The end of the connection within a line.
            MemcacheError::ClientError(ClientError::Error(text))
                if text.ends_with("no line found") =>
            {
                let kind = io::ErrorKind::UnexpectedEof;
                NetError::Lost { server, kind }.into()
            }
            MemcacheError::ClientError(ClientError::Error(text)) => self.reported(text),
            MemcacheError::ServerError(ServerError::Error(text)) => self.reported(text),
            MemcacheError::CommandError(error) => self.refused(error),
            _ => self.malformed(),
        }
    }

    /// The error of a reply of the text protocol.
    fn reported(&self, line: &str) -> MemCachedError {
        let reported = MemCachedError::reported(&self.label, line.trim_end().as_bytes());
        reported.unwrap_or_else(|| self.malformed())
    }

    /// The error of a status of the binary protocol.
    fn refused(&self, error: &CommandError) -> MemCachedError {
        let server = self.label.clone();
        match error {
            CommandError::ValueTooLarge => MemCachedError::TooLarge { server },
            CommandError::Unknown(OUT_OF_MEMORY) => MemCachedError::OutOfMemory { server },
            // Busy, and a temporary failure.
            CommandError::Unknown(0x85 | 0x86) => MemCachedError::NotReady {
                server,
                message: error.to_string(),
            },
            _ => MemCachedError::Server {
                server,
                message: error.to_string(),
            },
        }
    }

    fn malformed(&self) -> MemCachedError {
        MemCachedError::protocol(&self.label, "its answer makes no sense")
    }
}

impl Commands for External {
    /// The client distributes keys over its servers itself.
    fn name(&self) -> &str {
        ""
    }

    fn label(&self) -> &Arc<str> {
        &self.label
    }

    fn get_many(&self, keys: &[&[u8]], _: Deadline) -> Result<Vec<Option<Stored>>, MemCachedError> {
        let mut all = Vec::with_capacity(keys.len());
        for keys in chunks(keys, |key| key.len() + 1, MAX_READ, usize::MAX) {
            let keys: Vec<&str> = keys.iter().map(|key| text(key)).collect::<Result<_, _>>()?;
            // The replies of this command alone name their keys in both protocols: a late reply on
            // a pooled connection is never taken for the value of another key.
            let mut found: HashMap<String, Stored> = self.run(|client| client.gets(&keys))?;
            let asked: HashSet<&str> = keys.iter().copied().collect();
            if found.keys().any(|key| !asked.contains(&**key)) {
                return Err(self.malformed());
            }
            if asked.len() == keys.len() {
                all.extend(keys.iter().map(|key| found.remove(*key)));
            } else {
                all.extend(keys.iter().map(|key| found.get(*key).cloned()));
            }
        }
        Ok(all)
    }

    fn set(&self, entry: &Entry, expiry: Expiry, _: Deadline) -> Result<(), MemCachedError> {
        let (key, expires) = (text(&entry.key)?, seconds(expiry)?);
        self.run(|client| client.set(key, entry, expires))
    }

    fn delete(&self, key: &[u8], _: Deadline) -> Result<bool, MemCachedError> {
        let key = text(key)?;
        self.run(|client| client.delete(key))
    }

    fn touch(&self, key: &[u8], expiry: Expiry, _: Deadline) -> Result<bool, MemCachedError> {
        let (key, expires) = (text(key)?, seconds(expiry)?);
        self.run(|client| client.touch(key, expires))
    }

    fn flush(&self, _: Deadline) -> Result<(), MemCachedError> {
        self.run(Client::flush)
    }
}

impl<W: Write> ToMemcacheValue<W> for &Entry {
    fn get_flags(&self) -> u32 {
        self.flags
    }

    fn get_length(&self) -> usize {
        self.data.len()
    }

    fn write_to(&self, stream: &mut W) -> io::Result<()> {
        stream.write_all(&self.data)
    }
}

/// A stored key, which is a prefix in UTF-8 and base85.
fn text(key: &[u8]) -> Result<&str, Error> {
    str::from_utf8(key).map_err(|_| Error::Encode("a key that is not UTF-8"))
}

/// The number that stands for `expiry` in a command. The clock of the server is unknown.
fn seconds(expiry: Expiry) -> Result<u32, Error> {
    let relative = match expiry {
        Expiry::Relative(seconds) => u32::try_from(seconds).ok(),
        Expiry::Moment(_) => None,
    };
    relative.ok_or_else(ttl::only_relative)
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}
