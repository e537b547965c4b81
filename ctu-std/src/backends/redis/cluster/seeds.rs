//! The nodes that the user names.

use super::{
    super::{
        RedisBuilder, RedisCache, RedisError, address::Target, allowed::AllowedNodes,
        settings::Settings,
    },
    member::Member,
    nodes::Nodes,
};
use crate::backends::net::{Address, Limits};
use ctu_core::Error;

impl RedisCache<str, String> {
    /// Starts to build a cache on a Redis Cluster: as [`builder`](Self::builder), from the addresses of
    /// any of its nodes. One of them has to answer when the first operation requests the map of the cluster.
    ///
    /// User, password and TLS are the same for all nodes. There is but database 0.
    ///
    /// ```no_run
    /// use ctu_std::{Cache, RedisCache};
    /// let nodes = ["redis://:secret@10.0.0.1:7000", "redis://:secret@10.0.0.2:7000"];
    /// let cache = RedisCache::cluster(nodes).prefix("app.").build()?;
    /// cache.insert_many(vec![("one", 1), ("two", 2)], None)?;
    /// assert_eq!(cache.get_many(&["one", "two"])?, [Some(1), Some(2)]);
    /// # Ok::<(), ctu_std::RedisError>(())
    /// ```
    ///
    /// # Operation
    /// * **Each key** is requested at its node. A node without the key names the new one (`MOVED`, `ASK`),
    ///   and the cache follows, within the one deadline of the operation.
    /// * **Batches** go to all nodes at the same time, in one round trip. A blocking cache opens missing
    ///   connections before that, one after another, and a node whose last request failed comes after the
    ///   others; an async cache does all of it at the same time. Where a node fails, its failure is the error, and the work of the others stays done. Keys with
    ///   the same `{tag}` are on the same node.
    /// * **`len`, `clear`, `retain`, `keys`, `info`, `stats` and `hit_rate`** are about every master. While slots
    ///   are on their way from one to another, keys on their way may be missed or come twice.
    /// * **A node that fails** is an error for its own keys; the others go on, if the cluster lets them
    ///   (`cluster-require-full-coverage no`). Operations that meet it request a new map, not more often
    ///   than every 200 ms, and go to the new master. So after a failover all works again; until then its keys are an
    ///   [outage](ctu_core::CacheError::is_outage), and no operation waits for it to end.
    /// * **A node that hangs** is found by the first operation whose deadline it takes. Until then batches
    ///   of a blocking cache that wait for it hold connections to the others, and where that is all of the
    ///   [pool](RedisBuilder::pool_size), operations on the others wait, too: for one deadline, and once.
    /// * **A slot without a node** is an error ([`RedisError::NotReady`]) of its keys, and of operations
    ///   on every master.
    ///
    /// # Which nodes get the password
    /// The cache logs in at every node that the cluster refers it to. In a network that others can write
    /// to, [`allowed_nodes`](RedisBuilder::allowed_nodes) limits these nodes, and TLS lets only nodes with a
    /// trusted certificate see the password. The nodes that the user names are asked for the map of slots
    /// again in turn with the others, so that one bad map does not last.
    ///
    /// # Losses of a failover
    /// Masters acknowledge writes that their replicas do not have yet. When a replica takes over, a write that
    /// was acknowledged just before may be gone, and a removed entry may be back. A short time to live
    /// limits the effect.
    ///
    /// # Limits
    /// Replicas are not read. Nodes are reached by the addresses that the cluster gives (`cluster-announce-ip`
    /// and its like decide which); they are not translated. Only operations that meet a change request
    /// the new map; there is no work in between.
    pub fn cluster(nodes: impl IntoIterator<Item = impl AsRef<str>>) -> RedisBuilder {
        RedisBuilder::from_nodes(nodes)
    }
}

/// Nodes of a cluster, as the user names them.
#[derive(Clone)]
pub(in super::super) struct Seeds(Vec<Settings>);

impl Seeds {
    /// Reads the addresses of nodes, and the limits of operations from their parameters. An address
    /// that is named twice counts once.
    pub(in super::super) fn from_urls(
        urls: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(Self, Limits), RedisError> {
        let mut seeds: Vec<Settings> = Vec::new();
        let mut limits = None;
        for url in urls {
            let target = Target::from_url(url.as_ref())?;
            let seed = target.settings;
            if *limits.get_or_insert(target.limits) != target.limits {
                return Err(wrong(DIFFERENT));
            }
            let known = |other: &Settings| other.endpoint.address == seed.endpoint.address;
            if !seeds.iter().any(known) {
                seeds.push(seed);
            }
        }
        Ok((Self(seeds), limits.unwrap_or_default()))
    }

    /// Changes the settings of each.
    pub(in super::super) fn each(&mut self, change: impl Fn(&mut Settings)) {
        self.0.iter_mut().for_each(change);
    }

    /// The nodes of the cluster that they are in.
    pub(in super::super) fn build<N: Member>(
        self,
        limits: Limits,
        allowed: AllowedNodes,
    ) -> Result<Nodes<N>, RedisError> {
        let [first, others @ ..] = &*self.0 else {
            return Err(wrong("a cluster needs the address of at least one node"));
        };
        for seed in &self.0 {
            #[cfg(unix)]
            if let Address::Unix(_) = seed.endpoint.address {
                return Err(wrong("the nodes of a cluster have hosts and ports"));
            }
            if let database @ 1.. = seed.database as usize {
                return Err(Error::OutOfRange {
                    what: "database",
                    got: database,
                    min: 0,
                    max: 0,
                }
                .into());
            }
            let mut like_first = seed.clone();
            like_first.endpoint.address = first.endpoint.address.clone();
            let same_way =
                first.endpoint.address.beside("", 0) == seed.endpoint.address.beside("", 0);
            if !same_way || like_first != *first {
                return Err(wrong(DIFFERENT));
            }
            seed.check()?;
        }
        Ok(Nodes::new(first.clone(), others, limits, allowed))
    }
}

const DIFFERENT: &str = "the nodes of a cluster have the same user, password, TLS and parameters";

fn wrong(what: &str) -> RedisError {
    RedisError::Url(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::redis::node::Node;

    fn built(urls: &[&str]) -> Result<String, RedisError> {
        let (seeds, limits) = Seeds::from_urls(urls)?;
        let nodes: Nodes<Node> = seeds.build(limits, AllowedNodes::default())?;
        Ok(nodes.label().to_string())
    }

    #[test]
    fn any_number_of_seeds_is_accepted() {
        let label = built(&["redis://a:7000", "redis://[::1]", "redis://a:7000"]);
        assert_eq!(label.unwrap(), "a:7000, [::1]:6379");
        let same = built(&["redis://me:x@a", "redis://me:x@b/0"]);
        assert_eq!(same.unwrap(), "a:6379, b:6379");
    }

    #[test]
    fn invalid_seeds_are_rejected() {
        for urls in [
            &[][..],
            &["http://a"],
            &["redis://a", "b"],
            &["unix:///run/redis.sock"],
            &["redis://:x@a", "redis://b"],
            &["redis://:hunter2@a", "redis://:hunter3@b"],
            &["redis://me:x@a", "redis://you:x@b"],
            &["redis://a?socket_timeout=1", "redis://b"],
            &["redis://a?client_name=x", "redis://b?client_name=y"],
            &["redis://a?db=0#x"],
            #[cfg(feature = "tls")]
            &["rediss://a", "redis://b"],
        ] {
            let error = built(urls).unwrap_err();
            assert!(matches!(error, RedisError::Url(_)), "{urls:?}: {error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter"));
        }
        for database in ["redis://a/1", "redis://a?db=1"] {
            let error = built(&[database]);
            let core = matches!(
                error,
                Err(RedisError::Core(Error::OutOfRange { .. }) | RedisError::Url(_))
            );
            assert!(core, "{database}: {error:?}");
        }
    }
}
