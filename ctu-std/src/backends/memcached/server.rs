//! One server, and the commands that it knows.

use super::{
    MemCachedError,
    answers::Item,
    commands::{Commands, Entry, MAX_READ, chunks},
    link::Connector,
    requests::{self, Meta, Request, Stored, Timed},
    ttl::{self, Expiry},
};
use crate::backends::net::{ConnectionError, Deadline, Disposition, Limits, Pool};
use ctu_core::{Capability, Error};
use parking_lot::Mutex;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// For how long the clock of a server is taken to run as this machine's does.
const CLOCK_VALID: Duration = Duration::from_secs(60);
/// For how long a server that refuses the meta commands is not asked for them again.
const PLAIN_VALID: Duration = Duration::from_secs(600);

/// Commands of a request that stores or removes, at most.
const MAX_COMMANDS: usize = 2048;
/// Bytes of a request that stores, after which there is no other command in it.
const MAX_WRITE: usize = 4 << 20;

/// A server, reached by a pool of connections of this crate.
pub(super) struct Server {
    name: String,
    label: Arc<str>,
    pool: Pool<Connector>,
    /// The time of the server, in seconds since 1970, and when it was asked for.
    clock: Mutex<Option<(u64, Instant)>>,
    /// When the server, or a proxy before it, refused the meta commands.
    plain_since: Mutex<Option<Instant>>,
}

impl Server {
    pub(super) fn new(name: String, connector: Connector, limits: Limits) -> Self {
        Self {
            name,
            label: connector.server.clone(),
            pool: Pool::new(connector, limits),
            clock: Mutex::default(),
            plain_since: Mutex::default(),
        }
    }

    fn run<T>(
        &self,
        request: &Request<impl Fn(Vec<Item>) -> Option<T>>,
        deadline: Deadline,
    ) -> Result<T, MemCachedError> {
        self.pool.run(request.work, deadline, |link, deadline| {
            link.exchange(request, &self.label, deadline)
        })
    }

    /// Runs a command that not every server knows; `None` where this one does not.
    fn if_known<T>(
        &self,
        deadline: Deadline,
        command: impl FnOnce() -> Result<T, MemCachedError>,
    ) -> Result<Option<T>, MemCachedError> {
        match command() {
            // A proxy closes the connection at a command that it does not know, and answers others.
            Err(error) if error.may_be_refusal() && self.get(b"ctu", deadline).is_ok() => Ok(None),
            done => done.map(Some),
        }
    }

    /// Runs a meta command, unless the server is known to refuse those; `None` where it does.
    fn if_meta<T>(
        &self,
        deadline: Deadline,
        command: impl FnOnce() -> Result<Option<T>, MemCachedError>,
    ) -> Result<Option<T>, MemCachedError> {
        let since = *self.plain_since.lock();
        if since.is_some_and(|since| since.elapsed() < PLAIN_VALID) {
            return Ok(None);
        }
        let found = match command() {
            // Unless a small meta command is answered: then a large value ended the connection.
            Err(error) if error.may_be_refusal() && !self.knows_meta(deadline) => {
                self.if_known(deadline, || Err(error))?.flatten()
            }
            done => done?,
        };
        *self.plain_since.lock() = match found {
            Some(_) => None,
            None => {
                #[cfg(feature = "tracing")]
                tracing::warn!(
                    server = &*self.label,
                    "meta commands are refused: remaining times of entries are unknown"
                );
                Some(Instant::now())
            }
        };
        Ok(found)
    }

    /// Whether the server answers a meta command about a small entry.
    fn knows_meta(&self, deadline: Deadline) -> bool {
        let found = self.run(&requests::contains(b"ctu"), deadline);
        found.is_ok_and(|found| !matches!(found, Meta::Unknown))
    }

    /// The number that stands for `expiry` in a command.
    fn expires(&self, expiry: Expiry, deadline: Deadline) -> Result<u64, MemCachedError> {
        match expiry {
            Expiry::Relative(seconds) => Ok(seconds),
            Expiry::Moment(seconds) => Ok(ttl::moment(self.time(deadline)?, seconds)?),
        }
    }

    /// The time by the clock of the server.
    fn time(&self, deadline: Deadline) -> Result<u64, MemCachedError> {
        let known = *self.clock.lock();
        if let Some((time, asked)) = known {
            let passed = asked.elapsed();
            if passed < CLOCK_VALID {
                return Ok(time.saturating_add(passed.as_secs()));
            }
        }
        let asked = Instant::now();
        let stats = self.if_known(deadline, || self.run(&requests::stats(""), deadline))?;
        let stats = stats.unwrap_or_default();
        let time = stats.iter().find(|(name, _)| name == "time");
        let time = time.and_then(|(_, time)| time.trim().parse().ok());
        let time = time.ok_or_else(ttl::only_relative)?;
        *self.clock.lock() = Some((time, asked));
        Ok(time)
    }

    fn meta_get(
        &self,
        keys: &[&[u8]],
        deadline: Deadline,
    ) -> Result<Option<Vec<Option<Timed>>>, MemCachedError> {
        let len = |key: &&[u8]| requests::get_with_ttl_len(key);
        let mut all = Vec::with_capacity(keys.len());
        for keys in chunks(keys, len, MAX_READ, usize::MAX) {
            for found in self.run(&requests::get_with_ttl(keys), deadline)? {
                match found {
                    Meta::Unknown => return Ok(None),
                    Meta::Found(timed) => all.push(Some(timed)),
                    Meta::Miss | Meta::Present => all.push(None),
                }
            }
        }
        Ok(Some(all))
    }
}

impl Commands for Server {
    fn name(&self) -> &str {
        &self.name
    }

    fn label(&self) -> &Arc<str> {
        &self.label
    }

    fn get(&self, key: &[u8], deadline: Deadline) -> Result<Option<Stored>, MemCachedError> {
        self.run(&requests::get(key), deadline)
    }

    fn get_many(
        &self,
        keys: &[&[u8]],
        deadline: Deadline,
    ) -> Result<Vec<Option<Stored>>, MemCachedError> {
        let mut all = Vec::with_capacity(keys.len());
        for keys in chunks(keys, |key| key.len() + 1, MAX_READ, usize::MAX) {
            all.extend(self.run(&requests::get_many(keys), deadline)?);
        }
        Ok(all)
    }

    fn get_with_ttl(
        &self,
        keys: &[&[u8]],
        deadline: Deadline,
    ) -> Result<Option<Vec<Option<Timed>>>, MemCachedError> {
        self.if_meta(deadline, || self.meta_get(keys, deadline))
    }

    fn contains(&self, key: &[u8], deadline: Deadline) -> Result<bool, MemCachedError> {
        let found = self.if_meta(deadline, || {
            Ok(match self.run(&requests::contains(key), deadline)? {
                Meta::Unknown => None,
                Meta::Miss => Some(false),
                Meta::Found(_) | Meta::Present => Some(true),
            })
        })?;
        match found {
            Some(found) => Ok(found),
            None => Ok(self.get(key, deadline)?.is_some()),
        }
    }

    fn set(&self, entry: &Entry, expiry: Expiry, deadline: Deadline) -> Result<(), MemCachedError> {
        let expires = self.expires(expiry, deadline)?;
        self.run(&requests::set(entry, expires), deadline)
    }

    fn set_many(
        &self,
        entries: &[Entry],
        expiry: Expiry,
        deadline: Deadline,
    ) -> Result<(), MemCachedError> {
        let expires = self.expires(expiry, deadline)?;
        let mut refused = Ok(());
        for entries in chunks(entries, Entry::request_len, MAX_WRITE, MAX_COMMANDS) {
            match self.run(&requests::set_many(entries, expires), deadline) {
                Ok(()) => {}
                Err(error) if error.disposition() == Disposition::Reuse => {
                    refused = refused.and(Err(error));
                }
                Err(error) => return Err(error),
            }
        }
        refused
    }

    fn add(
        &self,
        entry: &Entry,
        expiry: Expiry,
        deadline: Deadline,
    ) -> Result<bool, MemCachedError> {
        let expires = self.expires(expiry, deadline)?;
        self.run(&requests::add(entry, expires), deadline)
    }

    fn delete(&self, key: &[u8], deadline: Deadline) -> Result<bool, MemCachedError> {
        self.run(&requests::delete(key), deadline)
    }

    fn delete_many(&self, keys: &[&[u8]], deadline: Deadline) -> Result<usize, MemCachedError> {
        let mut deleted = 0;
        for keys in chunks(keys, |key| key.len(), MAX_WRITE, MAX_COMMANDS) {
            deleted += self.run(&requests::delete_many(keys), deadline)?;
        }
        Ok(deleted)
    }

    fn touch(
        &self,
        key: &[u8],
        expiry: Expiry,
        deadline: Deadline,
    ) -> Result<bool, MemCachedError> {
        let expires = self.expires(expiry, deadline)?;
        self.run(&requests::touch(key, expires), deadline)
    }

    fn flush(&self, deadline: Deadline) -> Result<(), MemCachedError> {
        let flushed = self.if_known(deadline, || self.run(&requests::flush(), deadline))?;
        flushed.ok_or_else(|| Error::Unsupported(Capability::Clear).into())
    }

    fn stats(
        &self,
        section: &str,
        deadline: Deadline,
    ) -> Result<Vec<(String, String)>, MemCachedError> {
        let request = requests::stats(section);
        let stats = self.if_known(deadline, || self.run(&request, deadline))?;
        stats.ok_or_else(|| Error::Unsupported(Capability::Stats).into())
    }
}
