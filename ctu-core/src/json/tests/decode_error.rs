use super::super::decode;
use alloc::{collections::BTreeMap, string::String, string::ToString, vec::Vec};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, Unexpected},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code)]
struct User {
    name: String,
    age: u8,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code)]
enum Kind {
    One,
    Two(u8),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code)]
enum Either {
    Number(u8),
    Names(Vec<String>),
}

/// A type with error messages that repeat the data.
#[derive(Debug)]
struct Indiscreet;

impl<'de> Deserialize<'de> for Indiscreet {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Err(match text.len() % 2 {
            0 => D::Error::custom(text),
            _ => D::Error::invalid_value(Unexpected::Other(&text), &"discretion"),
        })
    }
}

#[track_caller]
fn reason<T: DeserializeOwned + core::fmt::Debug>(json: &str) -> String {
    decode::<T>(json.as_bytes()).unwrap_err().to_string()
}

#[test]
fn reason_names_field_type_and_position() {
    assert_eq!(
        reason::<User>(r#"{"name":"Ada"}"#),
        "missing field `age` at line 1 column 14"
    );
    assert_eq!(
        reason::<User>(r#"{"age":1,"age":2}"#),
        "duplicate field `age` at line 1 column 14"
    );
    assert_eq!(
        reason::<(u8, u8)>("[1]"),
        "invalid length, expected a tuple of size 2 at line 1 column 3"
    );
    assert_eq!(
        reason::<Either>("{}"),
        "data did not match any variant of untagged enum Either"
    );
    assert_eq!(
        reason::<BTreeMap<String, Vec<u8>>>("{\"a\":\n[1,null]}"),
        "invalid type: null, expected u8 at line 2 column 7"
    );
    assert_eq!(
        reason::<u8>("[1"),
        "invalid type: sequence, expected u8 at line 1 column 0"
    );
    assert_eq!(
        reason::<u8>(""),
        "EOF while parsing a value at line 1 column 0"
    );
    assert_eq!(
        reason::<u8>("1 x"),
        "trailing characters at line 1 column 3"
    );
    assert_eq!(
        reason::<u8>(&"[".repeat(200)),
        "EOF while parsing a list at line 1 column 200"
    );
}

#[test]
fn reason_holds_no_data() {
    for json in [
        r#""hush""#,
        r#""hush, expected hush""#,
        r#""hush\" `hush`, hush""#,
        r#"{"hush": 1}"#,
        r#"{"name": "hush", "age": "hush"}"#,
        r#"{"age": 7777}"#,
        r#"[7777]"#,
        "7777",
        "7777.5",
        "-7777",
        r#"{"Two": "hush"}"#,
    ] {
        let reasons = [
            decode::<User>(json.as_bytes()).unwrap_err(),
            decode::<Kind>(json.as_bytes()).unwrap_err(),
            decode::<Either>(json.as_bytes()).unwrap_err(),
            decode::<Vec<u8>>(json.as_bytes()).unwrap_err(),
            decode::<bool>(json.as_bytes()).unwrap_err(),
            decode::<char>(json.as_bytes()).unwrap_err(),
            decode::<Indiscreet>(json.as_bytes()).unwrap_err(),
        ];
        for reason in reasons.map(|error| error.to_string()) {
            let leaks = reason.contains("hush") || reason.contains("7777");
            assert!(!leaks, "{json}: {reason}");
        }
    }
    assert_eq!(reason::<Indiscreet>(r#""hush""#), "refused by the type");
    assert_eq!(
        reason::<Indiscreet>(r#""hushy""#),
        "invalid value: data, expected discretion"
    );
    assert_eq!(
        reason::<Kind>(r#""Three""#),
        "unknown variant, expected `One` or `Two` at line 1 column 7"
    );
}
