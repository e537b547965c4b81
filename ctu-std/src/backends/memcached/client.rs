use super::{MemCachedError, commands::Commands, ring};
use crate::backends::net::Deadline;
use std::time::Duration;

/// The servers as caches see them.
pub(super) struct Client {
    /// At least one.
    pub(super) servers: Vec<Box<dyn Commands>>,
    deadline: Duration,
}

impl Client {
    pub(super) fn new(servers: Vec<Box<dyn Commands>>, deadline: Duration) -> Self {
        Self { servers, deadline }
    }

    /// The deadline of an operation that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.deadline)
    }

    /// The server that `key` is on.
    pub(super) fn of(&self, key: &[u8]) -> &dyn Commands {
        &*self.servers[self.place(key)]
    }

    /// All servers.
    pub(super) fn all(&self) -> impl Iterator<Item = &dyn Commands> {
        self.servers.iter().map(|server| &**server)
    }

    fn place(&self, key: &[u8]) -> usize {
        ring::pick(self.servers.iter().map(|server| server.name()), key)
    }

    /// Runs `each` for every server with its part, as [`in_turn`](Self::in_turn) does.
    pub(super) fn split<T>(
        &self,
        items: Vec<T>,
        key: impl Fn(&T) -> &[u8],
        each: impl FnMut(&dyn Commands, Vec<T>, Deadline) -> Result<(), MemCachedError>,
    ) -> Result<(), MemCachedError> {
        let mut parts: Vec<Vec<T>> = self.servers.iter().map(|_| Vec::new()).collect();
        match &mut *parts {
            [all] => *all = items,
            _ => {
                for item in items {
                    parts[self.place(key(&item))].push(item);
                }
            }
        }
        let mut parts: Vec<_> = self.all().zip(parts).collect();
        parts.retain(|(_, part)| !part.is_empty());
        self.in_turn(parts, each)
    }

    /// Runs `each` for every one of these servers by its part of the deadline, the others too where
    /// one fails: one that hangs leaves the others their time. The first failure is the error.
    pub(super) fn in_turn<'s, T>(
        &self,
        parts: Vec<(&'s dyn Commands, T)>,
        mut each: impl FnMut(&'s dyn Commands, T, Deadline) -> Result<(), MemCachedError>,
    ) -> Result<(), MemCachedError> {
        let deadline = self.deadline();
        let mut done = Ok(());
        let mut left = parts.len();
        for (server, part) in parts {
            done = done.and(each(server, part, deadline.share(left)));
            left -= 1;
        }
        done
    }
}
