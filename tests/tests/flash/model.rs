//! The expected entries of a cache whose operations may be cut off.

use crate::nor::Random;
use std::collections::BTreeMap;

/// The values that a key may have; `None` is a miss.
type Values = Vec<Option<Vec<u8>>>;

/// The expected entries.
#[derive(Clone, Default)]
pub(crate) struct Model {
    pub(crate) values: BTreeMap<Vec<u8>, Values>,
    /// Whether an entry may be evicted.
    pub(crate) evicts: bool,
}

pub(crate) enum Operation {
    Insert(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    Get(Vec<u8>),
    Clear,
    Retain(u8),
    Wipe,
}

pub(crate) const KEYS: u64 = 10;

pub(crate) fn key(number: u64) -> Vec<u8> {
    // Some keys reach beyond the first chunk of a record.
    let mut key = format!("key {number}").into_bytes();
    key.resize(5 + (number as usize % 3) * 14, b'.');
    key[4] = b'0' + number as u8;
    key
}

impl Operation {
    pub(crate) fn random(random: &mut Random) -> Self {
        let key = key(random.below(KEYS));
        match random.below(100) {
            0..60 => {
                let len = random.below(40) as usize;
                Self::Insert(key, random.bytes(len))
            }
            60..75 => Self::Remove(key),
            75..96 => Self::Get(key),
            96 => Self::Clear,
            97 | 98 => Self::Retain(b'0' + random.below(KEYS) as u8),
            _ => Self::Wipe,
        }
    }
}

impl Model {
    fn set(&mut self, key: &[u8], value: Option<&[u8]>, done: bool) {
        let value = value.map(<[u8]>::to_vec);
        let values = self.values.entry(key.to_vec()).or_insert(vec![None]);
        if done {
            values.clear();
        }
        if !values.contains(&value) {
            values.push(value);
        }
    }

    /// Checks a value that was read.
    pub(crate) fn see(&mut self, key: &[u8], seen: Option<&[u8]>) {
        let seen = seen.map(<[u8]>::to_vec);
        let values = self.values.entry(key.to_vec()).or_insert(vec![None]);
        let evicted = self.evicts && seen.is_none();
        assert!(
            evicted || values.contains(&seen),
            "{:?} has {seen:?}, expected one of {values:?}",
            String::from_utf8_lossy(key)
        );
        // Seen once, it stays. An evicted entry may come back after a reset.
        if !evicted {
            *values = vec![seen];
        }
    }

    /// Notes an operation, which came to its end or was cut off.
    pub(crate) fn note(&mut self, operation: Operation, done: bool) {
        match operation {
            Operation::Insert(key, value) => self.set(&key, Some(&value), done),
            Operation::Remove(key) => self.set(&key, None, done),
            Operation::Clear => {
                for key in self.values.clone().keys() {
                    self.set(key, None, done);
                }
            }
            Operation::Retain(number) => {
                for key in self.values.clone().keys().filter(|key| key[4] == number) {
                    self.set(key, None, done);
                }
            }
            Operation::Get(_) | Operation::Wipe => {}
        }
    }
}
