use super::TwoLevelCache;

/// Settings of a [`TwoLevelCache`], from [`TwoLevelCache::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TwoLevelBuilder<A, B> {
    first: A,
    second: B,
    clears_both: bool,
}

impl<A, B> TwoLevelBuilder<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Self {
            first,
            second,
            clears_both: false,
        }
    }

    /// `clear` and `retain` concern both levels. Unless set they concern the first one alone, as in
    /// Python, since others share the second.
    pub fn clears_both(mut self) -> Self {
        self.clears_both = true;
        self
    }

    /// Makes the cache.
    #[must_use]
    pub fn build(self) -> TwoLevelCache<A, B> {
        TwoLevelCache::new(self.first, self.second, self.clears_both)
    }
}
