//! The next place of a request that failed. No I/O.

use super::{
    super::RedisError,
    map::Unserved,
    member::Member,
    nodes::{Nodes, contains, is_doubtful, not_ready},
    redirect::Redirect,
    rounds::{Failed, Part},
};
use crate::backends::net::{Deadline, Repeat};
use std::sync::Arc;

/// The next place of a part.
pub(in super::super) struct Hop<N> {
    pub(super) node: Arc<N>,
    /// Whether ASKING precedes the request.
    pub(super) asking: bool,
    /// Whether the node gets the texts of scripts in place of their hashes.
    pub(super) script_texts: bool,
}

/// The consequence of a failure.
pub(in super::super) enum Next<N> {
    /// The part goes to another node.
    Hop(Hop<N>),
    /// The map is requested again. The part then goes to the new node of its slot, by
    /// [`elsewhere`](Nodes::elsewhere); this is its error if there is none.
    Refresh(RedisError),
}

impl<N: Member> Nodes<N> {
    /// The place of `part` after it failed at `node`; the error if there is no other place.
    pub(in super::super) fn next(
        &self,
        part: &Part<'_>,
        node: &Arc<N>,
        failed: Failed,
        deadline: Deadline,
    ) -> Result<Next<N>, RedisError> {
        let Failed { error, asked } = failed;
        match Redirect::of(&error) {
            Some(Ok(redirect)) => return Ok(self.redirected(part, node, redirect)),
            Some(Err(_)) => {
                let what = "a redirect without an address";
                return Err(RedisError::protocol(node.server(), what));
            }
            None => {}
        }
        self.doubt(node, &error);
        let refused = matches!(
            error,
            RedisError::NotReady { .. } | RedisError::ReadOnly { .. }
        );
        let again = !asked || refused || part.request.repeat() == Repeat::Safe;
        if !is_doubtful(&error) || !again || deadline.remaining().is_none() {
            return Err(error);
        }
        Ok(Next::Refresh(error))
    }

    fn redirected(&self, part: &Part<'_>, node: &Arc<N>, redirect: Redirect) -> Next<N> {
        let Redirect { slot, moved, place } = redirect;
        let target = match &place {
            Some(place) => self.node(place, node),
            None => Err(Unserved::NoAddress),
        };
        let refused = match (target, place) {
            (Ok(node), _) => {
                let here = moved && slot == part.slot;
                self.learn(&node, here.then_some(slot));
                return Next::Hop(Hop {
                    node,
                    asking: !moved,
                    script_texts: false,
                });
            }
            (Err(Unserved::NotAllowed), Some((host, port))) => RedisError::NodeNotAllowed {
                server: node.server().clone(),
                node: format!("{host}:{port}"),
            },
            _ => not_ready(
                node.server(),
                "it redirects to a node whose address it does not know",
            ),
        };
        Next::Refresh(refused)
    }

    /// The node that serves the slot of `part` by the present map, unless it is still `node`; `error`
    /// then.
    pub(in super::super) fn elsewhere(
        &self,
        part: &Part<'_>,
        node: &N,
        error: RedisError,
    ) -> Result<Hop<N>, RedisError> {
        match self.serves(part.slot) {
            // Another node has taken over. It may need a moment; only the deadline limits that.
            Some(other) if other.server() != node.server() => Ok(Hop {
                node: other,
                asking: false,
                script_texts: false,
            }),
            _ => Err(error),
        }
    }

    /// Notes that `node` failed with `error`. The error, unless the node may have been replaced as a
    /// master.
    pub(in super::super) fn may_be_replaced(
        &self,
        node: &N,
        error: &RedisError,
        deadline: Deadline,
    ) -> Result<(), RedisError> {
        self.doubt(node, error);
        match is_doubtful(error) && deadline.remaining().is_some() {
            true => Ok(()),
            false => Err(error.clone()),
        }
    }

    /// The error of `node`, if it is one of the present `masters`.
    pub(in super::super) fn unless_replaced(
        masters: &[Arc<N>],
        node: &N,
        error: RedisError,
    ) -> Result<(), RedisError> {
        match contains(masters, node) {
            true => Err(error),
            false => Ok(()),
        }
    }
}
