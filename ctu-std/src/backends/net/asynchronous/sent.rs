use super::{
    super::Deadline,
    multiplexed::{Shared, SharedParser},
};
use std::sync::Weak;
use tokio::time::timeout_at;

/// A request that was sent, or is about to be. It does not keep the connection open.
pub(super) struct Sent<P: SharedParser> {
    shared: Weak<Shared<P>>,
    number: u64,
}

impl<P: SharedParser> Sent<P> {
    pub(super) fn new(shared: Weak<Shared<P>>, number: u64) -> Self {
        Self { shared, number }
    }

    /// Whether its reply has come, or can come no more.
    pub(super) fn has_ended(&self) -> bool {
        let shared = self.shared.upgrade();
        shared.is_none_or(|shared| shared.has_ended(self.number))
    }

    /// Waits for that, whether its caller is alive or not. `false` at the deadline.
    pub(super) async fn ended(&self, deadline: Deadline) -> bool {
        let shared = self.shared.upgrade();
        match shared.and_then(|shared| shared.end_of(self.number)) {
            Some(end) => timeout_at(deadline.at().into(), end).await.is_ok(),
            None => true,
        }
    }
}

impl<P: SharedParser> Clone for Sent<P> {
    fn clone(&self) -> Self {
        Self::new(self.shared.clone(), self.number)
    }
}
