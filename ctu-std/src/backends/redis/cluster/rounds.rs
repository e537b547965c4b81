//! A batch of requests on its way through the nodes of a cluster. No I/O.

use super::{
    super::{RedisError, reply::Reply, request::Request},
    hops::Hop,
    member::Member,
    nodes::not_ready,
    slot::Slot,
};
use crate::backends::net::{ConnectionError, Deadline, Disposition};
use redis::Value;
use std::{borrow::Cow, collections::VecDeque, sync::Arc, vec};

/// The number of rounds of an operation, at most: two after a slot moved, three while it moves, and one more
/// for each node that lacks a script.
pub(super) const ROUNDS: usize = 7;

/// A request about one slot.
#[derive(Clone, Copy)]
pub(in super::super) struct Part<'r> {
    pub(in super::super) slot: Slot,
    pub(super) request: &'r Request,
}

impl<'r> Part<'r> {
    pub(in super::super) fn new(slot: Slot, request: &'r Request) -> Self {
        Self { slot, request }
    }
}

/// The failure of a node to run a request.
pub(in super::super) struct Failed {
    pub(in super::super) error: RedisError,
    /// Whether the request was sent, so that it may have been run.
    pub(in super::super) asked: bool,
}

/// The requests that go to one connection of a node in one piece, and their parts of the batch.
pub(in super::super) struct Load<'r, N> {
    pub(in super::super) node: Arc<N>,
    /// The index of the connection to the node.
    pub(in super::super) connection: usize,
    pub(in super::super) request: Cow<'r, Request>,
    parts: Vec<Sent>,
}

/// A part of the batch in a load.
struct Sent {
    /// Its position in the batch.
    index: usize,
    commands: usize,
    /// Whether ASKING precedes each command.
    asking: bool,
    /// Whether the scripts are in the request, and not named by their hashes.
    has_texts: bool,
}

/// The parts of a batch, sent in rounds until none is redirected.
pub(in super::super) struct Rounds<'p, N, T> {
    parts: &'p [Part<'p>],
    done: Vec<Option<T>>,
    /// The first error.
    error: Option<RedisError>,
    /// The places of the next round.
    places: Vec<(usize, Hop<N>)>,
    /// The failures of the last round.
    failures: VecDeque<(usize, Arc<N>, Failed)>,
    /// The number of rounds that are left.
    left: usize,
}

impl<'p, N: Member, T> Rounds<'p, N, T> {
    pub(in super::super) fn new(parts: &'p [Part<'p>]) -> Self {
        Self {
            parts,
            done: parts.iter().map(|_| None).collect(),
            error: None,
            places: Vec::with_capacity(parts.len()),
            failures: VecDeque::new(),
            left: ROUNDS,
        }
    }

    /// Takes in the node that serves the slot of a part.
    pub(in super::super) fn start(&mut self, index: usize, node: Result<Arc<N>, RedisError>) {
        self.place(
            index,
            node.map(|node| Hop {
                node,
                asking: false,
                script_texts: false,
            }),
        );
    }

    /// Takes in the place of a part in the next round, or its error.
    pub(in super::super) fn place(&mut self, index: usize, hop: Result<Hop<N>, RedisError>) {
        match hop {
            Ok(hop) => self.places.push((index, hop)),
            Err(error) => drop(self.error.get_or_insert(error)),
        }
    }

    /// The requests of the next round, one load for each connection; none at the end.
    pub(in super::super) fn next(&mut self) -> Vec<Load<'p, N>> {
        let places = std::mem::take(&mut self.places);
        if let (0, Some((_, hop))) = (self.left, places.first()) {
            let message = "the nodes of the cluster send each other's clients in circles";
            self.error
                .get_or_insert(not_ready(hop.node.server(), message));
            return Vec::new();
        }
        self.left -= usize::from(!places.is_empty());
        let mut loads: Vec<Load<'p, N>> = Vec::new();
        for (index, hop) in places {
            let (part, node) = (self.parts[index], hop.node);
            let connection = node.connection_of(part.slot);
            let mut request = Cow::Borrowed(part.request);
            if hop.script_texts {
                request = Cow::Owned(request.with_script_texts());
            }
            if hop.asking {
                request = Cow::Owned(request.asking());
            }
            let own = Sent {
                index,
                commands: part.request.commands(),
                asking: hop.asking,
                has_texts: hop.script_texts,
            };
            let same = |load: &&mut Load<'_, N>| load.is_to(&node) && load.connection == connection;
            match loads.iter_mut().find(same) {
                Some(load) => {
                    load.request.to_mut().append(&request);
                    load.parts.push(own);
                }
                None => loads.push(Load {
                    node,
                    connection,
                    request,
                    parts: vec![own],
                }),
            }
        }
        loads
    }

    /// Takes in the results of the parts of a load, or its failure.
    pub(in super::super) fn end(
        &mut self,
        load: &Load<'_, N>,
        results: Result<Vec<Result<T, RedisError>>, Failed>,
    ) {
        let (results, failed) = match results {
            Ok(results) => (results, None),
            Err(failed) => (Vec::new(), Some(failed)),
        };
        let mut results = results.into_iter();
        for sent in &load.parts {
            let index = sent.index;
            let failed = match (results.next(), &failed) {
                (Some(Ok(value)), _) => {
                    self.done[index] = Some(value);
                    continue;
                }
                (Some(Err(error)), _) if error.is_missing_script() && !sent.has_texts => {
                    let hop = Hop {
                        node: load.node.clone(),
                        asking: sent.asking,
                        script_texts: true,
                    };
                    self.places.push((index, hop));
                    continue;
                }
                (Some(Err(error)), _) => Failed { error, asked: true },
                (None, Some(Failed { error, asked })) => Failed {
                    error: error.clone(),
                    asked: *asked,
                },
                (None, None) => continue,
            };
            self.failures.push_back((index, load.node.clone(), failed));
        }
    }

    /// A part of the last round that failed, its node and its failure. A place or an error of the part
    /// follows.
    pub(in super::super) fn failure(
        &mut self,
        deadline: Deadline,
    ) -> Option<(usize, Arc<N>, Failed)> {
        if self.error.is_some() && deadline.remaining().is_none() {
            // After a node that hangs the deadline is over: later nodes had no time to answer.
            self.failures.clear();
        }
        self.failures.pop_front()
    }

    /// The part at `index`.
    pub(in super::super) fn part(&self, index: usize) -> Part<'p> {
        self.parts[index]
    }

    /// The results of all parts, in their order, or the first error.
    pub(in super::super) fn finish(self) -> Result<Vec<T>, RedisError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.done.into_iter().flatten().collect()),
        }
    }
}

impl<'r, N: Member> Load<'r, N> {
    /// A request for all slots of a node.
    pub(super) fn whole(node: Arc<N>, request: &'r Request) -> Self {
        Self {
            node,
            connection: 0,
            request: Cow::Borrowed(request),
            parts: Vec::new(),
        }
    }

    fn is_to(&self, node: &Arc<N>) -> bool {
        Arc::ptr_eq(&self.node, node)
    }

    /// Makes `T` of the replies to each part.
    pub(in super::super) fn read<T>(
        &self,
        replies: Vec<Value>,
        mut read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Vec<Result<T, RedisError>> {
        let (mut replies, server) = (replies.into_iter(), self.node.server());
        let parts = self.parts.iter().map(|sent| {
            let replies = take(&mut replies, sent.commands, sent.asking);
            Reply::new(replies, server).and_then(|mut reply| read(&mut reply))
        });
        parts.collect()
    }
}

/// Whether the connection of a part that ended so is of no use any more.
pub(in super::super) fn is_fatal<T>(result: &Result<T, RedisError>) -> bool {
    let error = result.as_ref().err();
    error.is_some_and(|error| {
        !matches!(
            error.disposition(),
            Disposition::Reuse | Disposition::Replaced
        )
    })
}

/// The replies to the commands of one part, of several that were sent in one piece.
fn take(replies: &mut vec::IntoIter<Value>, commands: usize, asking: bool) -> Vec<Value> {
    let commands = (0..commands).map_while(|_| {
        if asking {
            // To ASKING.
            replies.next()?;
        }
        replies.next()
    });
    commands.collect()
}
