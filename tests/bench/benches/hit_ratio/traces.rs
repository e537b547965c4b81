//! Recorded look-ups.

use crate::in_place;
use flate2::read::MultiGzDecoder;
use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

/// Keys in the order of their look-ups, numbered by first appearance.
pub(crate) struct Trace {
    pub(crate) name: String,
    pub(crate) keys: Vec<u32>,
    distinct: usize,
}

/// The cells that are published for the public traces.
const CELLS: [(&str, &[usize]); 12] = [
    ("oltp", &[256, 1_000, 2_000, 5_000]),
    ("web12", &[100, 500, 2_000]),
    ("corda", &[1_000]),
    ("sprite", &[200, 1_000]),
    ("multi1", &[500, 1_500]),
    ("loop", &[500]),
    ("2_pools", &[400]),
    ("gli", &[500]),
    ("cs", &[500]),
    ("cpp", &[100]),
    ("ps", &[500]),
    ("orm-busy", &[1_000, 10_000]),
];

impl Trace {
    fn numbered<T: Eq + std::hash::Hash>(name: String, keys: impl Iterator<Item = T>) -> Self {
        let mut numbers = HashMap::new();
        let keys = keys.map(|key| {
            let next = numbers.len() as u32;
            *numbers.entry(key).or_insert(next)
        });
        let keys = keys.collect();
        Self {
            name,
            keys,
            distinct: numbers.len(),
        }
    }

    /// The capacities of the table, in percent of themselves.
    pub(crate) fn capacities(&self, percent: usize) -> Vec<usize> {
        let public = CELLS.iter().find(|(name, _)| *name == self.name);
        let mut capacities = match public {
            Some((_, capacities)) => capacities.to_vec(),
            None => self.shares(&[1, 2, 5, 10, 20]),
        };
        for capacity in &mut capacities {
            *capacity = (*capacity * percent / 100).max(1);
        }
        capacities
    }

    /// The capacities of stores in place: none for a public trace that is not compared.
    pub(crate) fn small_capacities(&self) -> Vec<usize> {
        let public = CELLS.iter().any(|(name, _)| *name == self.name);
        match public && !in_place::TRACES.contains(&self.name.as_str()) {
            true => Vec::new(),
            false => in_place::CAPACITIES.into(),
        }
    }

    /// The capacities of a chart.
    pub(crate) fn curve(&self) -> Vec<usize> {
        self.shares(&[1, 2, 4, 6, 10, 15, 20, 30, 40, 60, 80])
    }

    /// Capacities in percent of the distinct keys.
    fn shares(&self, percents: &[usize]) -> Vec<usize> {
        let share = |percent: &usize| (self.distinct * percent / 100).max(1);
        let mut shares: Vec<_> = percents.iter().map(share).collect();
        shares.dedup();
        shares
    }
}

/// Every trace of a folder, by name, or the one trace of a file.
pub(crate) fn read_all(path: &Path) -> Result<Vec<Trace>, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut files = if path.is_dir() {
        let files = std::fs::read_dir(path).map_err(fault)?;
        let files = files.map(|file| file.map(|file| file.path()));
        let mut files = files.collect::<Result<Vec<_>, _>>().map_err(fault)?;
        files.retain(|file| form(file).is_some());
        files
    } else {
        vec![path.to_owned()]
    };
    files.sort();
    if files.is_empty() {
        return Err(format!(
            "{}: no traces, which end in {ENDS}",
            path.display()
        ));
    }
    files.iter().map(|file| read(file)).collect()
}

const ENDS: &str = ".u32, .u32.gz, .txt or .txt.gz";

/// How a file's keys are written: a little-endian `u32` each, or a line each.
enum Form {
    Numbers,
    Lines,
}

/// A file's form, the name of its trace, and whether it is compressed.
fn form(file: &Path) -> Option<(Form, String, bool)> {
    let name = file.file_name()?.to_str()?;
    let (name, compressed) = match name.strip_suffix(".gz") {
        Some(name) => (name, true),
        None => (name, false),
    };
    match name.rsplit_once('.')? {
        (name, "u32") => Some((Form::Numbers, name.into(), compressed)),
        (name, "txt") => Some((Form::Lines, name.into(), compressed)),
        _ => None,
    }
}

fn read(path: &Path) -> Result<Trace, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", path.display());
    let Some((form, name, compressed)) = form(path) else {
        return Err(format!("{}: a trace ends in {ENDS}", path.display()));
    };
    let file = File::open(path).map_err(fault)?;
    let mut bytes: Box<dyn BufRead> = match compressed {
        true => Box::new(BufReader::new(MultiGzDecoder::new(file))),
        false => Box::new(BufReader::new(file)),
    };
    match form {
        Form::Numbers => {
            let mut all = Vec::new();
            bytes.read_to_end(&mut all).map_err(fault)?;
            let (keys, rest) = all.as_chunks();
            match rest {
                [] => Ok(Trace::numbered(
                    name,
                    keys.iter().map(|key| u32::from_le_bytes(*key)),
                )),
                _ => Err(format!(
                    "{}: not a whole number of 4-byte keys",
                    path.display()
                )),
            }
        }
        Form::Lines => {
            let lines = bytes
                .lines()
                .collect::<Result<Vec<_>, _>>()
                .map_err(fault)?;
            Ok(Trace::numbered(name, lines.into_iter()))
        }
    }
}
