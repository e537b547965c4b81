//! Plots show the tables of their pages.
//!
//! `CTU_PLOTS=overwrite cargo test -p ctu-tests --test project plots` draws them anew.

use super::root;
use ctu_tests::plot::{self, Axis, Chart, Curve, Legend, Scale};
use std::{env, fs, ops::Range};

/// A row of a table: its name, and its numbers. A cell without a number is `NaN`.
type Row = (String, Vec<f64>);

/// The cells of a line of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// The first number of a cell, such as 5.1 of `**5.1** (×1.41)` and 67 of `67 / 71`.
fn number(cell: &str) -> f64 {
    let start = cell.trim_start_matches('*');
    let end = start.find(|char: char| !char.is_ascii_digit() && char != '.');
    start[..end.unwrap_or(start.len())]
        .parse()
        .unwrap_or(f64::NAN)
}

/// The table of a page whose header begins with `header`: the first of them.
fn table(page: &str, header: &str) -> Vec<Row> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with(header));
    let rows = lines.skip(2).map_while(cells).map(|cells| {
        let numbers = cells[1..].iter().map(|cell| number(cell)).collect();
        (cells[0].trim_matches('`').to_owned(), numbers)
    });
    let rows: Vec<_> = rows.collect();
    assert!(!rows.is_empty(), "{page} has no table with `{header}`");
    rows
}

fn axis(title: &'static str, range: Range<f64>, scale: Scale) -> Axis {
    Axis {
        title,
        range,
        scale,
    }
}

/// Operations over threads, from a table of nanoseconds an operation.
fn threads() -> String {
    let page = "ctu-std/docs/resilience.md";
    let chart = |title: &str, work: &str, most| {
        let header = format!("| ns an operation (× the best peer) | {work}, 1 thread");
        let curves = table(page, &header).into_iter().map(|(name, times)| Curve {
            name,
            points: [1.0, 2.0, 8.0]
                .into_iter()
                .zip(times.iter().map(|time| 1_000.0 / time))
                .collect(),
        });
        Chart {
            title: title.into(),
            x: axis("threads", 1.0..8.0, Scale::Log(2.0)),
            y: axis("million operations a second", 0.0..most, Scale::Linear),
            shade: None,
            curves: curves.collect(),
            legend: Some(Legend::UpperRight),
        }
    };
    let charts = [
        chart("hits of 1,024 hot keys", "hot keys", 110.0),
        chart("a look-up, and an insert after a miss", "through", 40.0),
    ];
    plot::svg(&charts, 2, (420, 360)).unwrap()
}

/// Instructions on a Cortex-M3 over the capacity.
fn capacity() -> String {
    const CAPACITIES: [f64; 3] = [16.0, 64.0, 256.0];
    let rows = table(
        "docs/costs.md",
        "| | hit | miss | insert, evicts | insert, room",
    );
    let contenders = [
        ("ctu LruCache", "LruCache<u32, u32, "),
        ("ctu TtlCache", "TtlCache<u32, u32, "),
        ("uluru", "uluru::LRUCache<(u32, u32), "),
        ("FnvIndexMap", "heapless::FnvIndexMap<u32, u32, "),
        ("LinearMap", "heapless::LinearMap<u32, u32, "),
    ];
    let chart = |title: &str, column: usize| {
        let curves = contenders.iter().map(|(name, start)| {
            let points = CAPACITIES.iter().map(|capacity| {
                let start = format!("{start}{capacity}");
                let row = rows.iter().find(|row| row.0.starts_with(&start));
                (
                    *capacity,
                    row.unwrap_or_else(|| panic!("{start}")).1[column],
                )
            });
            Curve {
                name: (*name).into(),
                points: points.collect(),
            }
        });
        Chart {
            title: title.into(),
            x: axis("capacity, entries", 16.0..256.0, Scale::Log(2.0)),
            y: axis("instructions", 10.0..10_000.0, Scale::Log(10.0)),
            shade: None,
            curves: curves.collect(),
            legend: Some(Legend::UpperLeft),
        }
    };
    let charts = [
        chart("a hit", 0),
        chart("a miss", 1),
        chart("an insert that evicts", 2),
    ];
    plot::svg(&charts, 3, (300, 320)).unwrap()
}

/// The file is the one that the tables make.
fn is_current(name: &str, drawn: &str) {
    let file = root().join("docs/plots").join(name);
    if env::var_os("CTU_PLOTS").is_some_and(|mode| mode == "overwrite") {
        fs::write(&file, drawn).unwrap();
    }
    assert!(
        fs::read_to_string(&file).is_ok_and(|kept| kept == drawn),
        "docs/plots/{name} does not show its table: \
         CTU_PLOTS=overwrite cargo test -p ctu-tests --test project plots"
    );
}

#[test]
fn plots_show_operations_over_threads_of_the_table() {
    is_current("threads.svg", &threads());
}

#[test]
fn plots_show_instructions_over_the_capacity_of_the_table() {
    is_current("capacity.svg", &capacity());
}

#[test]
fn number_of_a_cell_is_its_first() {
    assert_eq!(number("**5.1** (×1.41)"), 5.1);
    assert_eq!(number("1517 / 1380"), 1517.0);
    assert!(number("").is_nan());
}
