use super::{
    super::{RedisError, reply::Reply, request::Request},
    member::Member,
    nodes::contains,
    rounds::{Failed, Load, ROUNDS},
};
use redis::Value;
use std::{collections::VecDeque, sync::Arc};

/// A request to every master, until each of the present ones has replied. No I/O.
pub(in super::super) struct Survey<N, T> {
    nodes: Vec<Arc<N>>,
    values: Vec<T>,
    failures: VecDeque<(Arc<N>, RedisError)>,
    /// The number of rounds that are left.
    left: usize,
}

impl<N: Member, T> Survey<N, T> {
    pub(in super::super) fn new() -> Self {
        Self {
            nodes: Vec::new(),
            values: Vec::new(),
            failures: VecDeque::new(),
            left: ROUNDS,
        }
    }

    /// The requests to the `masters` that have not replied yet; none at the end. `None` if the masters
    /// change in every round.
    pub(in super::super) fn next<'r>(
        &mut self,
        masters: Vec<Arc<N>>,
        request: &'r Request,
    ) -> Option<Vec<Load<'r, N>>> {
        let new = masters.into_iter();
        let new = new.filter(|node| !contains(&self.nodes, node));
        let loads: Vec<_> = new.map(|node| Load::whole(node, request)).collect();
        if !loads.is_empty() {
            self.left = self.left.checked_sub(1)?;
        }
        Some(loads)
    }

    /// Takes in the result of a load.
    pub(in super::super) fn end(&mut self, load: &Load<'_, N>, done: Result<T, RedisError>) {
        match done {
            Ok(value) => {
                self.nodes.push(load.node.clone());
                self.values.push(value);
            }
            Err(error) => self.failures.push_back((load.node.clone(), error)),
        }
    }

    /// A failure of the last round.
    pub(in super::super) fn failure(&mut self) -> Option<(Arc<N>, RedisError)> {
        self.failures.pop_front()
    }

    /// The results of all masters.
    pub(in super::super) fn finish(self) -> Vec<T> {
        self.values
    }
}

impl<N: Member> Load<'_, N> {
    /// Makes `T` of the replies of a node to the whole request.
    pub(in super::super) fn read_all<T>(
        &self,
        replies: Result<Vec<Value>, Failed>,
        mut read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        let replies = replies.map_err(|failed| failed.error)?;
        read(&mut Reply::new(replies, self.node.server())?)
    }
}
