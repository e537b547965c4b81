#[cfg(feature = "cluster")]
use super::cluster::{Cluster, Part, Slot};
use super::{RedisError, node::Node, reply::Reply, request::Request};
use crate::backends::net::Deadline;

/// Requests that are sent at once, each about keys of one server.
pub(super) enum Batch<'c> {
    /// All keys are on the same server.
    One(&'c Node, Request),
    /// Each request is about one key, which has a slot.
    #[cfg(feature = "cluster")]
    Cluster(&'c Cluster, Vec<(Slot, Request)>),
}

impl Batch<'_> {
    /// Adds the commands about `key`, and others that may go with it, that `write` adds.
    #[cfg_attr(not(feature = "cluster"), allow(unused_variables))]
    pub(super) fn about(&mut self, key: &[u8], write: impl FnOnce(&mut Request)) {
        match self {
            Self::One(_, request) => write(request),
            #[cfg(feature = "cluster")]
            Self::Cluster(_, parts) => {
                let mut request = Request::batch();
                write(&mut request);
                parts.push((Slot::of(key), request));
            }
        }
    }

    /// Sends each request to where it belongs, and makes `T` of the replies to each. Where there is
    /// nothing to send, nobody is asked.
    pub(super) fn send<T>(
        &self,
        deadline: Deadline,
        read: impl FnMut(&mut Reply) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        match self {
            Self::One(_, request) if request.commands() == 0 => Ok(Vec::new()),
            Self::One(node, request) => Ok(vec![node.all(request, deadline, read)?]),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster, parts) => {
                let parts = parts.iter();
                let parts: Vec<_> = parts
                    .map(|(slot, request)| Part::new(*slot, request))
                    .collect();
                cluster.send(&parts, deadline, read)
            }
        }
    }
}
