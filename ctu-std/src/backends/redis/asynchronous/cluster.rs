//! The driver of tasks for a Redis Cluster. All decisions are those of the folder `cluster`.

use super::{
    super::{
        RedisError,
        cluster::{
            Failed, Hop, Load, Member, Next, Nodes, Part, Rounds, Slot, Survey, Turn, Turns,
            contains, is_fatal,
        },
        error::peer,
        reply::Reply,
        request::Request,
    },
    AsyncNode,
};
use crate::backends::net::{Deadline, NetError, join_all};
use parking_lot::Mutex;
use std::{io, sync::Arc, time::Instant};
use tokio::{runtime::Handle, sync::Notify, time::timeout_at};

/// The nodes of a cluster as async caches see them.
pub(in super::super) struct AsyncCluster(Arc<State>);

struct State {
    nodes: Nodes<AsyncNode>,
    turns: Mutex<Turns>,
    /// Notified at the end of each refresh.
    ended: Notify,
}

impl AsyncCluster {
    pub(in super::super) fn new(nodes: Nodes<AsyncNode>) -> Self {
        let (turns, ended) = (Mutex::default(), Notify::new());
        Self(Arc::new(State {
            nodes,
            turns,
            ended,
        }))
    }

    /// The nodes that the user named.
    pub(in super::super) fn seeds(&self) -> &Arc<str> {
        self.0.nodes.label()
    }

    /// Sends each part to the node that has its slot, all at the same time, and makes `T` of the replies.
    /// A redirected part is sent again to its new node, alone. The first failure is the error; the work of
    /// other nodes stays done.
    pub(super) async fn send<T>(
        &self,
        parts: &[Part<'_>],
        deadline: Deadline,
        read: impl Fn(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        let mut rounds = Rounds::new(parts);
        for (index, part) in parts.iter().enumerate() {
            rounds.start(index, self.serving(part.slot, deadline).await);
        }
        loop {
            let loads = rounds.next();
            if loads.is_empty() {
                return rounds.finish();
            }
            let sent = loads.iter().map(|load| {
                let read = |replies| {
                    let mut results = load.read(replies, &read);
                    match results.iter().position(is_fatal) {
                        Some(fatal) => results.swap_remove(fatal).map(|_| Vec::new()),
                        None => Ok(results),
                    }
                };
                exchange(load, deadline, read)
            });
            for (load, results) in loads.iter().zip(join_all(sent).await) {
                if results.is_ok() {
                    self.0.nodes.tracks().answered(load.node.server());
                }
                rounds.end(load, results);
            }
            while let Some((index, node, failed)) = rounds.failure(deadline) {
                let part = rounds.part(index);
                let hop = self.follow(&part, &node, failed, deadline).await;
                rounds.place(index, hop);
            }
        }
    }

    /// The same with one part.
    pub(super) async fn send_one<T>(
        &self,
        part: Part<'_>,
        deadline: Deadline,
        read: impl Fn(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        let mut done = self.send(&[part], deadline, read).await?;
        done.pop()
            .ok_or_else(|| self.0.nodes.not_ready("no answer"))
    }

    /// Sends `request` to every master, all at the same time, and makes `T` of the replies of each.
    pub(super) async fn execute_on_all<T>(
        &self,
        request: &Request,
        deadline: Deadline,
        read: impl Fn(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        let mut survey = Survey::new();
        loop {
            let loads = survey.next(self.masters(deadline).await?, request);
            let loads = loads.ok_or_else(|| self.0.nodes.unsettled())?;
            if loads.is_empty() {
                return Ok(survey.finish());
            }
            let sent = loads.iter().map(|load| {
                let (request, read) = (&*load.request, &read);
                load.node.execute(load.connection, request, deadline, read)
            });
            for (load, done) in loads.iter().zip(join_all(sent).await) {
                survey.end(load, done);
            }
            while let Some((node, error)) = survey.failure() {
                self.replaced(&node, error, deadline).await?;
            }
        }
    }

    /// A master that is not among those that are `done`.
    pub(super) async fn next(
        &self,
        done: &[Arc<AsyncNode>],
        deadline: Deadline,
    ) -> Result<Option<Arc<AsyncNode>>, RedisError> {
        let mut masters = self.masters(deadline).await?.into_iter();
        Ok(masters.find(|node| !contains(done, &**node)))
    }

    /// Whether `node`, which failed with `error`, is no master any more; the error where it is.
    pub(super) async fn replaced(
        &self,
        node: &AsyncNode,
        error: RedisError,
        deadline: Deadline,
    ) -> Result<(), RedisError> {
        self.0.nodes.may_be_replaced(node, &error, deadline)?;
        Nodes::unless_replaced(&self.masters(deadline).await?, node, error)
    }

    /// The next place of `part`, which failed at `node`; the failure where there is no such place.
    async fn follow(
        &self,
        part: &Part<'_>,
        node: &Arc<AsyncNode>,
        failed: Failed,
        deadline: Deadline,
    ) -> Result<Hop<AsyncNode>, RedisError> {
        match self.0.nodes.next(part, node, failed, deadline)? {
            Next::Hop(hop) => Ok(hop),
            Next::Refresh(error) => {
                let _ = self.refresh(true, deadline).await;
                self.0.nodes.elsewhere(part, node, error)
            }
        }
    }

    /// The node that serves `slot`.
    async fn serving(&self, slot: Slot, deadline: Deadline) -> Result<Arc<AsyncNode>, RedisError> {
        let nodes = &self.0.nodes;
        let refreshed = match nodes.is_stale() {
            // A task with a map goes on with it while another task requests the next one.
            true => self.refresh(!nodes.has_map(), deadline).await,
            false => Ok(()),
        };
        nodes.serving(slot, refreshed, deadline)
    }

    /// Every master, as of now: of slots that have moved to a new one nothing else would tell.
    async fn masters(&self, deadline: Deadline) -> Result<Vec<Arc<AsyncNode>>, RedisError> {
        let refreshed = self.refresh(true, deadline).await;
        self.0.nodes.masters(refreshed, deadline)
    }

    /// Requests another map, unless that was done a moment ago or hardly any time is left. `wait` is
    /// whether to wait for a refresh by another task.
    ///
    /// The refresh is a task of its own: callers that are dropped leave it and its waiters as they are.
    async fn refresh(&self, wait: bool, deadline: Deadline) -> Result<(), RedisError> {
        let state = &self.0;
        state.nodes.time_left(deadline)?;
        let runtime = Handle::try_current().map_err(|_| no_runtime(self.seeds()))?;
        let (since, mut wait) = (Instant::now(), wait);
        loop {
            let ended = state.ended.notified();
            let turn = {
                let mut turns = state.turns.lock();
                turns.turn(since, Instant::now(), deadline.at(), wait)
            };
            match turn {
                Turn::Ended(done) => return done,
                Turn::Run => {
                    let running = Running(state.clone(), None);
                    runtime.spawn(running.run(deadline));
                    wait = true;
                }
                Turn::Wait(until) => {
                    let at = deadline.at().min(until);
                    let is_late = timeout_at(at.into(), ended).await.is_err();
                    if is_late && deadline.remaining().is_none() {
                        return state.turns.lock().last();
                    }
                }
            }
        }
    }
}

/// A refresh under way, which ends on drop, also when its runtime ends.
struct Running(Arc<State>, Option<Result<(), RedisError>>);

impl Running {
    async fn run(mut self, deadline: Deadline) {
        self.1 = Some(self.0.request_map(deadline).await);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.turns.lock().end(Instant::now(), self.1.take());
        self.0.ended.notify_waiters();
    }
}

impl State {
    async fn request_map(&self, deadline: Deadline) -> Result<(), RedisError> {
        let (mut first, command) = (None, Nodes::<AsyncNode>::map_command());
        for node in self.nodes.informers() {
            let Ok(left) = self.nodes.time_left(deadline) else {
                break;
            };
            // A node that hangs must leave time for another.
            let part = deadline.at_most(left / 2);
            let map = node.execute(0, &command.request, part, command.read).await;
            match map.and_then(|shards| self.nodes.take_map(&node, &shards)) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    self.nodes.doubt(&node, &error);
                    first.get_or_insert(error);
                }
            }
        }
        Err(first.unwrap_or_else(|| self.nodes.late(deadline)))
    }
}

/// Sends a load to its node.
async fn exchange<T>(
    load: &Load<'_, AsyncNode>,
    deadline: Deadline,
    read: impl Fn(Vec<redis::Value>) -> Result<T, RedisError>,
) -> Result<T, Failed> {
    let (node, request) = (&load.node, &*load.request);
    let done = node
        .exchange(load.connection, request, deadline, read)
        .await;
    match done {
        Ok(done) => {
            node.set_failed(false);
            Ok(done)
        }
        Err(error) => {
            // Without a connection nothing was sent.
            let asked = !matches!(error, RedisError::Net(NetError::Unreachable { .. }));
            Err(Failed { error, asked })
        }
    }
}

fn no_runtime(seeds: &Arc<str>) -> RedisError {
    let none = NetError::Unreachable {
        server: peer(seeds),
        kind: io::ErrorKind::NotConnected,
        why: "there is no tokio runtime".to_owned(),
    };
    none.into()
}
