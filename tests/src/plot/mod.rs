//! Charts of curves as SVG, in the color scheme of their reader.

pub mod colors;

use colors::{BACK, CURVES, FAULT, LINE, TEXT};
use plotters::{
    coord::{
        Shift,
        ranged1d::{AsRangedCoord, ValueFormatter},
    },
    prelude::*,
    style::TextStyle,
};
use std::{error::Error, fmt::Display, ops::Range};

pub use plotters::prelude::SeriesLabelPosition as Legend;

/// The distances on an axis.
#[derive(Clone, Copy)]
pub enum Scale {
    /// Equal differences are equal distances.
    Linear,
    /// Equal ratios are equal distances; labels are powers of the base.
    Log(f64),
}

/// One axis of a chart.
#[derive(Clone)]
pub struct Axis {
    /// The quantity and its unit.
    pub title: &'static str,
    /// The values at both ends.
    pub range: Range<f64>,
    /// The distances between values.
    pub scale: Scale,
}

/// A curve with its name in the legend.
pub struct Curve {
    /// The name in the legend.
    pub name: String,
    /// The points in the order of `x`. A `y` that is not a number interrupts the curve.
    pub points: Vec<(f64, f64)>,
}

/// A chart of several curves, which have the colors [`CURVES`] in their order.
pub struct Chart {
    /// The caption.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The values of `x` with a shaded background.
    pub shade: Option<Range<f64>>,
    /// The curves.
    pub curves: Vec<Curve>,
    /// The place of the legend, if the chart has one.
    pub legend: Option<Legend>,
}

type Fault = Box<dyn Error>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn fault(error: impl Display) -> Fault {
    error.to_string().into()
}

fn color([red, green, blue]: [u8; 3]) -> RGBColor {
    RGBColor(red, green, blue)
}

fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&color(TEXT))
}

/// Draws charts of `size` pixels each, in rows of `columns` charts, as an SVG document.
///
/// # Errors
/// Values that cannot be drawn.
pub fn svg(charts: &[Chart], columns: usize, (width, height): (u32, u32)) -> Result<String, Fault> {
    let rows = charts.len().div_ceil(columns).max(1);
    let size = (width * columns as u32, height * rows as u32);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&color(BACK)).map_err(fault)?;
        for (area, chart) in root.split_evenly((rows, columns)).iter().zip(charts) {
            let (x, y) = (&chart.x, &chart.y);
            let (across, up) = (x.range.clone(), y.range.clone());
            match (x.scale, y.scale) {
                (Scale::Linear, Scale::Linear) => draw(area, chart, across, up),
                (Scale::Linear, Scale::Log(base)) => {
                    draw(area, chart, across, up.log_scale().base(base))
                }
                (Scale::Log(base), Scale::Linear) => {
                    draw(area, chart, across.log_scale().base(base), up)
                }
                (Scale::Log(base), Scale::Log(other)) => {
                    let (across, up) = (across.log_scale(), up.log_scale());
                    draw(area, chart, across.base(base), up.base(other))
                }
            }?;
        }
        root.present().map_err(fault)?;
    }
    Ok(colors::apply(&svg))
}

fn draw<X, Y>(area: &Area<'_>, chart: &Chart, across: X, up: Y) -> Result<(), Fault>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let mut context = ChartBuilder::on(area)
        .caption(&chart.title, font(16))
        .margin(10)
        .x_label_area_size(34)
        .y_label_area_size(60)
        .build_cartesian_2d(across, up)
        .map_err(fault)?;
    let Range { start, end } = chart.y.range;
    if let Some(shade) = &chart.shade {
        let shade = Rectangle::new(
            [(shade.start, start), (shade.end, end)],
            color(FAULT).filled(),
        );
        context.draw_series([shade]).map_err(fault)?;
    }
    context
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(0)
        .bold_line_style(color(LINE))
        .axis_style(color(LINE))
        .label_style(font(12))
        .axis_desc_style(font(12))
        .x_desc(chart.x.title)
        .y_desc(chart.y.title)
        .x_labels(6)
        .x_label_formatter(&|value| label(*value))
        .y_label_formatter(&|value| label(*value))
        .draw()
        .map_err(fault)?;
    for (curve, shade) in chart.curves.iter().zip(CURVES.iter().cycle()) {
        let style = color(*shade).stroke_width(2);
        let parts = curve.points.split(|point| point.1.is_nan());
        let parts = parts.filter(|part| !part.is_empty());
        for (index, part) in parts.enumerate() {
            let points = part.iter().map(|(x, y)| (*x, y.clamp(start, end)));
            let drawn = context.draw_series(LineSeries::new(points, style));
            let drawn = drawn.map_err(fault)?;
            if index == 0 {
                drawn
                    .label(&curve.name)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
            }
        }
    }
    let Some(legend) = &chart.legend else {
        return Ok(());
    };
    context
        .configure_series_labels()
        .position(legend.clone())
        .background_style(color(BACK))
        .border_style(color(LINE))
        .margin(4)
        .label_font(font(12))
        .draw()
        .map_err(fault)
}

/// A value of an axis without digits of the rounding.
fn label(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    rounded.to_string()
}
