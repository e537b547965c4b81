//! The private names of `serde_json` as data. In this build `arbitrary_precision` and `raw_value`
//! are enabled, so `serde_json::Value` takes an object with such a key for a number or raw JSON.

use ctu_core::{
    Cache, CacheExt, Error, ToBytesCache,
    heap::LruCache,
    json::{Data, MAX_DEPTH, from_slice, from_str, json_key, json_key_with, to_string},
};
use ctu_std::memcached::{JsonSerde, MemValue};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json, value::RawValue};
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
};

const NAMES: [&str; 2] = [
    "$serde_json::private::Number",
    "$serde_json::private::RawValue",
];

const REFUSED: Error =
    Error::Decode("JSON without private names of `serde_json`, which `json::Data` reads");

/// Objects with a private name for a key, in the form that Python writes.
fn objects() -> Vec<Value> {
    let contents = [
        json!("1"),
        json!(1),
        json!("[1]"),
        json!({"a": null}),
        json!(""),
    ];
    let mut objects = Vec::new();
    for name in NAMES {
        for content in &contents {
            objects.push(json!({name: content}));
            objects.push(json!({name: content, "z": 1}));
            objects.push(json!({"!": [], name: content}));
            objects.push(json!([{"in": {name: {name: content}}}]));
        }
    }
    objects
}

#[test]
fn data_reads_objects_with_private_names_as_written() {
    for object in objects() {
        let text = to_string(&object).unwrap();
        assert_eq!(from_str(&text), Ok(Data(object.clone())), "{text}");
        // Escaped names are the same names.
        let escaped = text.replace('$', "\\u0024").replace(":p", ":\\u0070");
        assert_eq!(from_str(&escaped), Ok(Data(object)), "{escaped}");
    }
    let numbers = "[1,-1.5,18446744073709551616,1e+16]";
    let data: Data = from_str(numbers).unwrap();
    assert_eq!(to_string(&data).as_deref(), Ok(numbers));
}

#[test]
fn value_holds_the_object_as_written_or_is_rejected() {
    for object in objects() {
        let text = to_string(&object).unwrap();
        for text in [text.replace('$', "\\u0024"), text] {
            match from_str::<Value>(&text) {
                Ok(read) => assert_eq!(read, object, "{text}"),
                Err(error) => assert_eq!(error, REFUSED, "{text}"),
            }
        }
    }
    for name in NAMES {
        let lone = to_string(&json!({name: "[1]"})).unwrap();
        assert_eq!(from_str::<Value>(&lone), Err(REFUSED));
        let lone = to_string(&json!({name: "1"})).unwrap();
        assert_eq!(from_str::<Number>(&lone), Err(REFUSED));
    }
    // The names as text are no keys, and a `Value` holds them.
    let texts = json!([NAMES, {"name": NAMES[0]}, {"z": {"y": NAMES[1]}}]);
    assert_eq!(from_str(&to_string(&texts).unwrap()), Ok(texts));
}

#[test]
fn typed_values_take_private_names_as_any_key() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Shape {
        Unit,
        Newtype(BTreeMap<String, String>),
        Named { of: BTreeMap<String, u8> },
    }
    #[derive(Deserialize, Debug, PartialEq)]
    struct Known {
        z: u8,
    }
    for name in NAMES {
        let map = BTreeMap::from([(name.to_owned(), "1".to_owned())]);
        let text = to_string(&map).unwrap();
        assert_eq!(from_str(&text), Ok(map.clone()));
        assert_eq!(from_str(&text), Ok(HashMap::from([(name, "1")])));
        assert_eq!(from_str(&text), Ok(Some(map.clone())));
        let object = serde_json::Map::from_iter([(name.to_owned(), json!("1"))]);
        assert_eq!(from_str(&text), Ok(object));
        let shapes = vec![
            Shape::Unit,
            Shape::Newtype(map),
            Shape::Named {
                of: [(name.to_owned(), 1)].into(),
            },
        ];
        assert_eq!(from_str(&to_string(&shapes).unwrap()), Ok(shapes));
        // A field that a struct does not know is skipped.
        let more = to_string(&json!({name: "1", "z": 7})).unwrap();
        assert_eq!(from_str(&more), Ok(Known { z: 7 }));
        // Keys of other types, beside such an object.
        let keyed = format!(r#"[{text},{{"7":1}}]"#);
        assert_eq!(
            from_str(&keyed),
            Ok((HashMap::from([(name, "1")]), BTreeMap::from([(7_u8, 1_u8)])))
        );
    }
    // A lone surrogate and a raw control character are no text in any position.
    for bad in [
        r#"{"$serde_json::private::Number":1,"\ud800":2}"#,
        "{\"$serde_json::private::Number\":1,\"\n\":2}",
        "{\"\n\":2}",
        r#"{"$serde_json::private::Number":1}}"#,
    ] {
        assert!(from_str::<BTreeMap<String, u8>>(bad).is_err(), "{bad}");
        assert!(from_str::<Data>(bad).is_err(), "{bad}");
    }
}

#[test]
fn raw_json_is_written_as_data() {
    let raw = |text: &str| RawValue::from_string(text.into()).unwrap();
    for object in objects() {
        let text = object.to_string();
        assert_eq!(to_string(&raw(&text)), to_string(&object), "{text}");
        let read: Box<RawValue> = from_str(&text).unwrap();
        assert_eq!(read.get(), text);
    }
}

#[test]
fn depth_is_counted_through_raw_json() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let too_deep = Error::Decode("JSON nested at most 127 deep");
    let read = |text: &str| from_str::<Vec<Box<RawValue>>>(text).err();
    assert_eq!(read(&nested(MAX_DEPTH)), None);
    assert_eq!(read(&nested(MAX_DEPTH + 1)), Some(too_deep));
    assert_eq!(read(&nested(100_000)), Some(too_deep));

    let raw = |depth| RawValue::from_string(nested(depth)).unwrap();
    assert!(to_string(&[raw(MAX_DEPTH - 1)]).is_ok());
    for written in [to_string(&[raw(MAX_DEPTH)]), json_key(&[raw(MAX_DEPTH)])] {
        assert_eq!(
            written,
            Err(Error::Encode("arrays or objects nested too deep"))
        );
    }
    // Raw JSON in a text in raw JSON: each text is data, so no depth adds up.
    let mut text = nested(100);
    for _ in 0..6 {
        text = to_string(&json!({NAMES[1]: text})).unwrap();
        assert_eq!(from_str::<Value>(&text), Err(REFUSED));
        assert!(from_str::<Data>(&text).is_ok_and(|data| data.0.is_object()));
    }
}

#[test]
fn private_names_are_ordinary_keys_in_json_keys() {
    for name in NAMES {
        let object = json!({name: "1"});
        let text = to_string(&object).unwrap();
        assert_eq!(
            text,
            serde_json::to_string(&BTreeMap::from([(name, "1")])).unwrap()
        );
        assert_eq!(json_key(&(&object,)), Ok(format!("[{text}]")));
        assert_eq!(
            json_key_with(&(), &object),
            Ok(format!(r#"{{"**":{text}}}"#))
        );
        // Differs from the call with the number, or the array, that the object is not.
        assert_ne!(json_key(&(&object,)), json_key(&(1,)));
    }
    // Arguments named as the marks of Python's own form.
    let marks = json!({"*": [1], "**": {"a": 1}});
    assert_eq!(
        json_key_with(&(1,), &marks),
        Ok(r#"{"*":[1],"**":{"*":[1],"**":{"a":1}}}"#.into())
    );
    assert_ne!(json_key(&(&marks,)), json_key_with(&(1,), &json!({"a": 1})));
}

#[test]
fn cache_returns_the_stored_object() {
    let base = RefCell::new(LruCache::<Vec<u8>, Vec<u8>>::with_capacity(16));
    let cache = ToBytesCache::<_, Value, Data>::new(&base);
    for object in objects() {
        let data = Data(object.clone());
        cache.insert(&object, data.clone()).unwrap();
        assert_eq!(cache.get(&object), Ok(Some(data)));
    }
    assert!(from_slice::<Data>(b"{\"\xff\":1}").is_err());
}

#[test]
fn memcached_value_is_the_stored_object() {
    for object in objects() {
        let value = MemValue::from(object);
        let (data, flags) = JsonSerde::serialize(value.clone()).unwrap();
        assert_eq!(JsonSerde::deserialize(data, flags), Ok(value));
    }
}
