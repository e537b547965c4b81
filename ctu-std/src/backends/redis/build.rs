//! Makes a cache from its settings.

#[cfg(all(feature = "cluster", feature = "tokio"))]
use super::asynchronous::AsyncCluster;
#[cfg(feature = "tokio")]
use super::asynchronous::{
    AsyncClient, AsyncConnector, AsyncNode, AsyncRedisCache, AsyncServers, AsyncSource,
};
#[cfg(feature = "cluster")]
use super::cluster::Cluster;
#[cfg(feature = "tokio")]
use super::tracking::{NoTracker, TrackerSettings};
use super::{
    Form, RedisBuilder, RedisCache, RedisError,
    builder::Origin,
    client::{Client, Servers},
    entries::Entries,
    link::{Connector, Source},
    node::Node,
};
use crate::backends::net::Limits;
#[cfg(feature = "tokio")]
use crate::caches::Tracker;
use std::sync::Arc;

impl<F> RedisBuilder<F> {
    /// Makes the cache. Connects to nothing: the first operation does.
    ///
    /// # Errors
    /// [`RedisError::Url`] for an address that is none and for nodes of a cluster that are not to be reached
    /// in the same way, and for allowed nodes of one server;
    /// [`OutOfRange`](ctu_core::Error::OutOfRange) for a pool of no connection and for
    /// another database than 0 of a cluster.
    /// [`RedisError::Url`] also for certificates without TLS, and for a setting that an
    /// external connection cannot have.
    pub fn build<K, V>(self) -> Result<RedisCache<K, V, F>, RedisError>
    where
        K: ToOwned + ?Sized,
        F: Form<K, V>,
    {
        let limits = self.check()?;
        let one = |source, server, limits| {
            let node = Node::new(Connector { source, server }, limits);
            Servers::One(Arc::new(node))
        };
        let servers = match self.source? {
            Origin::Server(settings) => {
                settings.check()?;
                let server = settings.endpoint.address.label();
                one(Source::Server(settings), server, limits)
            }
            #[cfg(feature = "cluster")]
            Origin::Cluster(seeds) => {
                let nodes = seeds.build(limits, self.allowed)?;
                Servers::Cluster(Arc::new(Cluster::new(nodes)))
            }
            Origin::Sentinel(mut sentinel) => {
                sentinel.master.check()?;
                sentinel.allowed = self.allowed;
                let server = sentinel.label();
                one(Source::Sentinel(sentinel), server, limits)
            }
            Origin::External(connection) => {
                // The one connection of the program.
                let limits = Limits {
                    pool_size: Some(1),
                    max_connection_age: None,
                    ..limits
                };
                one(
                    Source::External(connection),
                    "an external connection".into(),
                    limits,
                )
            }
            #[cfg(feature = "redis-aio")]
            Origin::AsyncExternal(_) => {
                return Err(wrong("an async connection needs build_async"));
            }
        };
        let client = Client::new(servers, limits.deadline, self.scan_deadline);
        let entries = Entries::new(client.server().into(), self.entries);
        Ok(RedisCache::new(Arc::new(client), entries))
    }

    /// Makes the cache for async callers. Connects to nothing: the first operation does, on its runtime.
    ///
    /// # Errors
    /// As [`build`](Self::build). [`RedisError::Url`] also for a blocking connection of the `redis` crate.
    #[cfg(feature = "tokio")]
    pub fn build_async<K, V>(self) -> Result<AsyncRedisCache<K, V, F>, RedisError>
    where
        K: ToOwned + ?Sized,
        F: Form<K, V>,
    {
        let limits = self.check()?;
        let one = |source, server| {
            let node = AsyncNode::new(AsyncConnector { source, server }, limits);
            AsyncServers::One(Arc::new(node))
        };
        // A tracking connection has a thread of its own, which blocks.
        let tracked = |source, server| {
            let node = Node::new(Connector { source, server }, limits);
            Servers::One(Arc::new(node))
        };
        let (servers, tracked) = match self.source? {
            Origin::Server(settings) => {
                settings.check()?;
                let server = settings.endpoint.address.label();
                let tracked = tracked(Source::Server(settings.clone()), server.clone());
                (one(AsyncSource::Server(settings), server), Some(tracked))
            }
            #[cfg(feature = "cluster")]
            Origin::Cluster(seeds) => {
                let nodes = seeds.clone().build(limits, self.allowed.clone())?;
                let tracked = seeds.build(limits, self.allowed)?;
                let tracked = tracked.with_tracks(nodes.tracks().clone());
                let tracked = Servers::Cluster(Arc::new(Cluster::new(tracked)));
                (
                    AsyncServers::Cluster(AsyncCluster::new(nodes)),
                    Some(tracked),
                )
            }
            Origin::Sentinel(mut sentinel) => {
                sentinel.master.check()?;
                sentinel.allowed = self.allowed;
                let server = sentinel.label();
                let tracked = tracked(Source::Sentinel(sentinel.clone()), server.clone());
                (one(AsyncSource::Sentinel(sentinel), server), Some(tracked))
            }
            Origin::External(_) => return Err(wrong("a blocking connection needs build")),
            #[cfg(feature = "redis-aio")]
            Origin::AsyncExternal(external) => {
                let node = AsyncNode::external(external);
                (AsyncServers::One(Arc::new(node)), None)
            }
        };
        let client = AsyncClient::new(servers, limits.deadline, self.scan_deadline);
        let entries = Entries::new(client.server().clone(), self.entries);
        let tracker: Arc<dyn Tracker> = match tracked {
            None => {
                let reason = "an external connection is not tracked";
                Arc::new(NoTracker(reason))
            }
            Some(servers) => servers.tracker(TrackerSettings {
                marks: entries.marks.clone(),
                prefix: entries.settings.form.prefix().to_vec(),
                has_tags: entries.settings.tags.is_some(),
                deadline: limits.deadline,
            }),
        };
        Ok(AsyncRedisCache::new(Arc::new(client), entries, tracker))
    }

    /// The limits of operations, unless settings contradict each other.
    fn check(&self) -> Result<Limits, RedisError> {
        let follows_servers = match &self.source {
            #[cfg(feature = "cluster")]
            Ok(Origin::Cluster(_)) => true,
            Ok(Origin::Sentinel(_)) | Err(_) => true,
            Ok(_) => false,
        };
        if self.allowed.is_set() && !follows_servers {
            return Err(wrong(
                "allowed_nodes is a setting of RedisCache::cluster and RedisCache::sentinel",
            ));
        }
        Ok(self.limits.check()?)
    }
}

fn wrong(fault: &str) -> RedisError {
    RedisError::Url(fault.to_owned())
}
