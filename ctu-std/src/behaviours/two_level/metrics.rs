use super::{BreakerState, TrackingState, TwoLevelStats};
use metrics::{counter, gauge};

impl TwoLevelStats {
    /// Hands these counts to the recorder of the `metrics` facade, as `ctu.two_level.…` with the
    /// label `cache`. To be called now and then, as before each scrape. An exporter to Prometheus
    /// writes `_` in place of `.` in the names.
    pub fn export(&self, cache: &'static str) {
        macro_rules! counters {
            ($($name:ident),*) => {$(
                counter!(concat!("ctu.two_level.", stringify!($name)), "cache" => cache)
                    .absolute(self.$name);
            )*};
        }
        counters!(
            first_hits,
            second_hits,
            misses,
            errors,
            damaged,
            waits,
            stale,
            negative,
            refreshes,
            outages,
            skipped,
            dropped,
            distrusted,
            opened,
            missed,
            overflowed,
            replayed,
            reported,
            invalidated,
            unleased,
            unsubscribed
        );
        // Numbers of keys, which a float holds.
        gauge!("ctu.two_level.journal", "cache" => cache).set(self.journal as f64);
        gauge!("ctu.two_level.journal_overflowed", "cache" => cache)
            .set(f64::from(u8::from(self.journal_overflowed)));
        let subscribed = self.tracking == TrackingState::Subscribed;
        gauge!("ctu.two_level.subscribed", "cache" => cache).set(f64::from(u8::from(subscribed)));
        gauge!("ctu.two_level.lease", "cache" => cache).set(self.lease_left.as_secs_f64());
        let open = match self.breaker {
            BreakerState::Closed => 0.0,
            BreakerState::Probing => 0.5,
            BreakerState::Open => 1.0,
        };
        gauge!("ctu.two_level.breaker_open", "cache" => cache).set(open);
    }
}
