//! A server that collects the reports of a cycle until its end and answers pings at once, as Redis does,
//! and the connections of nodes to it.

mod tags;

use ctu_std::{
    Cache, CacheError, Clock, Error, Found, ManualClock, Tracked, Tracker, TrackingConnection,
    TrackingError, TrackingMessage,
};
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

/// Two of the keys share a mark, and all share a stripe of the index of marks.
pub(crate) fn mark(key: u32) -> u64 {
    u64::from(key % 5) * 4096
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Down;

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("down")
    }
}

impl std::error::Error for Down {}

impl From<Error> for Down {
    fn from(_: Error) -> Self {
        Self
    }
}

impl CacheError for Down {
    fn as_core(&self) -> Option<Error> {
        None
    }
}

/// The tracking connection of one node, as the server and the network have it.
#[derive(Default)]
struct Line {
    /// The number of the connection: an earlier one of the node is gone.
    number: u32,
    is_open: bool,
    /// The client sees the end of the connection.
    is_cut: bool,
    /// Nothing passes any more, in either direction, without an end.
    is_silent: bool,
    pings: u32,
    /// Whether a ping was answered in the present cycle.
    has_answered: bool,
    collected: Vec<TrackingMessage>,
    /// On the way to the client.
    on_the_way: VecDeque<TrackingMessage>,
    /// At the client.
    arrived: VecDeque<TrackingMessage>,
}

#[derive(Clone, Default)]
struct Stored {
    value: u32,
    /// The tags, with their generations.
    tags: Vec<(u32, u64)>,
}

#[derive(Default)]
pub(crate) struct Server {
    values: HashMap<u32, Stored>,
    /// The generations of tags.
    generations: HashMap<u32, u64>,
    last_generation: u64,
    /// The values with each tag, computed ones included, since its last invalidation.
    tagged: HashMap<u32, Vec<u32>>,
    lines: Vec<Line>,
    /// The time at which each value was replaced or removed.
    superseded: HashMap<u32, u64>,
    /// The time since which each key has a value.
    present: HashMap<u32, u64>,
    /// Whether no connection can be opened.
    pub(crate) refuses: bool,
    /// Whether reports are swallowed, as by a proxy.
    pub(crate) swallows: bool,
}

impl Server {
    fn line(&mut self, node: usize) -> &mut Line {
        if self.lines.len() <= node {
            self.lines.resize_with(node + 1, Line::default);
        }
        &mut self.lines[node]
    }

    fn report(&mut self, message: TrackingMessage) {
        for line in self.lines.iter_mut().filter(|line| line.is_open) {
            if !self.swallows {
                line.collected.push(message);
            }
        }
    }

    pub(crate) fn write(&mut self, key: u32, value: Option<u32>, now: u64) {
        let tags = Vec::new();
        self.write_stored(key, value.map(|value| Stored { value, tags }), now);
    }

    fn write_stored(&mut self, key: u32, stored: Option<Stored>, now: u64) {
        let is_change = stored.is_some();
        let before = match stored {
            Some(stored) => {
                self.present.entry(key).or_insert(now);
                self.values.insert(key, stored)
            }
            None => {
                self.present.remove(&key);
                self.values.remove(&key)
            }
        };
        if let Some(before) = &before {
            self.superseded.entry(before.value).or_insert(now);
        }
        if before.is_some() || is_change {
            self.report(TrackingMessage::Changed(mark(key)));
        }
    }

    pub(crate) fn flush(&mut self, now: u64) {
        self.lose_all(now);
        self.report(TrackingMessage::AllChanged);
    }

    fn lose_all(&mut self, now: u64) {
        for (_, lost) in self.values.drain() {
            self.superseded.entry(lost.value).or_insert(now);
        }
        for tag in self.generations.keys().copied().collect::<Vec<_>>() {
            self.lose_generation(tag, now);
        }
        self.present.clear();
    }

    /// All values are lost, without a report, and all connections end.
    pub(crate) fn restart(&mut self, now: u64) {
        self.lose_all(now);
        for line in &mut self.lines {
            (line.is_open, line.is_cut) = (false, true);
        }
    }

    /// Answers the pings of a node. A ping that was sent after an answer is in a later cycle than that.
    pub(crate) fn execute(&mut self, node: usize) {
        let line = self.line(node);
        if line.pings == 0 || line.is_silent {
            return;
        }
        if line.has_answered {
            self.end_cycle();
        }
        let line = self.line(node);
        line.pings -= 1;
        line.has_answered = true;
        line.on_the_way.push_back(TrackingMessage::Pong);
    }

    pub(crate) fn end_cycle(&mut self) {
        for line in &mut self.lines {
            line.has_answered = false;
            let collected = line.collected.drain(..);
            line.on_the_way.extend(collected);
        }
    }

    pub(crate) fn deliver(&mut self, node: usize, count: usize) {
        let line = self.line(node);
        if line.is_silent {
            return;
        }
        let count = count.min(line.on_the_way.len());
        let delivered = line.on_the_way.drain(..count);
        line.arrived.extend(delivered);
    }

    /// Ends the connection of a node; messages on the way are lost.
    pub(crate) fn cut(&mut self, node: usize) {
        let line = self.line(node);
        line.is_open = false;
        line.is_cut = true;
        line.on_the_way.clear();
    }

    pub(crate) fn silence(&mut self, node: usize) {
        self.line(node).is_silent = true;
    }

    /// The time at which `value` was replaced or removed.
    pub(crate) fn superseded_at(&self, value: u32) -> Option<u64> {
        self.superseded.get(&value).copied()
    }

    /// The time since which `key` has a value.
    pub(crate) fn present_since(&self, key: u32) -> Option<u64> {
        self.present.get(&key).copied()
    }
}

/// The steps of others between the execution of a request and its answer.
type During = Box<dyn FnOnce() + Send>;

/// The second level of one node.
pub(crate) struct Link {
    node: usize,
    pub(crate) server: Arc<Mutex<Server>>,
    clock: Arc<ManualClock>,
    pub(crate) during: Mutex<Option<During>>,
    pub(crate) asked: AtomicU32,
    /// The tag of every entry.
    common: Option<u32>,
}

impl Link {
    pub(crate) fn new(node: usize, server: &Arc<Mutex<Server>>, clock: &Arc<ManualClock>) -> Self {
        Self {
            node,
            server: Arc::clone(server),
            clock: Arc::clone(clock),
            during: Mutex::new(None),
            asked: AtomicU32::new(0),
            common: None,
        }
    }

    fn ask<T>(&self, request: impl FnOnce(&mut Server, u64) -> T) -> T {
        self.asked.fetch_add(1, SeqCst);
        let now = self.clock.now();
        let answer = request(&mut self.server.lock().unwrap(), now);
        let during = self.during.lock().unwrap().take();
        if let Some(during) = during {
            during();
        }
        answer
    }
}

impl Cache for Link {
    type Key = u32;
    type Value = u32;
    type Error = Down;

    fn get(&self, key: &u32) -> Result<Option<u32>, Down> {
        Ok(self.ask(|server, _| server.get(*key)))
    }

    fn get_with_ttl(&self, key: &u32) -> Result<Found<u32>, Down> {
        Ok(self.get(key)?.map(|value| (value, None)))
    }

    fn get_many_with_ttl(&self, keys: &[&u32]) -> Result<Vec<Found<u32>>, Down> {
        Ok(self.ask(|server, _| {
            let found = keys.iter().map(|key| server.get(**key));
            found
                .map(|found| found.map(|value| (value, None)))
                .collect()
        }))
    }

    fn insert_entry(&self, key: &u32, value: u32, _: Option<Duration>) -> Result<(), Down> {
        self.ask(|server, now| server.write_tagged(*key, value, &self.with_common(&[]), now));
        Ok(())
    }

    fn remove(&self, key: &u32) -> Result<bool, Down> {
        Ok(self.ask(|server, now| {
            let had = server.values.contains_key(key);
            server.write(*key, None, now);
            had
        }))
    }

    fn clear(&self) -> Result<(), Down> {
        self.ask(Server::flush);
        Ok(())
    }

    fn len(&self) -> Result<usize, Down> {
        Ok(self.ask(|server, _| server.values.len()))
    }
}

impl Tracked for Link {
    type Key = u32;
    type Value = u32;

    fn mark(&self, key: &u32) -> Option<u64> {
        Some(mark(*key))
    }

    fn tracker(&self) -> Arc<dyn Tracker> {
        Arc::new(ModelTracker(self.node, Arc::clone(&self.server)))
    }
}

struct ModelTracker(usize, Arc<Mutex<Server>>);

struct ModelConnection {
    node: usize,
    number: u32,
    server: Arc<Mutex<Server>>,
}

impl Tracker for ModelTracker {
    fn open(&self) -> Result<Box<dyn TrackingConnection>, TrackingError> {
        let mut server = self.1.lock().unwrap();
        if server.refuses {
            return Err(TrackingError::Lost("down".into()));
        }
        let line = server.line(self.0);
        *line = Line {
            number: line.number + 1,
            is_open: true,
            ..Line::default()
        };
        Ok(Box::new(ModelConnection {
            node: self.0,
            number: line.number,
            server: Arc::clone(&self.1),
        }))
    }
}

fn lost() -> TrackingError {
    TrackingError::Lost("the connection ended".into())
}

impl TrackingConnection for ModelConnection {
    fn ping(&mut self) -> Result<(), TrackingError> {
        let mut server = self.server.lock().unwrap();
        let line = server.line(self.node);
        if line.number != self.number {
            return Err(lost());
        }
        line.pings += 1;
        Ok(())
    }

    fn receive(
        &mut self,
        _: Duration,
        each: &mut dyn FnMut(TrackingMessage),
    ) -> Result<(), TrackingError> {
        let mut server = self.server.lock().unwrap();
        let line = server.line(self.node);
        if line.number != self.number {
            return Err(lost());
        }
        let arrived: Vec<_> = line.arrived.drain(..).collect();
        let is_over = line.is_cut && !line.is_silent;
        drop(server);
        arrived.into_iter().for_each(each);
        match is_over {
            true => Err(lost()),
            false => Ok(()),
        }
    }
}
