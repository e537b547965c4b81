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
/// A curve of this project.
pub const OURS: [u8; 3] = [0x0f, 0x8a, 0x7a];
/// A curve for comparison.
pub const PEER: [u8; 3] = [0xb3, 0x56, 0x0c];
/// The time of an outage.
pub const OUTAGE: [u8; 3] = [0xfb, 0xea, 0xec];

/// Each color, and its form on a dark background.
const DARK: [([u8; 3], &str); 6] = [
    (BACK, "#0d1117"),
    (TEXT, "#e6edf3"),
    (LINE, "#30363d"),
    (OURS, "#35c4b0"),
    (PEER, "#f0a453"),
    (OUTAGE, "#3a1d24"),
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
