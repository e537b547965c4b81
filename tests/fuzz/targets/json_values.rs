#![no_main]
//! JSON values beside `serde_json` and Python's `json`: the same text is taken, as the same value, and
//! the text that is written for it is ASCII, comes back as the same text, and is Python's.

use ctu_core::Error;
use ctu_core::json::{Data, from_slice, to_string};
use ctu_fuzz::Python;
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::{Value, value::RawValue};
use std::cell::RefCell;

thread_local! {
    static PYTHON: RefCell<Python> = RefCell::new(Python::start());
}

/// Python's text for a line of JSON. A number beyond any float is infinite there, and refused.
fn python(json: &str) -> Option<String> {
    PYTHON.with_borrow_mut(|python| python.dumps(json))
}

fuzz_target!(|bytes: &[u8]| {
    let ours = from_slice::<Data>(bytes);
    let theirs = serde_json::from_slice::<Value>(bytes);
    let private = ["$", "\\u"].iter().any(|mark| {
        bytes
            .windows(mark.len())
            .any(|window| window == mark.as_bytes())
    });
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => assert!(private || ours.0 == *theirs),
        (Err(_), Err(_)) => {}
        // An object with a private name, which `serde_json` takes for a number or raw JSON.
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => assert!(private, "{ours:?} {theirs:?}"),
    }
    if let Ok(value) = from_slice::<Value>(bytes) {
        assert_eq!(Ok(Data(value)), ours);
    }
    let _ = from_slice::<Box<RawValue>>(bytes);
    let _ = from_slice::<IgnoredAny>(bytes);
    let _ = from_slice::<Vec<(String, Option<f64>, i128)>>(bytes);
    let Ok(Data(value)) = ours else { return };
    match to_string(&value) {
        Ok(text) => {
            assert!(text.is_ascii());
            let again: Data = from_slice(text.as_bytes()).expect("written by us");
            assert_eq!(to_string(&again).as_ref(), Ok(&text));
            assert_eq!(python(&text).as_ref(), Some(&text));
            // A line break between values is a space to Python's reader, and none is in a text.
            if let Ok(json) = std::str::from_utf8(bytes) {
                assert_eq!(python(&json.replace('\n', " ")), Some(text));
            }
        }
        // A number beyond any float.
        Err(error) => {
            assert_eq!(error, Error::Encode("NaN or infinity in JSON"));
            if let Ok(json) = std::str::from_utf8(bytes) {
                assert_eq!(python(&json.replace('\n', " ")), None);
            }
        }
    }
});
