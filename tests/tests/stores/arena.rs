//! `ArenaLruCache` and `ArenaFixedCache` against a list of entries in recency order.

use ctu_core::{
    ArenaFixedCache, ArenaLruCache, Bytes, Error,
    stores::{Arena, ArenaRule, Sweep},
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Get(u8),
    Peek(u8),
    Insert(u8, Vec<u8>),
    Remove(u8),
    Retain(u8),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let key = 0..24u8;
    prop_oneof![
        6 => key.clone().prop_map(Op::Get),
        2 => key.clone().prop_map(Op::Peek),
        12 => (key.clone(), prop::collection::vec(any::<u8>(), 0..30)).prop_map(|(key, value)| Op::Insert(key, value)),
        4 => key.prop_map(Op::Remove),
        1 => (1..5u8).prop_map(Op::Retain),
        1 => Just(Op::Clear),
    ]
}

/// Keys of different lengths.
fn bytes(key: u8) -> Vec<u8> {
    vec![key; usize::from(key % 5)]
        .into_iter()
        .chain([key])
        .collect()
}

/// The entries, the most recently used one first.
struct Model {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    most: usize,
    bytes: usize,
    evicts: bool,
}

impl Model {
    fn used(&self) -> usize {
        let sizes = self.entries.iter();
        sizes.map(|(key, value)| 3 + key.len() + value.len()).sum()
    }

    fn is_above_its_limits(&self) -> bool {
        self.entries.len() > self.most || self.used() > self.bytes
    }

    fn take(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        let at = self.entries.iter().position(|(found, _)| found == key)?;
        Some(self.entries.remove(at).1)
    }

    fn get(&mut self, key: &[u8]) -> Option<&[u8]> {
        let value = self.take(key)?;
        self.entries.insert(0, (key.to_vec(), value));
        Some(&self.entries[0].1)
    }

    fn insert(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let before = self.entries.clone();
        self.take(key);
        self.entries.insert(0, (key.to_vec(), value.to_vec()));
        if self.is_above_its_limits() && !self.evicts {
            self.entries = before;
            return Err(Error::Full);
        }
        while self.is_above_its_limits() {
            self.entries.pop();
        }
        Ok(())
    }
}

fn agree<const N: usize, const BYTES: usize, R: ArenaRule>(
    mut store: Arena<Bytes<64>, N, BYTES, R>,
    evicts: bool,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let mut model = Model {
        entries: Vec::new(),
        most: N,
        bytes: BYTES,
        evicts,
    };
    for op in ops {
        match op {
            Op::Get(key) => prop_assert_eq!(store.get(&bytes(*key)), model.get(&bytes(*key))),
            Op::Peek(key) => {
                let key = bytes(*key);
                let found = model.entries.iter().find(|(found, _)| *found == key);
                prop_assert_eq!(store.peek(&key), found.map(|(_, value)| &value[..]));
            }
            Op::Insert(key, value) => {
                let key = bytes(*key);
                prop_assert_eq!(store.insert(&key, value), model.insert(&key, value));
            }
            Op::Remove(key) => {
                let key = bytes(*key);
                prop_assert_eq!(store.remove(&key), model.take(&key).is_some());
            }
            Op::Retain(divisor) => {
                let mut sweep = Sweep::new();
                while store.retain_step(&mut sweep, 2, |key, _| key[0] % divisor != 0) {}
                model.entries.retain(|(key, _)| key[0] % divisor != 0);
            }
            Op::Clear => {
                store.clear();
                model.entries.clear();
            }
        }
        prop_assert_eq!(store.validate(), Ok(()));
        prop_assert_eq!(store.free_bytes(), BYTES - model.used());
        let entries = model
            .entries
            .iter()
            .map(|(key, value)| (&key[..], &value[..]));
        prop_assert!(store.iter().eq(entries));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arena_lru_agrees_with_a_list(ops in prop::collection::vec(op(), 1..200)) {
        agree(ArenaLruCache::<_, 1, 60>::new(), true, &ops)?;
        agree(ArenaLruCache::<_, 9, 100>::new(), true, &ops)?;
        agree(ArenaLruCache::<_, 20, 600>::new(), true, &ops)?;
    }

    #[test]
    fn arena_fixed_agrees_with_a_list(ops in prop::collection::vec(op(), 1..200)) {
        agree(ArenaFixedCache::<_, 1, 60>::new(), false, &ops)?;
        agree(ArenaFixedCache::<_, 9, 100>::new(), false, &ops)?;
        agree(ArenaFixedCache::<_, 20, 600>::new(), false, &ops)?;
    }
}
