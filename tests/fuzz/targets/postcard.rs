#![no_main]
//! Postcard: any bytes are a value or an error, and a value comes back from its bytes.

use ctu_core::{Bytes, Format, Postcard};
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    Number(i64),
    Text(String),
    Pair(u8, Option<char>),
    Named { at: u128, list: Vec<Shape> },
    Map(BTreeMap<String, bool>),
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = <Postcard<64> as Format>::read::<Shape>(bytes) else {
        return;
    };
    let written: Vec<u8> = <Postcard<64> as Format>::value(&value).expect("room");
    assert_eq!(
        <Postcard<64> as Format>::read::<Shape>(&written),
        Ok(value.clone())
    );
    let key = <Postcard<64> as Format>::key(&value);
    assert_eq!(key.is_ok(), written.len() <= 64);
    let short: Result<Bytes<8>, _> = <Postcard<64> as Format>::value(&value);
    assert_eq!(short.is_ok(), written.len() <= 8);
});
