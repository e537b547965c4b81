use super::{BreakerState, TrackingState, TwoLevelStats};
use metrics::{counter, gauge};

impl TwoLevelStats {
    /// Hands these counts to the recorder of the `metrics` facade, as `ctu_two_level_...` with the label
    /// `cache`. To be called now and then, as before each scrape.
    pub fn export(&self, cache: &'static str) {
        macro_rules! counters {
            ($($name:ident),*) => {$(
                counter!(concat!("ctu_two_level_", stringify!($name)), "cache" => cache)
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
        gauge!("ctu_two_level_journal", "cache" => cache).set(self.journal as f64);
        gauge!("ctu_two_level_journal_overflowed", "cache" => cache)
            .set(f64::from(u8::from(self.journal_overflowed)));
        let subscribed = self.tracking == TrackingState::Subscribed;
        gauge!("ctu_two_level_subscribed", "cache" => cache).set(f64::from(u8::from(subscribed)));
        gauge!("ctu_two_level_lease_seconds", "cache" => cache).set(self.lease_left.as_secs_f64());
        let open = match self.breaker {
            BreakerState::Closed => 0.0,
            BreakerState::Probing => 0.5,
            BreakerState::Open => 1.0,
        };
        gauge!("ctu_two_level_breaker_open", "cache" => cache).set(open);
    }
}
