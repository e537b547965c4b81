//! Curves of the share found over the capacity, a chart a trace.

use crate::contenders::NAMES;
use ctu_tests::plot::{self, Axis, Curve, Legend, Scale};
use std::{error::Error, fs, path::Path};

/// A trace's name, and the shares at each capacity.
pub(crate) type Shares = (String, Vec<(usize, Vec<f64>)>);

/// Writes the charts to an SVG file.
///
/// # Errors
/// A file that cannot be written, and values that cannot be drawn.
pub(crate) fn draw(file: &Path, traces: &[Shares]) -> Result<(), Box<dyn Error>> {
    let mut charts: Vec<_> = traces.iter().map(chart).collect();
    // One for all charts, so that it hides few curves.
    if let Some(first) = charts.first_mut() {
        first.legend = Some(Legend::LowerRight);
    }
    fs::write(file, plot::svg(&charts, 3, (420, 320))?)?;
    Ok(())
}

fn chart((name, cells): &Shares) -> plot::Chart {
    let last = cells.last().map_or(1, |cell| cell.0);
    let names = NAMES.iter().copied().chain(["optimum"]).enumerate();
    let curves = names.map(|(column, name)| Curve {
        name: name.into(),
        points: cells
            .iter()
            .map(|(capacity, shares)| (*capacity as f64, shares[column]))
            .collect(),
    });
    plot::Chart {
        title: name.clone(),
        x: Axis {
            title: "capacity, entries",
            range: 0.0..last as f64,
            scale: Scale::Linear,
        },
        y: Axis {
            title: "found, %",
            range: 0.0..100.0,
            scale: Scale::Linear,
        },
        shade: None,
        curves: curves.collect(),
        legend: None,
    }
}
