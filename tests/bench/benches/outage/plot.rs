//! Requests a second and the 99th percentile over time.

use crate::load::Run;
use ctu_tests::plot::{self, Axis, Chart, Curve, Legend, Scale};
use std::{error::Error, fs, ops::Range, path::Path, time::Duration};

const STEP: Duration = Duration::from_millis(250);

/// Writes the charts to an SVG file.
///
/// # Errors
/// A file that cannot be written, and values that cannot be drawn.
pub(crate) fn draw(file: &Path, runs: &[Run], outage: Duration) -> Result<(), Box<dyn Error>> {
    let curves: Vec<_> = runs.iter().map(|run| (run.name, run.curve(STEP))).collect();
    let outage = outage.as_secs_f64();
    let chart = |title: &str, range: Range<f64>, value: fn(&(f64, f64, f64)) -> f64| Chart {
        title: title.into(),
        x: Axis {
            title: "seconds since Redis stops; it is stopped in the shaded part",
            range: -outage / 2.0..outage * 2.0,
            scale: Scale::Linear,
        },
        y: Axis {
            title: "",
            range,
            scale: Scale::Log(10.0),
        },
        shade: Some(0.0..outage),
        curves: curves
            .iter()
            .map(|(name, points)| Curve {
                name: (*name).into(),
                points: points.iter().map(|point| (point.0, value(point))).collect(),
            })
            .collect(),
        legend: Some(Legend::UpperMiddle),
    };
    let charts = [
        chart("requests a second", 100.0..100_000.0, |point| point.1),
        chart("99th percentile, ms", 10.0..1_000.0, |point| point.2),
    ];
    fs::write(file, plot::svg(&charts, 1, (840, 280))?)?;
    Ok(())
}
