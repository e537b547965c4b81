use super::{Kind, Named, refused};
use crate::json::{full_hash_key_with, json_key, json_key_with};
use alloc::collections::BTreeMap;
use serde_json::json;

#[test]
fn call_keys_have_four_forms() {
    let none = BTreeMap::<&str, u8>::new();
    let some = BTreeMap::from([("b", 1), ("a", 2)]);
    assert_eq!(json_key_with(&(), &none).unwrap(), "[]");
    assert_eq!(json_key_with(&(1,), &none).unwrap(), "[1]");
    assert_eq!(
        json_key_with(&(), &some).unwrap(),
        r#"{"**":{"a":2,"b":1}}"#
    );
    assert_eq!(
        json_key_with(&(1,), &some).unwrap(),
        r#"{"*":[1],"**":{"a":2,"b":1}}"#
    );
    assert_eq!(json_key_with(&[] as &[u8], &()).unwrap(), "[]");
    assert_eq!(
        full_hash_key_with(&(1,), &BTreeMap::from([("hi", "hello")])).unwrap(),
        "qaw=O`1vH!z^B&4<X>Bb"
    );
}

#[test]
fn malformed_arguments_are_rejected() {
    let arguments = refused("arguments that are no sequence; write one argument as (x,)");
    assert_eq!(json_key("hello"), arguments);
    assert_eq!(json_key(&1), arguments);
    assert_eq!(json_key(&None::<u8>), arguments);
    assert_eq!(json_key(&Named { b: 1, a: None }), arguments);
    assert_eq!(json_key(&Kind::Pair(1, 2)), arguments);
    assert_eq!(json_key(&json!(1.5)), arguments);
    assert_eq!(json_key(&(None::<u8>, ())).unwrap(), "[null,null]");
    assert_eq!(json_key(&Some(json!([1, "a"]))).unwrap(), r#"[1,"a"]"#);
    let keywords = refused("keyword arguments that are no map or struct");
    assert_eq!(json_key_with(&(), &(1, 2)), keywords);
    assert_eq!(json_key_with(&(), "a"), keywords);
    assert_eq!(
        json_key_with(&(), &BTreeMap::from([(1, 2)])),
        refused("a keyword that is not text")
    );
}

/// Only `None` has the key null. Values within `Some` have their own key.
#[test]
fn nested_options_are_distinct_or_rejected() {
    let null = refused("a key of `Some` of what is null");
    assert_eq!(json_key(&(None::<Option<u8>>,)).unwrap(), "[null]");
    assert_eq!(json_key(&(Some(Some(1)),)).unwrap(), "[1]");
    assert_eq!(json_key(&(Some(None::<u8>),)), null);
    assert_eq!(json_key(&([Some(()), None],)), null);
    let map = BTreeMap::from([("a", Some(json!(null)))]);
    assert_eq!(json_key(&(1, map)), null);
    let keywords = BTreeMap::from([("a", Some(None::<u8>))]);
    assert_eq!(json_key_with(&(), &keywords), null);
    assert_eq!(crate::json::to_string(&Some(None::<u8>)).unwrap(), "null");
}
