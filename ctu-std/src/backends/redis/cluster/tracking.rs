//! The tracking connections of a cluster: one to each master, which together are one.
//!
//! A pair of pings is answered once every master has answered, so a lease holds for the keys of all of
//! them. The ping is an `EXISTS` of a key in a slot of the master: a master that was demoted or cut off
//! from the others answers it with an error, and would go on to answer `PING`.
//!
//! A slot that moves takes its keys along by `MIGRATE`, which deletes them at the old master: it reports
//! that. The new master may have no tracking connection yet. Its answers are counted (`tracks`), so the
//! first level keeps none of them, and the connections are opened again to the masters of the new map.

use super::{
    super::{
        RedisError,
        node::Node,
        tracking::{Beat, RedisTracking, TrackerSettings, sorted},
    },
    blocking::Cluster,
    slot::Slot,
};
use crate::{
    backends::net::{Deadline, Stream, wait_for_any},
    caches::{Tracker, TrackingConnection, TrackingError, TrackingMessage},
};
use std::{sync::Arc, time::Duration};

/// The largest number of keys that are tried for the slots of all masters.
const MOST_KEYS: u32 = 1 << 18;

/// The longest wait for messages: answers of other nodes are noticed after it.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Masters, each with a key in one of its slots.
type Places = Vec<(Arc<Node>, Vec<u8>)>;

/// Opens tracking connections to the masters of a cluster.
pub(in super::super) struct ClusterTracker {
    pub(in super::super) cluster: Arc<Cluster>,
    pub(in super::super) settings: TrackerSettings,
}

impl ClusterTracker {
    /// Each master that can have keys with the prefix, and a key in one of its slots.
    fn places(&self, masters: Vec<Arc<Node>>) -> Result<Places, TrackingError> {
        let prefix = &*self.settings.prefix;
        let key = |number: u32| [prefix, b"{", number.to_string().as_bytes(), b"}"].concat();
        // The prefix has a hash tag: all keys are in one slot.
        let has_one_slot = (1..8).all(|number| Slot::of(&key(number)) == Slot::of(&key(0)));
        let (mut left, mut places) = (masters, Vec::new());
        for key in (0..MOST_KEYS).map(key) {
            let node = self.cluster.serves(Slot::of(&key));
            let is_node = |other: &Arc<Node>| {
                let node = node.as_ref();
                node.is_some_and(|node| node.server() == other.server())
            };
            if let Some(position) = left.iter().position(is_node) {
                places.push((left.swap_remove(position), key));
            }
            if left.is_empty() || has_one_slot {
                break;
            }
        }
        match places.is_empty() || (!left.is_empty() && !has_one_slot) {
            true => Err(TrackingError::Lost("a master without slots".into())),
            false => Ok(places),
        }
    }

    fn masters(&self) -> Result<Vec<Arc<Node>>, TrackingError> {
        let deadline = Deadline::after(self.settings.deadline);
        let masters = self.cluster.masters(deadline);
        masters.map_err(|error| sorted(&error))
    }
}

impl Tracker for ClusterTracker {
    fn open(&self) -> Result<Box<dyn TrackingConnection>, TrackingError> {
        if !cfg!(unix) {
            let reason = "a cluster cannot be tracked on this operating system";
            return Err(TrackingError::Refused(reason.into()));
        }
        let tracks = self.cluster.tracks();
        tracks.switch_on();
        let seen = tracks.unreported();
        let mut members = Vec::new();
        for (node, key) in self.places(self.masters()?)? {
            let tracking = self.settings.open(&node, Beat::Exists(key))?;
            members.push(tracking);
        }
        tracks.set(
            members
                .iter()
                .map(|member| member.server().clone())
                .collect(),
        );
        Ok(Box::new(ClusterTracking {
            waiting: vec![false; members.len()],
            members,
            cluster: self.cluster.clone(),
            seen,
            deadline: self.settings.deadline,
        }))
    }

    fn unreported(&self) -> u64 {
        self.cluster.tracks().unreported()
    }
}

/// Connections on which the masters of a cluster report changed keys.
struct ClusterTracking {
    members: Vec<RedisTracking>,
    /// The members that have not answered the ping.
    waiting: Vec<bool>,
    cluster: Arc<Cluster>,
    /// The number of answers of other nodes at the last look at the map.
    seen: u64,
    deadline: Duration,
}

/// An error ends the connections, and the next ones may be to other masters.
fn lost(error: impl ToString) -> TrackingError {
    TrackingError::Lost(error.to_string())
}

impl ClusterTracking {
    /// Ends the connections if a node without one has become a master.
    fn check_masters(&mut self) -> Result<(), TrackingError> {
        let unreported = self.cluster.tracks().unreported();
        if unreported == self.seen {
            return Ok(());
        }
        let masters = self.cluster.masters(Deadline::after(self.deadline));
        let masters = masters.map_err(lost)?;
        let is_tracked = |node: &Arc<Node>| {
            let mut servers = self.members.iter().map(RedisTracking::server);
            servers.any(|server| server == node.server())
        };
        if !masters.iter().all(is_tracked) {
            return Err(lost("the cluster has another master"));
        }
        self.seen = unreported;
        Ok(())
    }

    fn receive_all(&mut self, each: &mut dyn FnMut(TrackingMessage)) -> Result<bool, RedisError> {
        let (mut any, mut unasked) = (false, None);
        for (member, waiting) in self.members.iter_mut().zip(&mut self.waiting) {
            let server = member.server().clone();
            let mut one = |message| match message {
                TrackingMessage::Pong if *waiting => *waiting = false,
                TrackingMessage::Pong => unasked = Some(server.clone()),
                message => each(message),
            };
            any |= member.receive_now(&mut one)?;
        }
        match unasked {
            Some(server) => Err(RedisError::protocol(&server, "an answer without a ping")),
            None => Ok(any),
        }
    }
}

impl TrackingConnection for ClusterTracking {
    fn ping(&mut self) -> Result<(), TrackingError> {
        self.waiting.fill(true);
        self.members.iter_mut().try_for_each(|member| member.ping())
    }

    fn receive(
        &mut self,
        wait: Duration,
        each: &mut dyn FnMut(TrackingMessage),
    ) -> Result<(), TrackingError> {
        self.check_masters()?;
        let was_waiting = self.waiting.contains(&true);
        // Some may have arrived together with the last ones of the subscription.
        if !self.receive_all(each).map_err(lost)? {
            let streams = self.members.iter_mut().map(RedisTracking::stream);
            let streams: Vec<&mut Stream> = streams.collect();
            wait_for_any(streams, wait.min(LONGEST_WAIT)).map_err(lost)?;
            self.receive_all(each).map_err(lost)?;
        }
        if was_waiting && !self.waiting.contains(&true) {
            each(TrackingMessage::Pong);
        }
        Ok(())
    }
}
