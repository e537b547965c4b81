use super::{MemCachedError, ring, server::Server};
use crate::net::Deadline;
use std::time::Duration;

/// The servers as caches see them.
pub(super) struct Client {
    /// At least one.
    pub(super) servers: Vec<Server>,
    deadline: Duration,
}

impl Client {
    pub(super) fn new(servers: Vec<Server>, deadline: Duration) -> Self {
        Self { servers, deadline }
    }

    /// The deadline of an operation that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.deadline)
    }

    /// The server that `key` is on.
    pub(super) fn of(&self, key: &[u8]) -> &Server {
        &self.servers[self.place(key)]
    }

    fn place(&self, key: &[u8]) -> usize {
        ring::pick(self.servers.iter().map(|server| &*server.name), key)
    }

    /// Runs `each` for every server with what is for it, the others too where one fails. The first
    /// failure is the error.
    pub(super) fn split<T>(
        &self,
        items: Vec<T>,
        key: impl Fn(&T) -> &[u8],
        mut each: impl FnMut(&Server, Vec<T>) -> Result<(), MemCachedError>,
    ) -> Result<(), MemCachedError> {
        if items.is_empty() {
            return Ok(());
        }
        if let [server] = &*self.servers {
            return each(server, items);
        }
        let mut parts: Vec<Vec<T>> = self.servers.iter().map(|_| Vec::new()).collect();
        for item in items {
            parts[self.place(key(&item))].push(item);
        }
        let mut done = Ok(());
        for (server, part) in self.servers.iter().zip(parts) {
            if !part.is_empty() {
                done = done.and(each(server, part));
            }
        }
        done
    }
}
