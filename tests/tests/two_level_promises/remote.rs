//! A second level in memory, shared by nodes, and the faults between nodes and second level.

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

#[derive(Default)]
pub(crate) struct Server {
    /// With the moment that each ends at.
    values: HashMap<u32, (u32, u64)>,
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
    Remove(Vec<u32>),
    Clear,
}

impl Request {
    fn check(&self) -> Result<(), Error> {
        let unnamed = match self {
            Self::Put(entries, _) => entries.iter().any(|(key, _)| *key == UNNAMED),
            Self::Remove(keys) => keys.contains(&UNNAMED),
            Self::Clear => false,
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
                let entries = entries.iter();
                self.values
                    .extend(entries.map(|(key, value)| (*key, (*value, now + ttl))));
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
            Fault::Full if !matches!(request, Request::Put(..)) => {}
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

    fn read<T>(
        &self,
        read: impl FnOnce(&HashMap<u32, (u32, u64)>, u64) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
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
        let found = read(&server.values, now);
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

fn found(values: &HashMap<u32, (u32, u64)>, key: u32, now: u64) -> Result<Found<u32>, Failed> {
    match values.get(&key).filter(|(_, end)| *end > now) {
        Some((DAMAGED, _)) => Err(Error::Decode("a value of this program").into()),
        Some((value, end)) => Ok(Some((*value, Some(millis(end - now))))),
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
        self.read(|values, now| found(values, *key, now))
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
        self.read(|values, _| Ok(values.len()))
    }
    fn default_ttl(&self) -> Option<Duration> {
        Some(TTL)
    }
    fn retain(&self, keep: &mut dyn FnMut(&u32) -> bool) -> Result<(), Failed> {
        let mut keys: Vec<u32> = self.read(|values, _| Ok(values.keys().copied().collect()))?;
        keys.retain(|key| !keep(key));
        self.write(&Request::Remove(keys)).map(drop)
    }
    fn get_many_with_ttl(&self, keys: &[&u32]) -> Result<Vec<Found<u32>>, Failed> {
        self.read(|values, now| keys.iter().map(|key| found(values, **key, now)).collect())
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
