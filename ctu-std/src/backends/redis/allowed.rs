use std::{fmt, sync::Arc};

type Filter = dyn Fn(&str, u16) -> bool + Send + Sync;

/// The nodes that a cache connects to, of those that a server refers it to. All of them unless set.
#[derive(Clone, Default)]
pub(super) struct AllowedNodes(Option<Arc<Filter>>);

impl AllowedNodes {
    pub(super) fn by(filter: impl Fn(&str, u16) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(filter)))
    }

    /// Whether the node at `host` and `port` is allowed.
    pub(super) fn allow(&self, host: &str, port: u16) -> bool {
        self.0.as_ref().is_none_or(|filter| filter(host, port))
    }

    /// Whether there is a filter at all.
    pub(super) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Debug for AllowedNodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "by a filter" } else { "all" })
    }
}
