//! A Redis Cluster: the node of a key, and the way to its new node after a move.
//!
//! The `redis` crate has a client for clusters, which is not used for the reasons that
//! [`Link`](super::link::Link) has: its deadlines count from each system call and not for all hops of
//! an operation, and it would bring connections that cannot tell one reply from the next.
//!
//! The decisions are without I/O, for any [`Member`]: the map of slots, the node of each request
//! ([`Rounds`]), the consequences of a failure ([`Nodes`]), and the turns of refreshes ([`Turns`]).
//! `blocking.rs` is the driver of threads, `asynchronous/cluster.rs` that of tasks.

mod blocking;
mod exchange;
#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing;
mod hops;
mod map;
mod member;
mod nodes;
mod place;
mod redirect;
mod refresh;
mod rounds;
mod seeds;
mod slot;
mod survey;
mod topology;
mod tracking;
mod tracks;
mod turns;

pub(super) use blocking::Cluster;
#[cfg(feature = "tokio")]
pub(super) use hops::{Hop, Next};
pub(super) use member::Member;
#[cfg(feature = "tokio")]
pub(super) use nodes::{Nodes, contains};
pub(super) use rounds::Part;
#[cfg(feature = "tokio")]
pub(super) use rounds::{Failed, Load, Rounds, is_fatal};
pub(super) use seeds::Seeds;
pub(super) use slot::Slot;
#[cfg(feature = "tokio")]
pub(super) use survey::Survey;
pub(super) use tracking::ClusterTracker;
#[cfg(feature = "tokio")]
pub(super) use turns::{Turn, Turns};
