//! Requests a second and the 99th percentile over time, light and dark.

use crate::load::Run;
use ctu_tests::color_scheme::{self, BACK, LINE, OURS, OUTAGE, PEER, TEXT};
use plotters::{prelude::*, style::TextStyle};
use std::{error::Error, fs, ops::Range, path::Path, time::Duration};

const SIZE: (u32, u32) = (840, 560);
const STEP: Duration = Duration::from_millis(250);

fn color([red, green, blue]: [u8; 3]) -> RGBColor {
    RGBColor(red, green, blue)
}

fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&color(TEXT))
}

/// Writes the charts to an SVG file.
///
/// # Errors
/// A file that cannot be written, and values that cannot be drawn.
pub(crate) fn draw(file: &Path, runs: &[Run], outage: Duration) -> Result<(), Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&color(BACK)).map_err(fault)?;
        let (upper, lower) = root.split_vertically(SIZE.1 / 2);
        let curves: Vec<_> = runs.iter().map(|run| (run.name, run.curve(STEP))).collect();
        let rates: Vec<_> = curves
            .iter()
            .map(|(name, curve)| {
                (
                    *name,
                    curve.iter().map(|point| (point.0, point.1)).collect(),
                )
            })
            .collect();
        let times: Vec<_> = curves
            .iter()
            .map(|(name, curve)| {
                (
                    *name,
                    curve.iter().map(|point| (point.0, point.2)).collect(),
                )
            })
            .collect();
        chart(
            &upper,
            "requests a second",
            &rates,
            100.0..100_000.0,
            outage,
        )?;
        chart(&lower, "99th percentile, ms", &times, 10.0..1_000.0, outage)?;
        root.present().map_err(fault)?;
    }
    fs::write(file, color_scheme::apply(&svg))?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Curve<'c> = (&'c str, Vec<(f64, f64)>);

fn fault(error: impl std::fmt::Display) -> Box<dyn Error> {
    error.to_string().into()
}

fn chart(
    area: &Area<'_>,
    title: &str,
    curves: &[Curve<'_>],
    values: Range<f64>,
    outage: Duration,
) -> Result<(), Box<dyn Error>> {
    let outage = outage.as_secs_f64();
    let mut chart = ChartBuilder::on(area)
        .caption(title, font(16))
        .margin(10)
        .x_label_area_size(34)
        .y_label_area_size(60)
        .build_cartesian_2d(-outage / 2.0..outage * 2.0, values.clone().log_scale())
        .map_err(fault)?;
    let shade = Rectangle::new(
        [(0.0, values.start), (outage, values.end)],
        color(OUTAGE).filled(),
    );
    chart.draw_series([shade]).map_err(fault)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(0)
        .bold_line_style(color(LINE))
        .axis_style(color(LINE))
        .label_style(font(12))
        .axis_desc_style(font(12))
        .x_desc("seconds since Redis stops; it is stopped in the shaded part")
        .x_label_formatter(&|seconds| format!("{seconds:.0}"))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .draw()
        .map_err(fault)?;
    for ((name, curve), shade) in curves.iter().zip([OURS, PEER]) {
        let style = color(shade).stroke_width(2);
        let points = curve
            .iter()
            .map(|(time, value)| (*time, value.max(values.start)));
        chart
            .draw_series(LineSeries::new(points, style))
            .map_err(fault)?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperMiddle)
        .background_style(color(BACK))
        .border_style(color(LINE))
        .margin(4)
        .label_font(font(12))
        .draw()
        .map_err(fault)?;
    Ok(())
}
