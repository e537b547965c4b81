//! The driver of threads.

use super::{
    super::{RedisError, node::Node, reply::Reply, request::Request},
    exchange::exchange,
    hops::{Hop, Next},
    nodes::{Nodes, contains},
    refresh::Refresh,
    rounds::{Failed, Part, Rounds, is_fatal},
    slot::Slot,
    survey::Survey,
    tracks::Tracks,
};
use crate::backends::net::{ConnectionError, Deadline, Disposition};
use std::sync::Arc;

/// The nodes of a cluster as blocking caches see them.
pub(in super::super) struct Cluster {
    nodes: Nodes<Node>,
    refresh: Refresh,
}

impl Cluster {
    pub(in super::super) fn new(nodes: Nodes<Node>) -> Self {
        Self {
            nodes,
            refresh: Refresh::default(),
        }
    }

    /// The nodes that the user named.
    pub(in super::super) fn seeds(&self) -> &str {
        self.nodes.label()
    }

    /// The nodes that report changes.
    pub(super) fn tracks(&self) -> &Tracks {
        self.nodes.tracks()
    }

    /// The node that serves `slot`, as far as is known.
    pub(super) fn serves(&self, slot: Slot) -> Option<Arc<Node>> {
        self.nodes.serves(slot)
    }

    /// Sends each part to the node that has its slot, all at the same time, and makes `T` of the replies.
    /// A redirected part is sent again to its new node, alone. The first failure is the error; the work of
    /// other nodes stays done.
    pub(in super::super) fn send<T>(
        &self,
        parts: &[Part<'_>],
        deadline: Deadline,
        mut read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        let mut rounds = Rounds::new(parts);
        for (index, part) in parts.iter().enumerate() {
            rounds.start(index, self.serving(part.slot, deadline));
        }
        loop {
            let loads = rounds.next();
            if loads.is_empty() {
                return rounds.finish();
            }
            exchange(loads, deadline, |load, replies| {
                if replies.is_ok() {
                    self.nodes.tracks().answered(load.node.server());
                }
                let results = replies.map(|replies| load.read(replies, &mut read));
                let after = match &results {
                    Ok(results) if results.iter().any(is_fatal) => Disposition::Close,
                    Ok(_) => Disposition::Reuse,
                    Err(Failed { error, .. }) => error.disposition(),
                };
                rounds.end(load, results);
                after
            });
            while let Some((index, node, failed)) = rounds.failure(deadline) {
                let hop = self.follow(&rounds.part(index), &node, failed, deadline);
                rounds.place(index, hop);
            }
        }
    }

    /// The same with one part.
    pub(in super::super) fn send_one<T>(
        &self,
        part: Part<'_>,
        deadline: Deadline,
        read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        let mut done = self.send(&[part], deadline, read)?;
        done.pop().ok_or_else(|| self.nodes.not_ready("no answer"))
    }

    /// Sends `request` to every master, all at the same time, and makes `T` of the replies of each.
    pub(in super::super) fn execute_on_all<T>(
        &self,
        request: &Request,
        deadline: Deadline,
        mut read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        let mut survey = Survey::new();
        loop {
            let loads = survey.next(self.masters(deadline)?, request);
            let loads = loads.ok_or_else(|| self.nodes.unsettled())?;
            if loads.is_empty() {
                return Ok(survey.finish());
            }
            exchange(loads, deadline, |load, replies| {
                let done = load.read_all(replies, &mut read);
                let after = match &done {
                    Ok(_) => Disposition::Reuse,
                    Err(error) => error.disposition(),
                };
                survey.end(load, done);
                after
            });
            while let Some((node, error)) = survey.failure() {
                self.replaced(&node, error, deadline)?;
            }
        }
    }

    /// A master that is not among those that are `done`.
    pub(in super::super) fn next(
        &self,
        done: &[Arc<Node>],
        deadline: Deadline,
    ) -> Result<Option<Arc<Node>>, RedisError> {
        let mut masters = self.masters(deadline)?.into_iter();
        Ok(masters.find(|node| !contains(done, &**node)))
    }

    /// Whether `node`, which failed with `error`, is no master any more; the error where it is.
    pub(in super::super) fn replaced(
        &self,
        node: &Arc<Node>,
        error: RedisError,
        deadline: Deadline,
    ) -> Result<(), RedisError> {
        self.nodes.may_be_replaced(node, &error, deadline)?;
        Nodes::unless_replaced(&self.masters(deadline)?, node, error)
    }

    /// The next place of `part`, which failed at `node`; the failure where there is no such place.
    fn follow(
        &self,
        part: &Part<'_>,
        node: &Arc<Node>,
        failed: Failed,
        deadline: Deadline,
    ) -> Result<Hop<Node>, RedisError> {
        match self.nodes.next(part, node, failed, deadline)? {
            Next::Hop(hop) => Ok(hop),
            Next::Refresh(error) => {
                let _ = self.refresh(Some(deadline), deadline);
                self.nodes.elsewhere(part, node, error)
            }
        }
    }

    /// The node that serves `slot`.
    fn serving(&self, slot: Slot, deadline: Deadline) -> Result<Arc<Node>, RedisError> {
        let refreshed = match self.nodes.is_stale() {
            // A thread with a map goes on with it while another thread requests the next one.
            true => self.refresh((!self.nodes.has_map()).then_some(deadline), deadline),
            false => Ok(()),
        };
        self.nodes.serving(slot, refreshed, deadline)
    }

    /// Every master, as of now: of slots that have moved to a new one nothing else would tell.
    pub(super) fn masters(&self, deadline: Deadline) -> Result<Vec<Arc<Node>>, RedisError> {
        let refreshed = self.refresh(Some(deadline), deadline);
        self.nodes.masters(refreshed, deadline)
    }

    /// Requests another map, unless that was done a moment ago or hardly any time is left. Waits for another
    /// thread that requests it, at most until the instant in `wait`.
    fn refresh(&self, wait: Option<Deadline>, deadline: Deadline) -> Result<(), RedisError> {
        self.nodes.time_left(deadline)?;
        self.refresh.run(wait, deadline, || {
            let mut first = None;
            for node in self.nodes.informers() {
                let Ok(left) = self.nodes.time_left(deadline) else {
                    break;
                };
                // A node that hangs must leave time for another.
                let map = Nodes::<Node>::map_command();
                let map = node.execute(&map.request, deadline.at_most(left / 2), map.read);
                match map.and_then(|shards| self.nodes.take_map(&node, &shards)) {
                    Ok(()) => return Ok(()),
                    Err(error) => {
                        self.nodes.doubt(&node, &error);
                        first.get_or_insert(error);
                    }
                }
            }
            Err(first.unwrap_or_else(|| self.nodes.late(deadline)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::{
        net::{Limits, NetError},
        redis::{address::Target, allowed::AllowedNodes, cluster::Member},
    };
    use std::time::Duration;

    #[test]
    fn expired_deadline_does_not_mark_a_node_failed() {
        // No server listens there.
        let settings = Target::from_url("redis://127.0.0.1:1").unwrap().settings;
        let nodes = Nodes::new(settings, &[], Limits::default(), AllowedNodes::default());
        let cluster = Cluster::new(nodes);
        let refresh = |time| {
            let deadline = Deadline::after(time);
            cluster.refresh(Some(deadline), deadline)
        };
        let has_failed = || cluster.nodes.informers()[0].has_failed();
        let late = refresh(Duration::ZERO);
        let is_late = matches!(late, Err(RedisError::Net(NetError::TimedOut { .. })));
        assert!(is_late, "{late:?}");
        assert!(!has_failed());
        let refused = refresh(Duration::from_secs(60));
        let is_refused = matches!(refused, Err(RedisError::Net(NetError::Unreachable { .. })));
        assert!(is_refused, "{refused:?}");
        assert!(has_failed());
    }
}
