//! Requests to several nodes at the same time.

use super::{
    super::{
        RedisError,
        link::{Connector, Link},
        node::Node,
    },
    member::Member,
    rounds::{Failed, Load},
};
use crate::backends::net::{Attempts, Deadline, Disposition, Lease, Unsent};
use redis::Value;

/// Lets nodes work at the same time: sends to each, then reads from each. `end` gets the reply or the
/// error of each node, and returns the disposition of its connection.
///
/// Nodes whose last request failed come after the others have ended: a node that hangs takes the whole
/// deadline, and a batch that waits for it would hold connections to the others as long. Only the
/// batches that meet it first do.
pub(super) fn exchange(
    loads: Vec<Load<'_, Node>>,
    deadline: Deadline,
    mut end: impl FnMut(&Load<'_, Node>, Result<Vec<Value>, Failed>) -> Disposition,
) {
    let (doubtful, sound) = loads.into_iter().partition(|load| load.node.has_failed());
    exchange_at_once(sound, deadline, &mut end);
    exchange_at_once(doubtful, deadline, &mut end);
}

fn exchange_at_once(
    mut loads: Vec<Load<'_, Node>>,
    deadline: Deadline,
    end: &mut impl FnMut(&Load<'_, Node>, Result<Vec<Value>, Failed>) -> Disposition,
) {
    // Always in the same order, so that no two threads wait for each other's connections.
    loads.sort_by(|a, b| a.node.server().cmp(b.node.server()));
    let mut calls = Vec::with_capacity(loads.len());
    for load in &loads {
        match Call::new(load, deadline) {
            Ok(call) => calls.push(call),
            Err(failed) => {
                end(load, Err(failed));
            }
        }
    }
    // Connecting may take long: open connections come first.
    calls.sort_by_key(|call| !call.pooled);
    calls.retain_mut(|call| match call.send(deadline) {
        Ok(()) => true,
        Err(failed) => {
            end(call.load, Err(failed));
            false
        }
    });
    for mut call in calls {
        let replies = call.receive(deadline);
        let disposition = end(call.load, replies);
        call.lease.end(disposition);
    }
}

/// A load on its way.
struct Call<'l, 'r> {
    load: &'l Load<'r, Node>,
    lease: Lease<'l, Connector>,
    /// Whether the connection has waited in the pool, and may have died there.
    pooled: bool,
    unsent: Unsent<'l>,
}

impl<'l, 'r> Call<'l, 'r> {
    fn new(load: &'l Load<'r, Node>, deadline: Deadline) -> Result<Self, Failed> {
        let mut lease = load.node.pool().lease(deadline).map_err(not_asked)?;
        Ok(Self {
            load,
            pooled: lease.pooled().is_some(),
            lease,
            unsent: Unsent::new(load.request.bytes()),
        })
    }

    fn send(&mut self, deadline: Deadline) -> Result<(), Failed> {
        let link = match self.lease.connection() {
            Some(link) => link,
            None => self.lease.fresh(deadline).map_err(not_asked)?,
        };
        self.unsent = link.send(&self.load.request, deadline);
        Ok(())
    }

    /// Reads the replies of the node. Where its connection turns out to be dead, everything is sent
    /// again on a fresh one, if that is safe.
    fn receive(&mut self, deadline: Deadline) -> Result<Vec<Value>, Failed> {
        let unsent = std::mem::replace(&mut self.unsent, Unsent::new(&[]));
        let request = &*self.load.request;
        let server = self.load.node.server();
        let receive = |link: &mut Link, unsent| link.receive(request, unsent, server, deadline);
        let done = match self.lease.connection() {
            Some(link) => receive(link, unsent),
            None => Err(RedisError::protocol(server, "no connection")),
        };
        let mut attempts = Attempts::new(request.work());
        let done = match done {
            Err(error) if self.pooled && attempts.retry_after(&error) => {
                self.lease.fresh(deadline).and_then(|link| {
                    let unsent = link.send(request, deadline);
                    receive(link, unsent)
                })
            }
            done => done,
        };
        match self.lease.diagnose(done, &attempts, deadline) {
            Ok(replies) => {
                self.load.node.set_failed(false);
                Ok(replies)
            }
            Err(error) => Err(Failed {
                error: self.lease.blame(error),
                asked: true,
            }),
        }
    }
}

fn not_asked(error: RedisError) -> Failed {
    Failed {
        error,
        asked: false,
    }
}
