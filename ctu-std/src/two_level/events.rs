use crate::resilience::Change;

/// Tells of a change: once for each, however many operations an outage meets.
pub(super) fn tell(change: Change) {
    #[cfg(feature = "tracing")]
    match change {
        Change::Opened => {
            tracing::warn!("the second level of a cache fails: it is not asked for a while");
        }
        Change::Closed => tracing::info!("the second level of a cache is back"),
        Change::Missed => {
            tracing::warn!("the second level of a cache missed a write, which is kept in mind");
        }
        Change::Overflowed => tracing::error!(
            "the second level of a cache missed more writes than there is room for: \
             keys that may be among them are misses and deleted when they are asked for"
        ),
        Change::Recovered => {
            tracing::info!("all that the second level of a cache missed is made good");
        }
    }
    #[cfg(not(feature = "tracing"))]
    let _ = change;
}
