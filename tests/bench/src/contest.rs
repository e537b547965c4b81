//! Side-by-side timing: contenders take turns, so that other load of the machine affects all of
//! them alike, and the median of the rounds counts. (Criterion times one after the other.)

use std::{fmt::Write, hint::black_box, time::Instant};

/// A contender: `run` performs all operations of one round.
pub struct Contender<'a> {
    name: String,
    ours: bool,
    run: Box<dyn FnMut() -> u64 + 'a>,
}

impl<'a> Contender<'a> {
    /// A contender of this project.
    pub fn ours(name: &str, run: impl FnMut() -> u64 + 'a) -> Self {
        Self {
            name: name.into(),
            ours: true,
            run: Box::new(run),
        }
    }

    /// A contender for comparison.
    pub fn peer(name: &str, run: impl FnMut() -> u64 + 'a) -> Self {
        Self {
            name: name.into(),
            ours: false,
            run: Box::new(run),
        }
    }
}

/// Nanoseconds an operation, by contender, in the order they were given.
pub struct Outcome {
    /// The name of the workload.
    pub title: String,
    /// Name, whether it is of this project, median nanoseconds an operation.
    pub rows: Vec<(String, bool, f64)>,
}

/// Runs `rounds` rounds after a warm-up, each contender in turn with `operations` operations.
pub fn contest(
    title: &str,
    operations: usize,
    rounds: usize,
    mut contenders: Vec<Contender<'_>>,
) -> Outcome {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..=rounds {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let start = Instant::now();
            black_box((contender.run)());
            if round > 0 {
                times.push(start.elapsed().as_nanos() as f64 / operations as f64);
            }
        }
    }
    let rows = contenders
        .into_iter()
        .zip(times)
        .map(|(contender, mut times)| {
            times.sort_by(f64::total_cmp);
            (contender.name, contender.ours, times[times.len() / 2])
        })
        .collect();
    Outcome {
        title: title.into(),
        rows,
    }
}

impl Outcome {
    /// Nanoseconds an operation of a contender.
    pub fn time(&self, name: &str) -> f64 {
        self.rows
            .iter()
            .find(|row| row.0 == name)
            .map_or(f64::NAN, |row| row.2)
    }

    /// The quickest peer.
    pub fn best_peer(&self) -> f64 {
        self.rows
            .iter()
            .filter(|row| !row.1)
            .map(|row| row.2)
            .fold(f64::INFINITY, f64::min)
    }
}

/// One table: a line a contender, a column an outcome, nanoseconds an operation; ours with the
/// ratio to the best peer.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut names: Vec<(&str, bool)> = Vec::new();
    for row in outcomes.iter().flat_map(|outcome| &outcome.rows) {
        if !names.iter().any(|name| name.0 == row.0) {
            names.push((&row.0, row.1));
        }
    }
    let mut text = String::from("| ns an operation (× the best peer) |");
    for outcome in outcomes {
        let _ = write!(text, " {} |", outcome.title);
    }
    text += "\n| --- |";
    text += &" ---: |".repeat(outcomes.len());
    for (name, ours) in names {
        let _ = write!(text, "\n| {name} |");
        for outcome in outcomes {
            let time = outcome.time(name);
            let _ = match (time.is_nan(), ours) {
                (true, _) => write!(text, " |"),
                (_, true) => write!(
                    text,
                    " **{time:.1}** (×{:.2}) |",
                    time / outcome.best_peer()
                ),
                (_, false) => write!(text, " {time:.1} |"),
            };
        }
    }
    text
}
