use super::{super::settings::Settings, slot::Slot};
use crate::backends::net::{Address, Limits};
use std::sync::Arc;

/// A node of a cluster as the decisions about the cluster see it.
pub(in super::super) trait Member: Sized {
    /// A node without a connection.
    fn of(settings: Settings, limits: Limits) -> Self;

    /// Host and port.
    fn server(&self) -> &Arc<str>;

    /// The address, unless the connection is external.
    fn address(&self) -> Option<&Address>;

    /// The index of the connection for the keys of `slot`.
    fn connection_of(&self, slot: Slot) -> usize;

    /// Whether the last request failed.
    fn has_failed(&self) -> bool;

    fn set_failed(&self, failed: bool);
}
