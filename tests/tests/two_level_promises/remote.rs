//! A second level in memory, shared by nodes, and the faults between nodes and second level.

#[path = "remote/tags.rs"]
mod tags;

use crate::millis;
use ctu_std::{Cache, CacheError, Clock, Error, Found, ManualClock};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

/// How long an operation that is not answered takes.
pub(crate) const DEADLINE: Duration = millis(200);
/// How long a request may be under way once its node is answered again.
pub(crate) const SETTLE: Duration = millis(1_000);
/// How long entries live.
pub(crate) const TTL: Duration = millis(60_000);

/// A value that no node can decode, as of another program's.
pub(crate) const DAMAGED: u32 = u32::MAX;

/// A key that no request can name: it is refused before anything is sent.
pub(crate) const UNNAMED: u32 = u32::MAX - 1;

/// The fault that the requests of one node meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// They fail at once.
    Refused,
    /// They are lost, which is noticed when the deadline passes.
    Lost,
    /// They are done, but the answers are lost.
    Unanswered,
    /// They are done later, after their deadline.
    Late,
    /// Writes are refused, as by a server without memory; reads and deletes are done.
    Full,
    /// Every request fails with an error of the caller.
    Blamed,
    /// No request is sent, for want of a free connection.
    Overloaded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Core(Error),
    Down,
    Blamed,
    Overloaded,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Failed {}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl CacheError for Failed {
    fn as_core(&self) -> Option<Error> {
        match self {
            Self::Core(error) => Some(*error),
            _ => None,
        }
    }

    fn is_outage(&self) -> bool {
        *self == Self::Down
    }

    fn is_overload(&self) -> bool {
        *self == Self::Overloaded
    }
}

/// An entry at the server.
struct Stored {
    value: u32,
    /// The end of its life.
    end: u64,
    /// Its tag, with the generation of that.
    tag: Option<(u32, usize)>,
}

#[derive(Default)]
pub(crate) struct Server {
    values: HashMap<u32, Stored>,
    /// The generations of tags.
    generations: HashMap<u32, usize>,
    last_generation: usize,
    late: Vec<Late>,
}

/// A request that is still under way.
struct Late {
    node: usize,
    request: Request,
    /// The last moment for it, once its node was answered again.
    until: Option<u64>,
}

#[derive(Clone)]
enum Request {
    Put(Vec<(u32, u32)>, u64),
    /// Inserts an entry with a tag.
    PutTagged(u32, u32, u32, u64),
    /// The same, unless the tag has another generation.
    PutUnder(u32, u32, (u32, usize), u64),
    /// Takes the generation of a tag.
    Take(u32),
    Invalidate(u32),
    Remove(Vec<u32>),
    Clear,
}

impl Request {
    /// Whether it needs memory at the server.
    fn stores(&self) -> bool {
        matches!(
            self,
            Self::Put(..) | Self::PutTagged(..) | Self::PutUnder(..)
        )
    }

    fn check(&self) -> Result<(), Error> {
        let unnamed = match self {
            Self::Put(entries, _) => entries.iter().any(|(key, _)| *key == UNNAMED),
            Self::Remove(keys) => keys.contains(&UNNAMED),
            _ => false,
        };
        match unnamed {
            true => Err(Error::KeyTooLong { len: 5, max: 4 }),
            false => Ok(()),
        }
    }
}

impl Server {
    fn run(&mut self, request: &Request, now: u64) -> usize {
        match request {
            Request::Put(entries, ttl) => {
                for (key, value) in entries {
                    self.store(*key, *value, now + ttl, None);
                }
                0
            }
            Request::PutTagged(key, value, tag, ttl) => {
                let generation = self.take(*tag);
                self.store(*key, *value, now + ttl, Some((*tag, generation)));
                0
            }
            Request::PutUnder(key, value, tag, ttl) => {
                let stores = self.is_present(*tag);
                if stores {
                    self.store(*key, *value, now + ttl, Some(*tag));
                }
                usize::from(stores)
            }
            Request::Take(tag) => self.take(*tag),
            Request::Invalidate(tag) => {
                self.invalidate(*tag);
                0
            }
            Request::Remove(keys) => {
                let removed = keys.iter().filter(|key| self.values.remove(key).is_some());
                removed.count()
            }
            Request::Clear => {
                self.values.clear();
                0
            }
        }
    }

    /// Executes the delayed requests that are due.
    fn arrive(&mut self, now: u64) {
        while let Some(at) = self
            .late
            .iter()
            .position(|late| late.until.is_some_and(|until| until <= now))
        {
            let late = self.late.remove(at);
            self.run(&late.request, now);
        }
    }

    /// Lets one of the late requests arrive now.
    pub(crate) fn deliver(&mut self, which: usize, now: u64) {
        if !self.late.is_empty() {
            let late = self.late.remove(which % self.late.len());
            self.run(&late.request, now);
        }
    }

    /// The values that other nodes than `node` sent to `key`, and that are still under way.
    pub(crate) fn under_way(&self, node: usize, key: u32) -> Vec<u32> {
        let late = self.late.iter().filter(|late| late.node != node);
        late.flat_map(|late| match &late.request {
            Request::Put(entries, _) => entries.clone(),
            Request::PutTagged(key, value, ..) | Request::PutUnder(key, value, ..) => {
                vec![(*key, *value)]
            }
            _ => Vec::new(),
        })
        .filter_map(|(at, value)| (at == key).then_some(value))
        .collect()
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.late.is_empty()
    }

    /// All that it has is lost.
    pub(crate) fn restart(&mut self) {
        self.values.clear();
        self.generations.clear();
    }
}

/// The way of one node to the server.
pub(crate) struct Link {
    pub(crate) node: usize,
    pub(crate) server: Arc<Mutex<Server>>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) fault: Mutex<Fault>,
    pub(crate) asked: AtomicU32,
}

impl Link {
    pub(crate) fn new(node: usize, server: &Arc<Mutex<Server>>, clock: &Arc<ManualClock>) -> Self {
        Self {
            node,
            server: Arc::clone(server),
            clock: Arc::clone(clock),
            fault: Mutex::new(Fault::None),
            asked: AtomicU32::new(0),
        }
    }

    pub(crate) fn fail(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn write(&self, request: &Request) -> Result<usize, Failed> {
        request.check()?;
        self.asked.fetch_add(1, SeqCst);
        let fault = *self.fault.lock().unwrap();
        let mut server = self.server.lock().unwrap();
        server.arrive(self.clock.now());
        match fault {
            Fault::None => {}
            Fault::Full if !request.stores() => {}
            Fault::Full | Fault::Refused => return Err(Failed::Down),
            Fault::Blamed => return Err(Failed::Blamed),
            Fault::Overloaded => return Err(Failed::Overloaded),
            Fault::Unanswered => drop(server.run(request, self.clock.now())),
            Fault::Late => server.late.push(Late {
                node: self.node,
                request: request.clone(),
                until: None,
            }),
            Fault::Lost => {}
        }
        if !matches!(fault, Fault::None | Fault::Full) {
            self.clock.advance(DEADLINE);
            return Err(Failed::Down);
        }
        let done = server.run(request, self.clock.now());
        self.answered(&mut server);
        Ok(done)
    }

    fn read<T>(&self, read: impl FnOnce(&Server, u64) -> Result<T, Failed>) -> Result<T, Failed> {
        self.asked.fetch_add(1, SeqCst);
        match *self.fault.lock().unwrap() {
            Fault::None | Fault::Full => {}
            Fault::Refused => return Err(Failed::Down),
            Fault::Blamed => return Err(Failed::Blamed),
            Fault::Overloaded => return Err(Failed::Overloaded),
            Fault::Lost | Fault::Unanswered | Fault::Late => {
                self.clock.advance(DEADLINE);
                return Err(Failed::Down);
            }
        }
        let now = self.clock.now();
        let mut server = self.server.lock().unwrap();
        server.arrive(now);
        let found = read(&server, now);
        self.answered(&mut server);
        found
    }

    fn answered(&self, server: &mut Server) {
        let until = self.clock.now() + SETTLE.as_millis() as u64;
        for late in server.late.iter_mut().filter(|late| late.node == self.node) {
            late.until.get_or_insert(until - 1);
        }
    }
}

fn found(server: &Server, key: u32, now: u64) -> Result<Found<u32>, Failed> {
    match server.entry(key, now) {
        Some(stored) if stored.value == DAMAGED => {
            Err(Error::Decode("a value of this program").into())
        }
        Some(stored) => Ok(Some((stored.value, Some(millis(stored.end - now))))),
        None => Ok(None),
    }
}

fn time(ttl: Option<Duration>) -> u64 {
    ttl.unwrap_or(TTL).as_millis() as u64
}

impl Cache for Link {
    type Key = u32;
    type Value = u32;
    type Error = Failed;

    fn get(&self, key: &u32) -> Result<Option<u32>, Failed> {
        Ok(self.get_with_ttl(key)?.map(|(value, _)| value))
    }
    fn get_with_ttl(&self, key: &u32) -> Result<Found<u32>, Failed> {
        self.read(|server, now| found(server, *key, now))
    }
    fn insert_entry(&self, key: &u32, value: u32, ttl: Option<Duration>) -> Result<(), Failed> {
        self.write(&Request::Put(vec![(*key, value)], time(ttl)))
            .map(drop)
    }
    fn remove(&self, key: &u32) -> Result<bool, Failed> {
        Ok(self.write(&Request::Remove(vec![*key]))? > 0)
    }
    fn clear(&self) -> Result<(), Failed> {
        self.write(&Request::Clear).map(drop)
    }
    fn len(&self) -> Result<usize, Failed> {
        self.read(|server, _| Ok(server.values.len()))
    }
    fn default_ttl(&self) -> Option<Duration> {
        Some(TTL)
    }
    fn retain(&self, keep: &mut dyn FnMut(&u32) -> bool) -> Result<(), Failed> {
        let mut keys: Vec<u32> =
            self.read(|server, _| Ok(server.values.keys().copied().collect()))?;
        keys.retain(|key| !keep(key));
        self.write(&Request::Remove(keys)).map(drop)
    }
    fn get_many_with_ttl(&self, keys: &[&u32]) -> Result<Vec<Found<u32>>, Failed> {
        self.read(|server, now| keys.iter().map(|key| found(server, **key, now)).collect())
    }
    fn insert_many(&self, entries: Vec<(&u32, u32)>, ttl: Option<Duration>) -> Result<(), Failed> {
        let entries = entries.into_iter().map(|(key, value)| (*key, value));
        self.write(&Request::Put(entries.collect(), time(ttl)))
            .map(drop)
    }
    fn remove_many(&self, keys: &[&u32]) -> Result<usize, Failed> {
        self.write(&Request::Remove(keys.iter().map(|key| **key).collect()))
    }
}
