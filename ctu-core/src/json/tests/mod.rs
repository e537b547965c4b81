mod args;
mod decode_error;
mod keys;
mod numbers;

use super::{MAX_DEPTH, append_to, from_slice, from_str, to_string, to_vec};
use crate::{entries::Bytes, error::Error};
use alloc::{boxed::Box, collections::BTreeMap, string::String, vec, vec::Vec};
use serde::{Deserialize, Serialize, Serializer, de::IgnoredAny};
use serde_json::{Value, json};

/// Texts and their JSON in Python.
const TEXTS: &[(&str, &str)] = &[
    ("", r##""""##),
    ("a", r##""a""##),
    ("\u{22}\u{5c}/", r##""\"\\/""##),
    (
        "\u{0}\u{1}\u{8}\u{9}\u{a}\u{b}\u{c}\u{d}\u{1b}\u{1f}",
        r##""\u0000\u0001\b\t\n\u000b\f\r\u001b\u001f""##,
    ),
    ("~\u{7f}\u{80}\u{9f}", r##""~\u007f\u0080\u009f""##),
    ("\u{e9}", r##""\u00e9""##),
    (
        "\u{7ff}\u{800}\u{2028}\u{2029}\u{d7ff}\u{e000}\u{ffff}",
        r##""\u07ff\u0800\u2028\u2029\ud7ff\ue000\uffff""##,
    ),
    (
        "\u{10000}\u{1f600}\u{10ffff}",
        r##""\ud800\udc00\ud83d\ude00\udbff\udfff""##,
    ),
    (
        "mixed \u{e9}\u{1f600} end",
        r##""mixed \u00e9\ud83d\ude00 end""##,
    ),
];

#[derive(Serialize)]
struct Unit;
#[derive(Serialize)]
struct Newtype(u8);
#[derive(Serialize)]
struct Pair(u8, &'static str);
#[derive(Serialize)]
struct Named {
    b: u8,
    a: Option<u8>,
}
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Unit,
    Newtype(u8),
    Pair(u8, u8),
    Named { b: u8, a: u8 },
}

fn refused(what: &'static str) -> Result<String, Error> {
    Err(Error::Encode(what))
}

#[test]
fn text_is_escaped_to_ascii() {
    for (text, json) in TEXTS {
        assert_eq!(to_string(text).as_deref(), Ok(*json));
        assert_eq!(from_str::<String>(json).as_deref(), Ok(*text));
    }
    for character in (0..=0x10ffff).filter_map(char::from_u32) {
        let json = to_string(&character).unwrap();
        assert!(
            json.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{json}"
        );
        assert_eq!(from_str::<char>(&json), Ok(character));
    }
}

#[test]
fn serde_enums_match_serde_json() {
    let values = (
        (Unit, Newtype(1), Pair(2, "x"), Named { b: 3, a: None }, 'c'),
        (Kind::Unit, Kind::Newtype(4), Kind::Pair(5, 6), Some(())),
        [vec![], vec![true]],
        BTreeMap::<u8, u8>::new(),
    );
    let ours = to_string(&values).unwrap();
    assert_eq!(
        ours,
        r#"[[null,1,[2,"x"],{"a":null,"b":3},"c"],["Unit",{"Newtype":4},{"Pair":[5,6]},null],[[],[true]],{}]"#
    );
    let kind = to_string(&Kind::Named { b: 7, a: 8 }).unwrap();
    assert_eq!(kind, r#"{"Named":{"a":8,"b":7}}"#);
    assert!(from_str::<Kind>(&kind) == Ok(Kind::Named { b: 7, a: 8 }));
}

#[test]
fn bytes_are_rejected() {
    struct Raw;
    impl Serialize for Raw {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(b"raw")
        }
    }
    assert_eq!(to_string(&Raw), refused("bytes in JSON"));
    assert_eq!(to_string(b"ab").unwrap(), "[97,98]");
}

#[test]
fn depth_limit_of_writer_and_reader_agree() {
    let nested = |depth| (0..depth).fold(json!(0), |value, _| json!([value]));
    let text = to_string(&nested(MAX_DEPTH)).unwrap();
    assert_eq!(from_str::<Value>(&text), Ok(nested(MAX_DEPTH)));
    assert_eq!(
        to_string(&nested(MAX_DEPTH + 1)),
        refused("arrays or objects nested too deep")
    );
    let text = alloc::format!("[{text}]");
    let too_deep = Error::Decode("JSON nested at most 127 deep");
    assert_eq!(from_str::<Value>(&text), Err(too_deep));
    // A part that is skipped counts as well.
    assert_eq!(from_str::<IgnoredAny>(&text).err(), Some(too_deep));
    // Brackets in texts do not count.
    let brackets = to_string(&vec!["[\"\\{"; 200]).unwrap();
    assert!(from_str::<Value>(&brackets).is_ok());
    assert_eq!(
        from_str::<Value>(&"[".repeat(1000)),
        Err(Error::Decode("JSON"))
    );
    // Written side by side, they do not count.
    assert!(to_string(&vec![[[[0]]]; 1000]).is_ok());
}

#[test]
fn newtype_chain_is_limited() {
    #[derive(Serialize)]
    struct Link(Option<Box<Link>>);
    let chain = |len| (0..len).fold(Link(None), |link, _| Link(Some(Box::new(link))));
    assert_eq!(to_string(&chain(200)).unwrap(), "null");
    assert_eq!(to_string(&chain(1000)), refused("a value nested too deep"));
}

#[test]
fn failing_serialize_is_an_error() {
    struct Never;
    impl Serialize for Never {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    assert_eq!(
        to_string(&(1, Never)),
        refused("a value that its own type refused")
    );
}

#[test]
fn buffer_is_unchanged_on_overflow() {
    let mut buffer = Bytes::<6>::from_slice(b"abc").unwrap();
    let long = append_to(&mut buffer, "text");
    assert_eq!(long, Err(Error::ValueTooLong { len: 9, max: 6 }));
    assert_eq!(buffer, b"abc");
    append_to(&mut buffer, "x").unwrap();
    assert_eq!(buffer, b"abc\"x\"");
}

#[test]
fn invalid_json_and_wrong_type_are_distinct_errors() {
    assert_eq!(from_slice::<u8>(b""), Err(Error::Decode("JSON")));
    assert_eq!(from_slice::<u8>(b"1 2"), Err(Error::Decode("JSON")));
    assert_eq!(
        from_slice::<u8>(b"\"1\""),
        Err(Error::Decode("JSON of the type asked for"))
    );
    assert_eq!(
        from_slice::<String>(b"\"\xff\""),
        Err(Error::Decode("JSON"))
    );
    assert_eq!(
        from_slice::<Value>(br#"{"a":1,"a":2}"#),
        Ok(json!({"a": 2}))
    );
    assert_eq!(to_vec(&Vec::<u8>::new()).as_deref(), Ok(&b"[]"[..]));
}
