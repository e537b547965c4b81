//! Values at the second level that cannot be decoded: an older schema, another program's.

use crate::{
    millis,
    remote::{DAMAGED, Fault},
    secs,
    switches::resilient,
};
use ctu_std::{BreakerState, Cache};

#[test]
fn a_probe_that_finds_damage_was_answered() {
    let (clock, cache) = resilient();
    cache.second().put(&1, DAMAGED, None).unwrap();
    cache.second().fail(Fault::Lost);
    assert_eq!(cache.get(&2), Ok(None));
    assert_eq!(cache.stats().breaker, BreakerState::Open);
    cache.second().fail(Fault::None);
    clock.advance(secs(10));
    // What it returns is told elsewhere.
    let _ = cache.get(&1);
    assert_eq!(cache.stats().breaker, BreakerState::Closed);
}

#[test]
fn damage_between_failures_shows_that_the_server_answers() {
    let (clock, cache) = resilient();
    cache.second().put(&1, DAMAGED, None).unwrap();
    for _ in 0..20 {
        cache.second().fail(Fault::Refused);
        assert_eq!(cache.get(&2), Ok(None));
        cache.second().fail(Fault::None);
        let _ = cache.get(&1);
        clock.advance(millis(1));
    }
    assert_eq!(cache.stats().breaker, BreakerState::Closed);
}
