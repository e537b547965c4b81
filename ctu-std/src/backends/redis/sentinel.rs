//! The master that Redis Sentinel names: asked for whenever a connection is opened.

use super::{
    RedisBuilder, RedisCache, RedisError, address::Target, allowed::AllowedNodes, bounds::Bounds,
    link::Link, reply::Reply, request::Request, settings::Settings,
};
#[cfg(feature = "tokio")]
use super::{asynchronous, resp::Replies};
#[cfg(feature = "tokio")]
use crate::backends::net::Multiplexed;
use crate::backends::net::{Address, Deadline, Limits};
use redis::Value;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

impl RedisCache<str, String> {
    /// Starts to build a cache on the master that Redis Sentinel watches under the name `master`.
    /// The cache follows the master after a failover.
    ///
    /// `sentinels` are the addresses of some of the sentinels, as for [`builder`](Self::builder),
    /// each with its own user, password and TLS; the port is 26379 unless given. `master` is the name
    /// alone, `"mymaster"`, or an address with the name in place of host and port, such as
    /// `"rediss://user:password@mymaster/2?socket_timeout=0.5"`. User, password, database, TLS and
    /// parameters of the address, and all settings of the builder, are those of the master.
    ///
    /// ```no_run
    /// use ctu_std::{Cache, CacheExt, RedisCache};
    /// let sentinels = ["redis://:hush@10.0.0.1", "redis://:hush@10.0.0.2", "redis://:hush@10.0.0.3"];
    /// let cache = RedisCache::sentinel(sentinels, "redis://:secret@mymaster").build()?;
    /// cache.insert("answer", 42)?;
    /// # Ok::<(), ctu_std::RedisError>(())
    /// ```
    ///
    /// # Operation
    /// * **A new connection** asks the sentinels in turn for the address of the master, the sentinel
    ///   that answered last first. A sentinel that is dead or does not know the name costs its share
    ///   of the [connect deadline](RedisBuilder::connect_deadline). The server at that address has to
    ///   say by `ROLE` that it is a master; otherwise the next sentinel is asked. The user of the
    ///   master therefore needs the command `ROLE`.
    /// * **During a failover** operations fail with an [outage](ctu_core::CacheError::is_outage).
    ///   Sentinel closes the connections to a former master when it makes it a replica, and a
    ///   connection that meets a replica (`READONLY`) is closed; the next operation asks the
    ///   sentinels again.
    /// * **A write that the former master acknowledged** and no replica had is lost, as it is with
    ///   every client of Sentinel.
    ///
    /// # Errors
    /// [`build`](RedisBuilder::build) refuses an empty list of sentinels, an empty name, a port of the
    /// master, and a database or a limit in the address of a sentinel. An operation fails with
    /// [`RedisError::NotReady`] where no sentinel knows the name.
    pub fn sentinel(
        sentinels: impl IntoIterator<Item = impl AsRef<str>>,
        master: impl AsRef<str>,
    ) -> RedisBuilder {
        RedisBuilder::from_sentinels(sentinels, master.as_ref())
    }
}

/// A role, with four strings for each replica of a master.
const ROLE: Bounds = Bounds {
    string: 1024,
    strings: 4 << 20,
    elements: 1 << 16,
};

/// The sentinels and the name of the master, whose settings are `master` at any address.
#[derive(Clone)]
pub(super) struct Sentinel {
    sentinels: Vec<Settings>,
    name: String,
    pub(super) master: Settings,
    /// The servers that may be connected to as the master.
    pub(super) allowed: AllowedNodes,
    /// The index of the sentinel that named a master last.
    answered: Arc<AtomicUsize>,
}

impl Sentinel {
    /// Reads the addresses, and the limits of operations from the parameters of the master.
    pub(super) fn from_urls(
        sentinels: impl IntoIterator<Item = impl AsRef<str>>,
        master: &str,
    ) -> Result<(Self, Limits), RedisError> {
        let (name, target) = Target::of_master(master)?;
        let mut read: Vec<Settings> = Vec::new();
        for url in sentinels {
            let Target { settings, limits } = Target::of_sentinel(url.as_ref())?;
            if settings.database != 0 || limits != Limits::default() {
                return Err(wrong(
                    "db, socket_timeout and max_connections belong to the address of the master",
                ));
            }
            settings.check()?;
            if !read.contains(&settings) {
                read.push(settings);
            }
        }
        if read.is_empty() {
            return Err(wrong("expected the address of at least one sentinel"));
        }
        let sentinel = Self {
            sentinels: read,
            name,
            master: target.settings,
            allowed: AllowedNodes::default(),
            answered: Arc::default(),
        };
        Ok((sentinel, target.limits))
    }

    /// The name of the master and the addresses of the sentinels, for messages.
    pub(super) fn label(&self) -> Arc<str> {
        let addresses = self.sentinels.iter();
        let addresses = addresses.map(|sentinel| sentinel.endpoint.address.to_string());
        let addresses: Vec<_> = addresses.collect();
        format!("{} of sentinels {}", self.name, addresses.join(", ")).into()
    }

    /// Opens a connection to the present master.
    pub(super) fn open(&self, label: &Arc<str>, deadline: Deadline) -> Result<Link, RedisError> {
        let deadline = deadline.at_most(self.master.endpoint.dialer.deadline);
        let mut search = Search::default();
        for (index, left) in self.order() {
            // One part for each sentinel that is left, and one for the master.
            let found = self.ask(&self.sentinels[index], deadline.share(left + 1));
            let Some(address) = search.answer(found, label) else {
                continue;
            };
            match self.dial(&address, deadline.share(left)) {
                Ok(link) => {
                    self.answered.store(index, Relaxed);
                    return Ok(link);
                }
                Err(error) => search.refused(address, error),
            }
        }
        Err(search.error(label, deadline))
    }

    /// The indices of the sentinels, the one that named a master last first, and how many are left with
    /// each.
    fn order(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let count = self.sentinels.len();
        let first = self.answered.load(Relaxed);
        (0..count).map(move |done| ((first + done) % count, count - done))
    }

    /// The address of the master, from `sentinel`.
    fn ask(&self, sentinel: &Settings, deadline: Deadline) -> Result<Option<Address>, RedisError> {
        let server = sentinel.endpoint.address.label();
        let mut link = Link::open(sentinel, &server, deadline)?;
        let reply = link.exchange(&self.question(), &server, deadline)?;
        self.named(reply)
    }

    /// The request for the address of the master.
    fn question(&self) -> Request {
        let name = self.name.as_bytes();
        Request::of(&[b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", name])
            .expecting(Bounds::values(2, 1024))
    }

    /// The address in the reply of a sentinel; `None` if it knows none.
    fn named(&self, mut reply: Reply) -> Result<Option<Address>, RedisError> {
        let address = match reply.value()? {
            Value::Nil => return Ok(None),
            Value::Array(parts) => self.address(&parts),
            _ => None,
        };
        let what = "its answer is not the address of a master";
        let odd = || RedisError::protocol(reply.server(), what);
        let address = address.ok_or_else(odd)?;
        if self.allowed.allow(address.host(), address.port()) {
            return Ok(Some(address));
        }
        Err(RedisError::NodeNotAllowed {
            server: reply.server().clone(),
            node: address.to_string(),
        })
    }

    fn address(&self, parts: &[Value]) -> Option<Address> {
        let [Value::BulkString(host), Value::BulkString(port)] = parts else {
            return None;
        };
        let (host, port) = (str::from_utf8(host).ok()?, str::from_utf8(port).ok()?);
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let odd = |char: char| char.is_whitespace() || char.is_control();
        (!host.is_empty() && !host.contains(odd))
            .then(|| self.master.endpoint.address.beside(host, port))
    }

    /// Connects to the server at `address`, which has to be a master.
    fn dial(&self, address: &Address, deadline: Deadline) -> Result<Link, RedisError> {
        let server = address.label();
        let mut link = Link::open(&self.at(address), &server, deadline)?;
        is_master(link.exchange(&role(), &server, deadline)?)?;
        Ok(link)
    }

    /// The settings of the master at `address`.
    fn at(&self, address: &Address) -> Settings {
        let mut settings = self.master.clone();
        settings.endpoint.address = address.clone();
        settings
    }
}

#[cfg(feature = "tokio")]
impl Sentinel {
    /// As [`open`](Self::open), for async callers.
    pub(super) async fn open_async(
        &self,
        label: &Arc<str>,
    ) -> Result<Multiplexed<Replies>, RedisError> {
        let deadline = Deadline::after(self.master.endpoint.dialer.deadline);
        let mut search = Search::default();
        for (index, left) in self.order() {
            let part = deadline.share(left + 1);
            let found = self.ask_async(&self.sentinels[index], part).await;
            let Some(address) = search.answer(found, label) else {
                continue;
            };
            match self.dial_async(&address, deadline.share(left)).await {
                Ok(link) => {
                    self.answered.store(index, Relaxed);
                    return Ok(link);
                }
                Err(error) => search.refused(address, error),
            }
        }
        Err(search.error(label, deadline))
    }

    async fn ask_async(
        &self,
        sentinel: &Settings,
        deadline: Deadline,
    ) -> Result<Option<Address>, RedisError> {
        let server = sentinel.endpoint.address.label();
        let link = asynchronous::open(sentinel, &server, deadline).await?;
        let reply = asynchronous::exchange(&link, &self.question(), &server, deadline).await?;
        self.named(reply)
    }

    async fn dial_async(
        &self,
        address: &Address,
        deadline: Deadline,
    ) -> Result<Multiplexed<Replies>, RedisError> {
        let server = address.label();
        let link = asynchronous::open(&self.at(address), &server, deadline).await?;
        is_master(asynchronous::exchange(&link, &role(), &server, deadline).await?)?;
        Ok(link)
    }
}

/// The search for a master. No I/O.
#[derive(Default)]
struct Search {
    /// Addresses at which there is no master.
    tried: Vec<Address>,
    /// The first failure of a sentinel.
    silent: Option<RedisError>,
    /// The last failure of a server or of a sentinel that knows no master.
    refused: Option<RedisError>,
}

impl Search {
    /// The address to connect to after the answer of a sentinel, unless it leads no further.
    fn answer(
        &mut self,
        found: Result<Option<Address>, RedisError>,
        label: &Arc<str>,
    ) -> Option<Address> {
        match found {
            Ok(Some(address)) => return (!self.tried.contains(&address)).then_some(address),
            Ok(None) => drop(self.refused.get_or_insert(RedisError::NotReady {
                server: label.clone(),
                code: "NOMASTER".into(),
                message: "a sentinel knows no master of this name".into(),
            })),
            Err(error) => drop(self.silent.get_or_insert(error)),
        }
        None
    }

    /// Takes in that there is no master at `address`.
    fn refused(&mut self, address: Address, error: RedisError) {
        self.refused = Some(error);
        self.tried.push(address);
    }

    /// The error of a search without a master.
    fn error(self, label: &Arc<str>, deadline: Deadline) -> RedisError {
        let late = || RedisError::timed_out(label, deadline.total());
        self.refused.or(self.silent).unwrap_or_else(late)
    }
}

fn role() -> Request {
    Request::of(&[b"ROLE"]).expecting(ROLE)
}

fn is_master(mut reply: Reply) -> Result<(), RedisError> {
    let mut role = reply.array()?;
    match &*role.string()? {
        b"master" => Ok(()),
        _ => Err(RedisError::ReadOnly {
            server: reply.server().clone(),
        }),
    }
}

fn wrong(fault: &str) -> RedisError {
    RedisError::Url(fault.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sentinels: &[&str], master: &str) -> Result<(Sentinel, Limits), RedisError> {
        Sentinel::from_urls(sentinels, master)
    }

    #[test]
    fn sentinels_and_master_have_settings_of_their_own() {
        let sentinels = ["redis://:hush@a", "redis://b:7", "redis://b:7"];
        let (sentinel, limits) = read(
            &sentinels,
            "redis://me:x@mymaster/2?max_connections=3&client_name=web",
        )
        .unwrap();
        let label = sentinel.label();
        assert_eq!(&*label, "mymaster of sentinels a:26379, b:7");
        let [first, second] = &*sentinel.sentinels else {
            panic!("a sentinel that is named twice counts once");
        };
        assert_eq!(first.password.as_deref(), Some("hush"));
        assert_eq!(second.password, None);
        assert_eq!(sentinel.master.user.as_deref(), Some("me"));
        assert_eq!(sentinel.master.database, 2);
        assert_eq!(sentinel.master.client_name.as_deref(), Some("web"));
        assert_eq!(limits.pool_size, Some(3));
        let (plain, _) = read(&["redis://a"], "my master").unwrap();
        assert_eq!(plain.name, "my master");
    }

    #[test]
    fn settings_without_meaning_are_refused() {
        let one = &["redis://a"][..];
        for (sentinels, master) in [
            (&[][..], "m"),
            (one, ""),
            (one, "redis://m:6379"),
            (one, "unix:///m"),
            (one, "redis://m#x"),
            (one, "http://m"),
            (&["a"], "m"),
            (&["redis://a/1"], "m"),
            (&["redis://a?socket_timeout=1"], "m"),
            (&["redis://a?max_connections=1"], "m"),
        ] {
            let error = read(sentinels, master).err().expect(master);
            assert!(matches!(error, RedisError::Url(_)), "{master}: {error:?}");
        }
    }
}
