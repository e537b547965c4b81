#![no_main]
//! JSON keys: of maps with keys of one kind and of calls. Equal arguments have one key, different
//! arguments have different keys, and the text is JSON with the same content, which Python's `json`
//! writes in the same bytes.

use arbitrary::Arbitrary;
use ctu_core::json::{from_str, json_key, json_key_with, to_string};
use ctu_fuzz::Python;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
};

thread_local! {
    static PYTHON: RefCell<Python> = RefCell::new(Python::start());
}

#[derive(Arbitrary, Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Arg {
    Bool(bool),
    Small(i8),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Arg>),
    Texts(BTreeMap<String, Arg>),
    Numbers(BTreeMap<i128, u8>),
    None(Option<()>),
}

fn is_finite(arg: &Arg) -> bool {
    match arg {
        Arg::Float(float) => float.is_finite(),
        Arg::List(args) => args.iter().all(is_finite),
        Arg::Texts(args) => args.values().all(is_finite),
        // `Some` of null has no key of its own.
        Arg::None(some) => some.is_none(),
        _ => true,
    }
}

/// Whether a map in it has keys that are sorted as numbers, and as text once they are read back.
fn has_numbers(arg: &Arg) -> bool {
    match arg {
        Arg::List(args) => args.iter().any(has_numbers),
        Arg::Texts(args) => args.values().any(has_numbers),
        Arg::Numbers(args) => args.len() > 1,
        _ => false,
    }
}

/// The key comes back from Python's `json` as it is.
fn check_in_python(key: &str) {
    let again = PYTHON.with_borrow_mut(|python| python.dumps(key));
    assert_eq!(again.as_deref(), Some(key));
}

fuzz_target!(|input: (Vec<Arg>, Vec<Arg>, HashMap<String, Arg>)| {
    let (one, other, named) = input;
    let valid = one
        .iter()
        .chain(&other)
        .chain(named.values())
        .all(is_finite);
    let (Ok(first), Ok(second)) = (json_key(&one), json_key(&other)) else {
        return;
    };
    assert!(first.is_ascii());
    let mut args = one.iter().chain(named.values());
    let as_text = !args.any(has_numbers);
    if as_text {
        check_in_python(&first);
    }
    let back: serde_json::Value = from_str(&first).unwrap_or_default();
    if valid {
        // `-0.0` equals `0.0` and is written in other bytes; lists alone are compared as text.
        if first == second {
            assert_eq!(to_string(&one), to_string(&other));
        }
        if !first.contains("$serde_json::private::") {
            // Maps may be in another order: numbers are sorted by size, their texts by code point.
            let again = to_string(&back).expect("JSON that was read");
            assert_eq!(from_str(&again), Ok(back));
        }
    }
    let Ok(key) = json_key_with(&one, &named) else {
        return;
    };
    if as_text {
        check_in_python(&key);
    }
    if named.is_empty() {
        assert_eq!(key, first);
    } else {
        assert!(key.starts_with('{') && key.ends_with('}'));
        let sorted: BTreeMap<_, _> = named.iter().collect();
        assert_eq!(json_key_with(&one, &sorted), Ok(key));
    }
});
