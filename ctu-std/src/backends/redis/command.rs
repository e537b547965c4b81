//! Requests together with the decoding of their replies. No I/O: the blocking client and the async one
//! run the same values.

#[cfg(feature = "cluster")]
use super::cluster::Slot;
use super::{RedisError, reply::Reply, request::Request};
use crate::backends::net::connection_of;

/// Keys in one command, at most: before Redis 7.0 there may be a million, and during one command the
/// server serves no other client.
const MAX_KEYS_PER_COMMAND: usize = 10_000;

/// Makes `T` of the replies to a request. An error means that no Redis server sends such replies.
pub(super) type Read<T> = fn(&mut Reply) -> Result<T, RedisError>;

/// A request, and the decoding of the replies to it.
pub(super) struct Command<T> {
    pub(super) request: Request,
    pub(super) read: Read<T>,
}

/// The distribution of keys.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layout {
    /// One server has all keys. Of so many connections to it, each key has one.
    Connections(usize),
    /// Each key has a slot of a cluster.
    #[cfg(feature = "cluster")]
    Slots,
}

/// The place of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Connection(usize),
    #[cfg(feature = "cluster")]
    Slot(Slot),
}

#[cfg(feature = "tokio")]
impl Place {
    /// The index of the connection; 0 for a slot, which has none.
    pub(super) fn connection(self) -> usize {
        match self {
            Self::Connection(index) => index,
            #[cfg(feature = "cluster")]
            Self::Slot(_) => 0,
        }
    }
}

impl Layout {
    /// The number of keys that one command names, at most. In a cluster it is one: two keys may be on
    /// different nodes, or be about to.
    pub(super) fn max_keys_per_command(self) -> usize {
        match self {
            Self::Connections(_) => MAX_KEYS_PER_COMMAND,
            #[cfg(feature = "cluster")]
            Self::Slots => 1,
        }
    }

    /// Whether a script may use keys of one slot alone.
    pub(super) fn has_slots(self) -> bool {
        match self {
            Self::Connections(_) => false,
            #[cfg(feature = "cluster")]
            Self::Slots => true,
        }
    }

    /// The place of `key`.
    pub(super) fn place(self, key: &[u8]) -> Place {
        match self {
            Self::Connections(count) => Place::Connection(connection_of(key, count)),
            #[cfg(feature = "cluster")]
            Self::Slots => Place::Slot(Slot::of(key)),
        }
    }

    /// The keys of each place that one command may name.
    pub(super) fn group(self, keys: &[impl AsRef<[u8]>]) -> Vec<Vec<&[u8]>> {
        let keys = keys.iter().map(AsRef::as_ref);
        match self {
            Self::Connections(count) => {
                let mut groups = vec![Vec::new(); count.max(1)];
                for key in keys {
                    groups[connection_of(key, count)].push(key);
                }
                groups
            }
            #[cfg(feature = "cluster")]
            Self::Slots => keys.map(|key| vec![key]).collect(),
        }
    }
}

/// Requests that are sent at once, each to one place, and the decoding of the replies to each.
pub(super) struct Batch<R> {
    pub(super) parts: Parts,
    pub(super) read: R,
}

/// The requests of a batch.
pub(super) struct Parts {
    layout: Layout,
    pub(super) parts: Vec<(Place, Request)>,
}

impl Parts {
    pub(super) fn new(layout: Layout) -> Self {
        let parts = Vec::new();
        Self { layout, parts }
    }

    /// Adds the commands that `write` writes, which change entries at the place of `key`.
    pub(super) fn write<T>(&mut self, key: &[u8], write: impl FnOnce(&mut Request) -> T) -> T {
        let place = self.layout.place(key);
        self.add(place, write)
    }

    /// Adds the commands that `write` writes, which read entries, that of `key` among them. Any
    /// connection serves for them: replies come in the order of the commands.
    pub(super) fn read(&mut self, key: &[u8], write: impl FnOnce(&mut Request)) {
        let place = match (self.layout, self.parts.first()) {
            (Layout::Connections(_), Some((place, _))) => *place,
            _ => self.layout.place(key),
        };
        self.add(place, write);
    }

    fn add<T>(&mut self, place: Place, write: impl FnOnce(&mut Request) -> T) -> T {
        let known = match self.layout {
            Layout::Connections(_) => self.parts.iter_mut().find(|(own, _)| *own == place),
            // Each reply is then that of one key.
            #[cfg(feature = "cluster")]
            Layout::Slots => None,
        };
        if let Some((_, request)) = known {
            return write(request);
        }
        let mut request = Request::batch();
        let written = write(&mut request);
        self.parts.push((place, request));
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_follow_their_keys_and_reads_share_one_request() {
        let keys: Vec<_> = (0..64).map(|n| n.to_string().into_bytes()).collect();
        let (mut writes, mut reads) = (
            Parts::new(Layout::Connections(3)),
            Parts::new(Layout::Connections(3)),
        );
        for key in &keys {
            writes.write(key, |request| request.add(&[b"DEL", key]));
            reads.read(key, |request| request.add(&[b"GET", key]));
        }
        let counts: Vec<_> = writes
            .parts
            .iter()
            .map(|(_, request)| request.commands())
            .collect();
        assert_eq!((counts.len(), counts.iter().sum()), (3, 64));
        assert_eq!(reads.parts.len(), 1);
    }
}
