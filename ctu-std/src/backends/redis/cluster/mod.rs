//! A Redis Cluster: the node of a key, and the way to its new node after a move.
//!
//! The `redis` crate has a client for clusters, which is not used for the reasons that
//! [`Link`](super::link::Link) has: its deadlines count from each system call and not for all hops of
//! an operation, and it would bring connections that cannot tell one reply from the next.

mod exchange;
#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing;
mod map;
mod nodes;
mod place;
mod redirect;
mod refresh;
mod seeds;
mod slot;
mod topology;

pub(super) use seeds::Seeds;
pub(super) use slot::Slot;

use super::{RedisError, node::Node, reply::Reply, request::Request};
use crate::backends::net::{ConnectionError, Deadline, Disposition, Repeat};
use exchange::{Failed, Load, exchange};
use map::Unserved;
use nodes::{Nodes, contains, is_doubtful};
use redirect::Redirect;
use redis::Value;
use std::{sync::Arc, vec};

/// How often an operation is sent elsewhere. Once when a slot has moved, twice when it moves just now.
const REDIRECTS: usize = 6;

/// The nodes of a cluster as caches see them.
pub(super) struct Cluster(Nodes);

/// A request about one slot.
#[derive(Clone, Copy)]
pub(super) struct Part<'r> {
    slot: Slot,
    request: &'r Request,
}

impl<'r> Part<'r> {
    pub(super) fn new(slot: Slot, request: &'r Request) -> Self {
        Self { slot, request }
    }
}

/// Where a part goes next.
struct Hop {
    node: Arc<Node>,
    /// Whether the node has to be told that it was meant.
    asking: bool,
}

impl Cluster {
    /// The nodes that the user named.
    pub(super) fn seeds(&self) -> &str {
        self.0.label()
    }

    /// Sends each part to the node that has its slot, all at the same time, and makes `T` of the replies.
    /// A redirected part is sent again to its new node, alone. The first failure is the error; the work of
    /// other nodes stays done.
    pub(super) fn send<T>(
        &self,
        parts: &[Part<'_>],
        deadline: Deadline,
        mut read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        let mut done: Vec<Option<T>> = parts.iter().map(|_| None).collect();
        let mut error = None;
        let mut places = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            match self.0.serving(part.slot, deadline) {
                Ok(node) => places.push((index, node, false)),
                Err(unserved) => drop(error.get_or_insert(unserved)),
            }
        }
        for _ in 0..=REDIRECTS {
            if places.is_empty() {
                break;
            }
            let mut failures = Vec::new();
            exchange(Load::of(parts, places), deadline, |load, replies| {
                let node = &load.node;
                let mut replies = match replies {
                    Ok(replies) => replies.into_iter(),
                    Err(Failed { error, asked }) => {
                        let disposition = error.disposition();
                        failures.extend(load.parts.iter().map(|(index, _)| {
                            let error = error.clone();
                            (*index, node.clone(), Failed { error, asked })
                        }));
                        return disposition;
                    }
                };
                let mut disposition = Disposition::Reuse;
                for (index, asking) in &load.parts {
                    let replies = take(&mut replies, parts[*index].request, *asking);
                    let reply = Reply::new(replies, node.server());
                    match reply.and_then(|mut reply| read(&mut reply)) {
                        Ok(value) => done[*index] = Some(value),
                        Err(error) => {
                            if error.disposition() != Disposition::Reuse {
                                disposition = Disposition::Close;
                            }
                            let failed = Failed { error, asked: true };
                            failures.push((*index, node.clone(), failed));
                        }
                    }
                }
                disposition
            });
            places = Vec::new();
            for (index, node, failed) in failures {
                if error.is_some() && deadline.remaining().is_none() {
                    // After a node that hangs the deadline is over: later nodes had no time to answer.
                    break;
                }
                match self.follow(&parts[index], &node, failed, deadline) {
                    Ok(hop) => places.push((index, hop.node, hop.asking)),
                    Err(failed) => drop(error.get_or_insert(failed)),
                }
            }
        }
        if let Some((_, node, _)) = places.first() {
            let message = "the nodes of the cluster send each other's clients in circles";
            error.get_or_insert(not_ready(node, message));
        }
        match error {
            Some(error) => Err(error),
            None => Ok(done.into_iter().flatten().collect()),
        }
    }

    /// The same with one part.
    pub(super) fn send_one<T>(
        &self,
        part: Part<'_>,
        deadline: Deadline,
        read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        let mut done = self.send(&[part], deadline, read)?;
        done.pop().ok_or_else(|| self.0.not_ready("no answer"))
    }

    /// Sends `request` to every master, all at the same time, and makes `T` of the replies of each.
    pub(super) fn execute_on_all<T>(
        &self,
        request: &Request,
        deadline: Deadline,
        mut read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        let (mut nodes, mut values) = (Vec::new(), Vec::new());
        for _ in 0..=REDIRECTS {
            let mut loads = Vec::new();
            for node in self.0.masters(deadline)? {
                if !contains(&nodes, &node) {
                    loads.push(Load::new(node, request));
                }
            }
            if loads.is_empty() {
                return Ok(values);
            }
            let mut failures = Vec::new();
            exchange(loads, deadline, |load, replies| {
                let node = &load.node;
                let replies = replies.map_err(|failed| failed.error);
                let done = replies
                    .and_then(|replies| Reply::new(replies, node.server()))
                    .and_then(|mut reply| read(&mut reply));
                match done {
                    Ok(value) => {
                        nodes.push(node.clone());
                        values.push(value);
                        Disposition::Reuse
                    }
                    Err(error) => {
                        let disposition = error.disposition();
                        failures.push((node.clone(), error));
                        disposition
                    }
                }
            });
            for (node, error) in failures {
                self.replaced(&node, error, deadline)?;
            }
        }
        Err(self
            .0
            .not_ready("its masters change faster than they can be asked"))
    }

    /// A master that is not among those that are `done`.
    pub(super) fn next(
        &self,
        done: &[Arc<Node>],
        deadline: Deadline,
    ) -> Result<Option<Arc<Node>>, RedisError> {
        let mut masters = self.0.masters(deadline)?.into_iter();
        Ok(masters.find(|node| !contains(done, node)))
    }

    /// Whether `node`, which failed with `error`, is no master any more; the error where it is.
    pub(super) fn replaced(
        &self,
        node: &Arc<Node>,
        error: RedisError,
        deadline: Deadline,
    ) -> Result<(), RedisError> {
        self.0.doubt(node, &error);
        if !is_doubtful(&error) || deadline.remaining().is_none() {
            return Err(error);
        }
        match contains(&self.0.masters(deadline)?, node) {
            true => Err(error),
            false => Ok(()),
        }
    }

    /// Where `part`, which failed at `node`, is to go; the failure where there is no such place.
    fn follow(
        &self,
        part: &Part<'_>,
        node: &Arc<Node>,
        failed: Failed,
        deadline: Deadline,
    ) -> Result<Hop, RedisError> {
        let Failed { error, asked } = failed;
        match Redirect::of(&error) {
            Some(Ok(Redirect { slot, moved, place })) => {
                let target = match &place {
                    Some(place) => self.0.node(place, node),
                    None => Err(Unserved::NoAddress),
                };
                let refused = match (target, place) {
                    (Ok(node), _) => {
                        let here = moved && slot == part.slot;
                        self.0.learn(&node, here.then_some(slot));
                        return Ok(Hop {
                            node,
                            asking: !moved,
                        });
                    }
                    (Err(Unserved::NotAllowed), Some((host, port))) => RedisError::NodeNotAllowed {
                        server: node.server().clone(),
                        node: format!("{host}:{port}"),
                    },
                    _ => not_ready(
                        node,
                        "it redirects to a node whose address it does not know",
                    ),
                };
                return self.elsewhere(part, node, refused, deadline);
            }
            Some(Err(_)) => {
                let what = "a redirect without an address";
                return Err(RedisError::protocol(node.server(), what));
            }
            None => {}
        }
        self.0.doubt(node, &error);
        let refused = matches!(
            error,
            RedisError::NotReady { .. } | RedisError::ReadOnly { .. }
        );
        let again = !asked || refused || part.request.repeat() == Repeat::Safe;
        if !is_doubtful(&error) || !again || deadline.remaining().is_none() {
            return Err(error);
        }
        self.elsewhere(part, node, error, deadline)
    }

    /// The node that serves the slot of `part` by a new map, unless it is still `node`; `error` then.
    fn elsewhere(
        &self,
        part: &Part<'_>,
        node: &Node,
        error: RedisError,
        deadline: Deadline,
    ) -> Result<Hop, RedisError> {
        let _ = self.0.refresh(Some(deadline), deadline);
        match self.0.serves(part.slot) {
            // Another node has taken over. It may need a moment; only the deadline limits that.
            Some(other) if other.server() != node.server() => Ok(Hop {
                node: other,
                asking: false,
            }),
            _ => Err(error),
        }
    }
}

fn not_ready(node: &Node, message: &str) -> RedisError {
    RedisError::NotReady {
        server: node.server().clone(),
        code: "CLUSTERDOWN".to_owned(),
        message: message.to_owned(),
    }
}

/// The replies to one request of several that were sent in one piece.
fn take(replies: &mut vec::IntoIter<Value>, request: &Request, asking: bool) -> Vec<Value> {
    let commands = (0..request.commands()).map_while(|_| {
        if asking {
            // To ASKING.
            replies.next()?;
        }
        replies.next()
    });
    commands.collect()
}
