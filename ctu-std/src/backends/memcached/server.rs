//! One server, and the commands that it knows.

use super::{
    MemCachedError,
    answers::{Meta, Stored, Timed, is_deleted, is_stored},
    commands::{Commands, Entry, MAX_READ, chunks},
    link::{Answers, Connector},
    ttl::{self, Expiry},
};
use crate::backends::net::{Deadline, Failure, Fate, Limits, Pool, Repeat, Work, push_number};
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

/// Commands of a request that stores or removes, at most: their answers find room on the way, too.
const TOLD: usize = 2048;
/// Bytes of the answer to `stats`, at most: real ones have a few thousand.
const MAX_STATS: usize = 16 << 20;
/// Bytes of a request that stores, after which there is no other command in it.
const SENT: usize = 4 << 20;

/// A server that this crate talks to itself, through a pool of connections.
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
        request: &[u8],
        repeat: Repeat,
        deadline: Deadline,
        read: impl FnMut(&mut Answers<'_, '_>) -> Result<T, MemCachedError>,
    ) -> Result<T, MemCachedError> {
        let work = Work::new(repeat, request.len(), false);
        self.exchange(request, work, deadline, read)
    }

    /// Runs a command whose answer holds values.
    fn run_read<T>(
        &self,
        request: &[u8],
        deadline: Deadline,
        read: impl FnMut(&mut Answers<'_, '_>) -> Result<T, MemCachedError>,
    ) -> Result<T, MemCachedError> {
        let work = Work::new(Repeat::Safe, request.len(), true);
        self.exchange(request, work, deadline, read)
    }

    fn exchange<T>(
        &self,
        request: &[u8],
        work: Work,
        deadline: Deadline,
        mut read: impl FnMut(&mut Answers<'_, '_>) -> Result<T, MemCachedError>,
    ) -> Result<T, MemCachedError> {
        self.pool.run(work, deadline, |link, deadline| {
            link.exchange(request, &self.label, deadline, &mut read)
        })
    }

    /// A command with one line for an answer.
    fn tell<T>(
        &self,
        request: &[u8],
        deadline: Deadline,
        mut read: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<T, MemCachedError> {
        self.run(request, Repeat::Safe, deadline, |answers| {
            answers.one(&mut read)
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
        let found = self.run(b"mg ctu\r\n", Repeat::Safe, deadline, |answers| {
            answers.meta(b"ctu")
        });
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
        let stats = self.if_known(deadline, || self.told("", deadline))?;
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
        const MG: &[u8] = b"mg ";
        const FLAGS: &[u8] = b" k f t v\r\n";
        let len = |key: &&[u8]| MG.len() + key.len() + FLAGS.len();
        let mut all = Vec::with_capacity(keys.len());
        for keys in chunks(keys, len, MAX_READ, usize::MAX) {
            let mut request = Vec::with_capacity(keys.iter().map(len).sum());
            for key in keys {
                request.extend_from_slice(MG);
                request.extend_from_slice(key);
                request.extend_from_slice(FLAGS);
            }
            let found = self.run_read(&request, deadline, |answers| {
                answers.each(keys.len(), |answers, index| answers.meta(keys[index]))
            })?;
            for found in found {
                match found {
                    Meta::Unknown => return Ok(None),
                    Meta::Found(timed) => all.push(Some(timed)),
                    Meta::Miss | Meta::There => all.push(None),
                }
            }
        }
        Ok(Some(all))
    }

    fn told(
        &self,
        section: &str,
        deadline: Deadline,
    ) -> Result<Vec<(String, String)>, MemCachedError> {
        let request = match section {
            "" => "stats\r\n".to_owned(),
            section => format!("stats {section}\r\n"),
        };
        self.run(request.as_bytes(), Repeat::Safe, deadline, |answers| {
            let (mut stats, mut left) = (Vec::new(), MAX_STATS);
            loop {
                let line = answers.line()?;
                let rest = left.checked_sub(line.len() + 1);
                if matches!(line, b"END" | b"RESET") {
                    return Ok(stats);
                }
                let (Some(line), Some(rest)) = (line.strip_prefix(b"STAT "), rest) else {
                    return Err(answers.surprise());
                };
                left = rest;
                let line = String::from_utf8_lossy(line);
                let (name, value) = line.split_once(' ').unwrap_or((&line, ""));
                stats.push((name.to_owned(), value.to_owned()));
            }
        })
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
        let request = [b"get ", key, b"\r\n"].concat();
        self.run_read(&request, deadline, |answers| {
            let mut stored = None;
            answers.values(&[key], |_, value| stored = Some(value))?;
            Ok(stored)
        })
    }

    fn get_many(
        &self,
        keys: &[&[u8]],
        deadline: Deadline,
    ) -> Result<Vec<Option<Stored>>, MemCachedError> {
        let mut all = Vec::with_capacity(keys.len());
        for keys in chunks(keys, |key| key.len() + 1, MAX_READ, usize::MAX) {
            let len = keys.iter().map(|key| key.len() + 1).sum::<usize>();
            let mut request = Vec::with_capacity(len + b"get\r\n".len());
            request.extend_from_slice(b"get");
            for key in keys {
                request.push(b' ');
                request.extend_from_slice(key);
            }
            request.extend_from_slice(b"\r\n");
            all.extend(self.run_read(&request, deadline, |answers| {
                let mut found = vec![None; keys.len()];
                answers.values(keys, |index, value| found[index] = Some(value))?;
                Ok(found)
            })?);
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
        let request = [b"mg ", key, b"\r\n"].concat();
        let found = self.if_meta(deadline, || {
            let found = self.run(&request, Repeat::Safe, deadline, |answers| {
                answers.meta(key)
            })?;
            Ok(match found {
                Meta::Unknown => None,
                Meta::Miss => Some(false),
                Meta::Found(_) | Meta::There => Some(true),
            })
        })?;
        match found {
            Some(found) => Ok(found),
            None => Ok(self.get(key, deadline)?.is_some()),
        }
    }

    fn set(&self, entry: &Entry, expiry: Expiry, deadline: Deadline) -> Result<(), MemCachedError> {
        let expires = self.expires(expiry, deadline)?;
        let mut request = Vec::with_capacity(entry.request_len());
        entry.write(&mut request, b"set ", expires);
        self.tell(&request, deadline, is_stored)
    }

    fn set_many(
        &self,
        entries: &[Entry],
        expiry: Expiry,
        deadline: Deadline,
    ) -> Result<(), MemCachedError> {
        let expires = self.expires(expiry, deadline)?;
        let mut refused = Ok(());
        for entries in chunks(entries, Entry::request_len, SENT, TOLD) {
            let mut request = Vec::with_capacity(entries.iter().map(Entry::request_len).sum());
            for entry in entries {
                entry.write(&mut request, b"set ", expires);
            }
            let stored = self.run(&request, Repeat::Safe, deadline, |answers| {
                answers.each(entries.len(), |answers, _| answers.one(is_stored))
            });
            match stored {
                Ok(_) => {}
                Err(error) if error.fate() == Fate::Keep => refused = refused.and(Err(error)),
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
        let mut request = Vec::with_capacity(entry.request_len());
        entry.write(&mut request, b"add ", expires);
        // Done twice, it would find what it did itself.
        self.run(&request, Repeat::Never, deadline, |answers| {
            answers.one(|line| match line {
                b"STORED" => Some(true),
                b"NOT_STORED" => Some(false),
                _ => None,
            })
        })
    }

    fn delete(&self, key: &[u8], deadline: Deadline) -> Result<bool, MemCachedError> {
        let request = [b"delete ", key, b"\r\n"].concat();
        self.tell(&request, deadline, is_deleted)
    }

    fn delete_many(&self, keys: &[&[u8]], deadline: Deadline) -> Result<usize, MemCachedError> {
        let mut deleted = 0;
        for keys in chunks(keys, |key| key.len(), SENT, TOLD) {
            let mut request = Vec::new();
            for key in keys {
                request.extend_from_slice(b"delete ");
                request.extend_from_slice(key);
                request.extend_from_slice(b"\r\n");
            }
            let found = self.run(&request, Repeat::Safe, deadline, |answers| {
                answers.each(keys.len(), |answers, _| answers.one(is_deleted))
            })?;
            deleted += found.into_iter().filter(|found| *found).count();
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
        let mut request = [b"touch ", key, b" "].concat();
        push_number(&mut request, expires);
        request.extend_from_slice(b"\r\n");
        self.tell(&request, deadline, |line| match line {
            b"TOUCHED" => Some(true),
            b"NOT_FOUND" => Some(false),
            _ => None,
        })
    }

    fn flush(&self, deadline: Deadline) -> Result<(), MemCachedError> {
        let flushed = self.if_known(deadline, || {
            self.tell(b"flush_all\r\n", deadline, |line| {
                (line == b"OK").then_some(())
            })
        })?;
        flushed.ok_or_else(|| Error::Unsupported(Capability::Clear).into())
    }

    fn stats(
        &self,
        section: &str,
        deadline: Deadline,
    ) -> Result<Vec<(String, String)>, MemCachedError> {
        let told = self.if_known(deadline, || self.told(section, deadline))?;
        told.ok_or_else(|| Error::Unsupported(Capability::Stats).into())
    }
}

impl Entry {
    /// How long the command that stores it is, at most.
    fn request_len(&self) -> usize {
        // A word, three numbers, blanks and line ends.
        self.key.len() + self.data.len() + 64
    }

    fn write(&self, request: &mut Vec<u8>, command: &[u8], expires: u64) {
        request.extend_from_slice(command);
        request.extend_from_slice(&self.key);
        for number in [self.flags.into(), expires, self.data.len() as u64] {
            request.push(b' ');
            push_number(request, number);
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(&self.data);
        request.extend_from_slice(b"\r\n");
    }
}
