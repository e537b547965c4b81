//! The metrics that a call exports.

use metrics::Unit;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshot};
use std::collections::BTreeMap;

/// A metric's unit and value.
pub(crate) type Metric = (Option<Unit>, DebugValue);

/// The metrics by name and labels, as `name{label=value,...}` with the labels in order.
pub(crate) fn by(call: impl FnOnce()) -> BTreeMap<String, Metric> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, call);
    of(snapshotter.snapshot())
}

/// The metrics of a recorder, as [`by`] returns them.
pub(crate) fn of(snapshot: Snapshot) -> BTreeMap<String, Metric> {
    let metrics = snapshot
        .into_vec()
        .into_iter()
        .map(|(key, unit, _, value)| {
            let labels = key.key().labels();
            let mut labels: Vec<_> = labels
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            labels.sort();
            let name = format!("{}{{{}}}", key.key().name(), labels.join(","));
            (name, (unit, value))
        });
    metrics.collect()
}
