//! One server, and the commands that it knows.

use super::{
    MemCachedError,
    answers::Item,
    commands::{Commands, Entry, MAX_COMMANDS, MAX_READ, MAX_WRITE, chunks},
    link::Connector,
    requests::{self, Meta, Request, Stored, Timed},
    state::ServerState,
    ttl::{self, Expiry},
};
use crate::backends::net::{ConnectionError, Deadline, Disposition, Limits, Pool};
use ctu_core::{Capability, Error};
use std::{sync::Arc, time::Instant};

/// A server, reached by a pool of connections of this crate.
pub(super) struct Server {
    name: String,
    label: Arc<str>,
    pool: Pool<Connector>,
    state: ServerState,
}

impl Server {
    pub(super) fn new(name: String, connector: Connector, limits: Limits) -> Self {
        Self {
            name,
            label: connector.server.clone(),
            pool: Pool::new(connector, limits),
            state: ServerState::default(),
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
        if !self.state.may_know_meta() {
            return Ok(None);
        }
        let found = match command() {
            // Unless a small meta command is answered: then a large value ended the connection.
            Err(error) if error.may_be_refusal() && !self.knows_meta(deadline) => {
                self.if_known(deadline, || Err(error))?.flatten()
            }
            done => done?,
        };
        self.state.learn_meta(found.is_some(), &self.label);
        Ok(found)
    }

    /// Whether the server answers a meta command about a small entry.
    fn knows_meta(&self, deadline: Deadline) -> bool {
        let found = self.run(&requests::contains(b"ctu"), deadline);
        found.is_ok_and(|found| !matches!(found, Meta::Unknown))
    }

    /// The number that stands for `expiry` in a command.
    fn expires(&self, expiry: Expiry, deadline: Deadline) -> Result<u64, MemCachedError> {
        if let Some(expires) = self.state.expires(expiry) {
            return Ok(expires?);
        }
        let (asked, request) = (Instant::now(), requests::stats(""));
        let stats = self.if_known(deadline, || self.run(&request, deadline))?;
        self.state.learn_time(stats, asked)?;
        let expires = self.state.expires(expiry);
        Ok(expires.unwrap_or_else(|| Err(ttl::only_relative()))?)
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
