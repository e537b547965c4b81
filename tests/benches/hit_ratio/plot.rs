//! Curves of the share found over the capacity, a chart a trace.

use crate::contenders::NAMES;
use plotters::prelude::*;
use std::{error::Error, path::Path};

/// A trace's name, and the shares at each capacity.
pub(crate) type Chart = (String, Vec<(usize, Vec<f64>)>);

const WIDTH: u32 = 420;
const HEIGHT: u32 = 320;
const COLUMNS: usize = 3;

const COLORS: [RGBColor; 7] = [
    RGBColor(0xd6, 0x27, 0x28),
    RGBColor(0x7f, 0x7f, 0x7f),
    RGBColor(0x1f, 0x77, 0xb4),
    RGBColor(0x2c, 0xa0, 0x2c),
    RGBColor(0x94, 0x67, 0xbd),
    RGBColor(0xff, 0x7f, 0x0e),
    RGBColor(0, 0, 0),
];

/// Writes the charts to an SVG file.
///
/// # Errors
/// A file that cannot be written, and values that cannot be drawn.
pub(crate) fn draw(file: &Path, charts: &[Chart]) -> Result<(), Box<dyn Error>> {
    let rows = charts.len().div_ceil(COLUMNS).max(1);
    let size = (WIDTH * COLUMNS as u32, HEIGHT * rows as u32);
    let root = SVGBackend::new(file, size).into_drawing_area();
    root.fill(&WHITE).map_err(|error| error.to_string())?;
    for (area, chart) in root.split_evenly((rows, COLUMNS)).iter().zip(charts) {
        draw_one(area, chart).map_err(|error| error.to_string())?;
    }
    root.present().map_err(|error| error.to_string())?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_one(area: &Area<'_>, (name, points): &Chart) -> Result<(), Box<dyn Error>> {
    let fault = |error: DrawingAreaErrorKind<_>| -> Box<dyn Error> { format!("{error:?}").into() };
    let last = points.last().map_or(1, |point| point.0);
    let mut chart = ChartBuilder::on(area)
        .caption(name, ("sans-serif", 18))
        .margin(8)
        .x_label_area_size(30)
        .y_label_area_size(40)
        .build_cartesian_2d(0..last, 0.0..100.0)
        .map_err(fault)?;
    chart
        .configure_mesh()
        .x_desc("capacity, entries")
        .y_desc("found, %")
        .x_labels(5)
        .draw()
        .map_err(fault)?;
    for (column, name) in NAMES.iter().copied().chain(["optimum"]).enumerate() {
        let color = COLORS[column % COLORS.len()];
        let curve = points
            .iter()
            .map(|(capacity, shares)| (*capacity, shares[column]));
        chart
            .draw_series(LineSeries::new(curve, &color))
            .map_err(fault)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], color));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 10))
        .draw()
        .map_err(fault)?;
    Ok(())
}
