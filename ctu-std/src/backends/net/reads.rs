use std::fmt;

/// Reads that a server counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reads {
    /// Those that found a key.
    pub(crate) hits: u64,
    /// Those that found none.
    pub(crate) misses: u64,
}

impl Reads {
    /// The share of those that found a key, 0 to 1; 0 where there was no read.
    pub(crate) fn hit_rate(self) -> f64 {
        // Counts beyond 2^53 lose their last digits, which no rate shows.
        self.hits as f64 / self.count().max(1) as f64
    }

    fn count(self) -> u64 {
        self.hits.saturating_add(self.misses)
    }
}

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rate, count) = (self.hit_rate() * 100.0, self.count());
        write!(f, "{rate:.1} % of {count} reads were hits")
    }
}
