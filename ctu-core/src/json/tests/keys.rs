use super::{Kind, refused};
use crate::json::to_string;
use alloc::{collections::BTreeMap, vec};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};

/// Keys of every kind, as a Python dict may have them.
#[derive(Serialize, Clone, Copy)]
#[serde(untagged)]
pub(super) enum Any {
    None,
    Bool(bool),
    Int(i128),
    Big(u128),
    Float(f64),
    Text(&'static str),
}

/// A map in the order given, duplicates included.
pub(super) struct Pairs<'a>(pub(super) &'a [(Any, u8)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[test]
fn keys_are_sorted_at_every_depth() {
    let value: Value = json!({"b": {"z": 1, "a": [{"y": 1, "x": 2}]}, "a": 1, "B": 0, "é": 1, "\u{ffff}": 2, "😀": 3, "": 0});
    assert_eq!(
        to_string(&value).unwrap(),
        r#"{"":0,"B":0,"a":1,"b":{"a":[{"x":2,"y":1}],"z":1},"\u00e9":1,"\uffff":2,"\ud83d\ude00":3}"#
    );
}

#[test]
fn number_keys_are_sorted_as_numbers() {
    let numbers = BTreeMap::from([(-10, 0), (-9, 1), (2, 2), (10, 3)]);
    assert_eq!(
        to_string(&numbers).unwrap(),
        r#"{"-10":0,"-9":1,"2":2,"10":3}"#
    );
    use Any::{Big, Float, Int};
    let mixed = Pairs(&[
        (Big(u128::MAX), 0),
        (Float(1e300), 1),
        (Float(10.5), 2),
        (Int(10), 3),
        (Float(-0.5), 4),
        (Any::Bool(true), 5),
        (Int(-1), 6),
        (Float(-1e300), 7),
        (Int(i128::MIN), 8),
        (Int(9_007_199_254_740_993), 9),
        (Float(9_007_199_254_740_992.0), 10),
        (Float(-1.5), 11),
        (Any::Bool(false), 12),
        (Int(11), 13),
    ]);
    assert_eq!(
        to_string(&mixed).unwrap(),
        concat!(
            r#"{"-1e+300":7,"-170141183460469231731687303715884105728":8,"-1.5":11,"-1":6,"-0.5":4,"#,
            r#""false":12,"true":5,"10":3,"10.5":2,"11":13,"9007199254740992.0":10,"#,
            r#""9007199254740993":9,"340282366920938463463374607431768211455":0,"1e+300":1}"#
        )
    );
}

#[test]
fn repeated_key_replaces_the_value() {
    let again = Pairs(&[
        (Any::Text("b"), 1),
        (Any::Text("a"), 2),
        (Any::Text("b"), 3),
    ]);
    assert_eq!(to_string(&again).unwrap(), r#"{"a":2,"b":3}"#);
    // Python: {1: 1, True: 2, 1.0: 3}
    let equal = Pairs(&[(Any::Int(1), 1), (Any::Bool(true), 2), (Any::Float(1.0), 3)]);
    assert_eq!(to_string(&equal).unwrap(), r#"{"1":3}"#);
}

#[test]
fn mixed_key_types_are_rejected() {
    let mixed = refused("map keys of different kinds");
    for (a, b) in [
        (Any::Text("1"), Any::Int(1)),
        (Any::Int(1), Any::None),
        (Any::None, Any::Text("null")),
    ] {
        assert_eq!(to_string(&Pairs(&[(a, 1), (b, 2)])), mixed);
    }
    assert_eq!(
        to_string(&Pairs(&[(Any::None, 1)])).unwrap(),
        r#"{"null":1}"#
    );
}

#[test]
fn invalid_key_type_is_rejected() {
    let no_key = refused("a map key that is no text, number, bool or none");
    assert_eq!(to_string(&BTreeMap::from([((1, 2), 3)])), no_key);
    assert_eq!(to_string(&BTreeMap::from([(vec![1], 3)])), no_key);
    assert_eq!(to_string(&BTreeMap::from([(Kind::Newtype(1), 3)])), no_key);
    assert_eq!(
        to_string(&BTreeMap::from([(Kind::Unit, 3)])).unwrap(),
        r#"{"Unit":3}"#
    );
    assert_eq!(
        to_string(&BTreeMap::from([('k', 3)])).unwrap(),
        r#"{"k":3}"#
    );
}
