//! Plots in the color scheme of their reader: light or dark.
//!
//! A plot is drawn in the colors of this module, which [`apply`] makes depend on the scheme.

use std::fmt::Write;

/// The background.
pub const BACK: [u8; 3] = [0xff, 0xff, 0xff];
/// Text.
pub const TEXT: [u8; 3] = [0x24, 0x29, 0x2f];
/// Axes and grids.
pub const LINE: [u8; 3] = [0xd0, 0xd7, 0xde];
/// Curves: the first one is of this project where the others are for comparison.
pub const CURVES: [[u8; 3]; 7] = [
    [0x0f, 0x8a, 0x7a],
    [0xb3, 0x56, 0x0c],
    [0x1f, 0x6f, 0xb4],
    [0x7d, 0x4c, 0xc0],
    [0x6e, 0x77, 0x81],
    [0xc9, 0x3c, 0x56],
    [0x7a, 0x6a, 0x00],
];
/// The time of a fault.
pub const FAULT: [u8; 3] = [0xfb, 0xea, 0xec];

/// Each color, and its form on a dark background.
const DARK: [([u8; 3], &str); 11] = [
    (BACK, "#0d1117"),
    (TEXT, "#e6edf3"),
    (LINE, "#30363d"),
    (CURVES[0], "#35c4b0"),
    (CURVES[1], "#f0a453"),
    (CURVES[2], "#6cb6ff"),
    (CURVES[3], "#c297ff"),
    (CURVES[4], "#9ea7b3"),
    (CURVES[5], "#ff8fa0"),
    (CURVES[6], "#d2c84c"),
    (FAULT, "#3a1d24"),
];

/// Makes the colors of an SVG document depend on the color scheme of its reader.
///
/// # Panics
/// If `svg` is no SVG document.
#[must_use]
pub fn apply(svg: &str) -> String {
    let (mut light, mut dark, mut svg) = (String::new(), String::new(), svg.to_owned());
    for (index, ([red, green, blue], on_dark)) in DARK.iter().enumerate() {
        let color = format!("#{red:02X}{green:02X}{blue:02X}");
        svg = svg.replace(&format!("\"{color}\""), &format!("\"var(--c{index})\""));
        let _ = write!(light, "--c{index}:{color};");
        let _ = write!(dark, "--c{index}:{on_dark};");
    }
    let style = format!(
        "<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}</style>\n"
    );
    let start = svg.find("<svg").expect("an SVG document");
    let end = start + svg[start..].find('>').expect("its first tag") + 1;
    svg.insert_str(end, &style);
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_color_of_the_module_depends_on_the_scheme() {
        for (index, ([red, green, blue], on_dark)) in DARK.iter().enumerate() {
            let svg =
                format!("<svg a=\"b\"><path fill=\"#{red:02X}{green:02X}{blue:02X}\"/></svg>");
            let applied = apply(&svg);
            assert!(applied.starts_with("<svg a=\"b\"><style>:root{"));
            assert!(applied.contains(&format!("<path fill=\"var(--c{index})\"/>")));
            assert!(applied.contains(on_dark));
        }
    }
}
