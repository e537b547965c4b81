//! One Memcached server for tasks.

use super::super::{
    MemCachedError,
    answers::Item,
    commands::{Entry, MAX_COMMANDS, MAX_READ, MAX_WRITE, chunks},
    error::peer,
    link::Connector,
    requests::{self, Meta, Request, Statistics, Stored, Timed},
    state::ServerState,
    ttl::Expiry,
};
use crate::backends::net::{
    ConnectionError, Connections, Deadline, Disposition, Limits, NO_SENSE, NetError, Outgoing,
    connection_of, join_all,
};
use ctu_core::{Capability, Error};
use std::{sync::Arc, time::Instant};

/// A server, reached by connections that tasks share.
pub(in super::super) struct AsyncServer {
    pub(super) name: String,
    pub(super) label: Arc<str>,
    connections: Connections<Connector>,
    state: ServerState,
}

impl AsyncServer {
    pub(in super::super) fn new(name: String, connector: Connector, limits: Limits) -> Self {
        Self {
            name,
            label: connector.server.clone(),
            connections: Connections::new(connector, limits),
            state: ServerState::default(),
        }
    }

    /// Runs a request on the connection of `key`.
    async fn run<T>(
        &self,
        key: &[u8],
        request: &Request<impl Fn(Vec<Item>) -> Option<T>>,
        deadline: Deadline,
    ) -> Result<T, MemCachedError> {
        let index = connection_of(key, self.connections.len());
        let outgoing = Outgoing {
            bytes: &request.bytes,
            expected: request.expected,
            work: request.work,
        };
        let read = |answer| {
            let malformed = || NetError::malformed(peer(&self.label), NO_SENSE).into();
            request.decode(answer).ok_or_else(malformed)
        };
        self.connections.run(index, outgoing, deadline, read).await
    }

    /// The result of a command that not every server knows; `None` if this one does not.
    async fn if_known<T>(
        &self,
        done: Result<T, MemCachedError>,
        deadline: Deadline,
    ) -> Result<Option<T>, MemCachedError> {
        match done {
            // A proxy closes the connection on a command that it does not know, and answers others.
            Err(error) if error.may_be_refusal() => match self.get(b"ctu", deadline).await {
                Ok(_) => Ok(None),
                Err(_) => Err(error),
            },
            done => done.map(Some),
        }
    }

    /// The result of a meta command; `None` if the server refuses those.
    async fn if_meta<T>(
        &self,
        done: Result<Option<T>, MemCachedError>,
        deadline: Deadline,
    ) -> Result<Option<T>, MemCachedError> {
        let found = match done {
            // Unless a small meta command is answered: then a large value ended the connection.
            Err(error) if error.may_be_refusal() => {
                let small = self
                    .run(b"ctu", &requests::contains(b"ctu"), deadline)
                    .await;
                match small {
                    Ok(found) if !matches!(found, Meta::Unknown) => return Err(error),
                    _ => self.if_known(Err(error), deadline).await?.flatten(),
                }
            }
            done => done?,
        };
        self.state.learn_meta(found.is_some(), &self.label);
        Ok(found)
    }

    pub(super) async fn expires(
        &self,
        expiry: Expiry,
        deadline: Deadline,
    ) -> Result<u64, MemCachedError> {
        if let Some(expires) = self.state.expires(expiry) {
            return Ok(expires?);
        }
        let asked = Instant::now();
        let stats = self.run(b"", &requests::stats(""), deadline).await;
        let stats = self.if_known(stats, deadline).await?;
        self.state.learn_time(stats, asked)?;
        let expires = self.state.expires(expiry);
        Ok(expires.unwrap_or_else(|| Err(super::super::ttl::only_relative()))?)
    }

    pub(super) async fn get(
        &self,
        key: &[u8],
        deadline: Deadline,
    ) -> Result<Option<Stored>, MemCachedError> {
        self.run(key, &requests::get(key), deadline).await
    }

    /// The entries at `keys`. Reads of a batch are on one connection, and the chunks are sent at once.
    pub(super) async fn get_many(
        &self,
        keys: &[&[u8]],
        deadline: Deadline,
    ) -> Result<Vec<Option<Stored>>, MemCachedError> {
        let chunks = chunks(keys, |key| key.len() + 1, MAX_READ, usize::MAX);
        let found = join_all(chunks.map(|chunk| async move {
            let request = requests::get_many(chunk);
            self.run(keys[0], &request, deadline).await
        }));
        let mut all = Vec::with_capacity(keys.len());
        for found in found.await {
            all.extend(found?);
        }
        Ok(all)
    }

    /// The entries at `keys` and their remaining times, as far as the server tells them.
    pub(super) async fn get_with_ttl(
        &self,
        keys: &[&[u8]],
        deadline: Deadline,
    ) -> Result<Vec<Option<Timed>>, MemCachedError> {
        if self.state.may_know_meta() {
            let found = self.meta_get(keys, deadline).await;
            if let Some(found) = self.if_meta(found, deadline).await? {
                return Ok(found);
            }
        }
        let found = self.get_many(keys, deadline).await?.into_iter();
        let timed = found.map(|found| found.map(|stored| (stored, None)));
        Ok(timed.collect())
    }

    async fn meta_get(
        &self,
        keys: &[&[u8]],
        deadline: Deadline,
    ) -> Result<Option<Vec<Option<Timed>>>, MemCachedError> {
        let len = |key: &&[u8]| requests::get_with_ttl_len(key);
        let mut all = Vec::with_capacity(keys.len());
        for chunk in chunks(keys, len, MAX_READ, usize::MAX) {
            let request = requests::get_with_ttl(chunk);
            for found in self.run(keys[0], &request, deadline).await? {
                match found {
                    Meta::Unknown => return Ok(None),
                    Meta::Found(timed) => all.push(Some(timed)),
                    Meta::Miss | Meta::Present => all.push(None),
                }
            }
        }
        Ok(Some(all))
    }

    pub(super) async fn contains(
        &self,
        key: &[u8],
        deadline: Deadline,
    ) -> Result<bool, MemCachedError> {
        if self.state.may_know_meta() {
            let found = self.run(key, &requests::contains(key), deadline).await;
            let found = found.map(|found| match found {
                Meta::Unknown => None,
                Meta::Miss => Some(false),
                Meta::Found(_) | Meta::Present => Some(true),
            });
            if let Some(found) = self.if_meta(found, deadline).await? {
                return Ok(found);
            }
        }
        Ok(self.get(key, deadline).await?.is_some())
    }

    pub(super) async fn set(
        &self,
        entry: &Entry,
        expiry: Expiry,
        deadline: Deadline,
    ) -> Result<(), MemCachedError> {
        let expires = self.expires(expiry, deadline).await?;
        let request = requests::set(entry, expires);
        self.run(&entry.key, &request, deadline).await
    }

    /// Stores `entries`, each on the connection of its key. A refused entry does not keep the others
    /// from being stored; the first refusal is the error.
    pub(super) async fn set_many(
        &self,
        entries: Vec<Entry>,
        expiry: Expiry,
        deadline: Deadline,
    ) -> Result<(), MemCachedError> {
        let expires = self.expires(expiry, deadline).await?;
        let groups = self.group(entries, |entry| &entry.key);
        let stored = join_all(groups.iter().map(|entries| async move {
            let mut refused = Ok(());
            for chunk in chunks(entries, Entry::request_len, MAX_WRITE, MAX_COMMANDS) {
                let request = requests::set_many(chunk, expires);
                match self.run(&chunk[0].key, &request, deadline).await {
                    Ok(()) => {}
                    Err(error) if error.disposition() == Disposition::Reuse => {
                        refused = refused.and(Err(error));
                    }
                    Err(error) => return Err(error),
                }
            }
            refused
        }));
        stored.await.into_iter().collect()
    }

    pub(super) async fn add(
        &self,
        entry: &Entry,
        expiry: Expiry,
        deadline: Deadline,
    ) -> Result<bool, MemCachedError> {
        let expires = self.expires(expiry, deadline).await?;
        let request = requests::add(entry, expires);
        self.run(&entry.key, &request, deadline).await
    }

    pub(super) async fn delete(
        &self,
        key: &[u8],
        deadline: Deadline,
    ) -> Result<bool, MemCachedError> {
        self.run(key, &requests::delete(key), deadline).await
    }

    /// Removes the entries at `keys`, each on the connection of its key. Their number.
    pub(super) async fn delete_many(
        &self,
        keys: Vec<&[u8]>,
        deadline: Deadline,
    ) -> Result<usize, MemCachedError> {
        let groups = self.group(keys, |key| key);
        let deleted = join_all(groups.iter().map(|keys| async move {
            let mut deleted = 0;
            for chunk in chunks(keys, |key| key.len(), MAX_WRITE, MAX_COMMANDS) {
                let request = requests::delete_many(chunk);
                deleted += self.run(chunk[0], &request, deadline).await?;
            }
            Ok(deleted)
        }));
        deleted.await.into_iter().sum()
    }

    pub(super) async fn touch(
        &self,
        key: &[u8],
        expiry: Expiry,
        deadline: Deadline,
    ) -> Result<bool, MemCachedError> {
        let expires = self.expires(expiry, deadline).await?;
        self.run(key, &requests::touch(key, expires), deadline)
            .await
    }

    pub(super) async fn flush(&self, deadline: Deadline) -> Result<(), MemCachedError> {
        let flushed = self.run(b"", &requests::flush(), deadline).await;
        let flushed = self.if_known(flushed, deadline).await?;
        flushed.ok_or_else(|| Error::Unsupported(Capability::Clear).into())
    }

    pub(super) async fn stats(
        &self,
        section: &str,
        deadline: Deadline,
    ) -> Result<Statistics, MemCachedError> {
        let stats = self.run(b"", &requests::stats(section), deadline).await;
        let stats = self.if_known(stats, deadline).await?;
        stats.ok_or_else(|| Error::Unsupported(Capability::Stats).into())
    }

    /// The items of each connection.
    fn group<T>(&self, items: Vec<T>, key: impl Fn(&T) -> &[u8]) -> Vec<Vec<T>> {
        let count = self.connections.len();
        let mut groups: Vec<Vec<T>> = (0..count).map(|_| Vec::new()).collect();
        for item in items {
            let index = connection_of(key(&item), count);
            groups[index].push(item);
        }
        groups
    }
}
