#[cfg(feature = "cluster")]
use super::cluster::{Part, Slot};
use super::request::Request;

/// Requests that are sent at once, each about keys of one server.
pub(super) enum Batch {
    /// All keys are on the same server.
    One(Request),
    /// Each request is about one key, which has a slot.
    #[cfg(feature = "cluster")]
    Cluster(Vec<(Slot, Request)>),
}

impl Batch {
    /// Adds the commands about `key`, and others that may go with it, that `write` adds.
    #[cfg_attr(not(feature = "cluster"), allow(unused_variables))]
    pub(super) fn about(&mut self, key: &[u8], write: impl FnOnce(&mut Request)) {
        match self {
            Self::One(request) => write(request),
            #[cfg(feature = "cluster")]
            Self::Cluster(parts) => {
                let mut request = Request::batch();
                write(&mut request);
                parts.push((Slot::of(key), request));
            }
        }
    }

    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::One(request) => request.commands() == 0,
            #[cfg(feature = "cluster")]
            Self::Cluster(parts) => parts.is_empty(),
        }
    }

    /// Its requests, each for the node that has its slot.
    #[cfg(feature = "cluster")]
    pub(super) fn parts(&self) -> Vec<Part<'_>> {
        match self {
            // No cluster makes such a batch; any node would say where else it belongs.
            Self::One(request) => vec![Part::new(Slot::of(b""), request)],
            Self::Cluster(parts) => {
                let parts = parts.iter();
                parts
                    .map(|(slot, request)| Part::new(*slot, request))
                    .collect()
            }
        }
    }
}
