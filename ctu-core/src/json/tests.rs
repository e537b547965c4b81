use super::{
    MAX_DEPTH, append_to, from_slice, from_str, full_hash_key_with, json_key, json_key_with,
    to_string, to_vec,
};
use crate::{Bytes, Error};
use alloc::{boxed::Box, collections::BTreeMap, string::String, string::ToString, vec, vec::Vec};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};

/// Floats and their `repr` in Python.
const FLOATS: &[(f64, &str)] = &[
    (f64::from_bits(0x0000000000000000), "0.0"),
    (f64::from_bits(0x8000000000000000), "-0.0"),
    (f64::from_bits(0x3ff0000000000000), "1.0"),
    (f64::from_bits(0xbff8000000000000), "-1.5"),
    (f64::from_bits(0x3fb999999999999a), "0.1"),
    (f64::from_bits(0x3fd3333333333333), "0.3"),
    (f64::from_bits(0x3fd5555555555555), "0.3333333333333333"),
    (f64::from_bits(0x3fe5555555555555), "0.6666666666666666"),
    (f64::from_bits(0x3f1a36e2eb1c432d), "0.0001"),
    (f64::from_bits(0x3ee4f8b588e368f1), "1e-05"),
    (f64::from_bits(0x3f202e4b6ce5dc68), "0.00012345"),
    (f64::from_bits(0x3ee9e3abe16fc70d), "1.2345e-05"),
    (f64::from_bits(0x405edd2f1a9fbe77), "123.456"),
    (f64::from_bits(0x430c6bf526340000), "1000000000000000.0"),
    (f64::from_bits(0x4341c37937e08000), "1e+16"),
    (f64::from_bits(0x434aa535d3d0c000), "1.5e+16"),
    (f64::from_bits(0x4341c37937e07fff), "9999999999999998.0"),
    (f64::from_bits(0x4345ee2a2eb5a5c4), "1.2345678901234568e+16"),
    (f64::from_bits(0x437b69b4ba630f35), "1.2345678901234568e+17"),
    (f64::from_bits(0x4376345785d8a000), "1e+17"),
    (f64::from_bits(0x444b1ae4d6e2ef50), "1e+21"),
    (f64::from_bits(0x4480f0cf064dd592), "1e+22"),
    (f64::from_bits(0x44b52d02c7e14af6), "1e+23"),
    (f64::from_bits(0x0000000000000001), "5e-324"),
    (
        f64::from_bits(0x0010000000000000),
        "2.2250738585072014e-308",
    ),
    (
        f64::from_bits(0x7fefffffffffffff),
        "1.7976931348623157e+308",
    ),
    (f64::from_bits(0x4340000000000000), "9007199254740992.0"),
    (f64::from_bits(0x3d30000000000000), "5.684341886080802e-14"),
    (f64::from_bits(0x4450000000000000), "1.1805916207174113e+21"),
    (f64::from_bits(0x4340000000000000), "9007199254740992.0"),
    (f64::from_bits(0x4011666666666666), "4.35"),
    (f64::from_bits(0x54b249ad2594c37d), "1e+100"),
    (f64::from_bits(0x3e8421f5f40d8376), "1.5e-07"),
    (f64::from_bits(0x2b2bff2ee48e0530), "1e-100"),
    (f64::from_bits(0x4059000000000000), "100.0"),
    (f64::from_bits(0x412e848000000000), "1000000.0"),
    (f64::from_bits(0x419d6f3454800000), "123456789.125"),
    (f64::from_bits(0x3fe0000000000000), "0.5"),
    (f64::from_bits(0x4024000000000000), "10.0"),
    // Halfway between two of 16 digits.
    (772_716_456_255_417.25, "772716456255417.2"),
    (772_716_456_255_417.75, "772716456255417.8"),
];

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

/// Keys of every kind, as a Python dict may have them.
#[derive(Serialize, Clone, Copy)]
#[serde(untagged)]
enum Any {
    None,
    Bool(bool),
    Int(i128),
    Big(u128),
    Float(f64),
    Text(&'static str),
}

/// A map in the order given, duplicates included.
struct Pairs<'a>(&'a [(Any, u8)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

fn refused(what: &'static str) -> Result<String, Error> {
    Err(Error::Encode(what))
}

#[test]
fn floats_are_pythons_repr() {
    for (float, text) in FLOATS {
        assert_eq!(to_string(float).as_deref(), Ok(*text));
        assert_eq!(
            from_str::<f64>(text).map(f64::to_bits),
            Ok(float.to_bits()),
            "{text}"
        );
    }
}

#[test]
fn an_f32_has_its_own_shortest_digits() {
    for (float, text) in [
        (0.1_f32, "0.1"),
        (16_777_216.0, "16777216.0"),
        (f32::MAX, "3.4028235e+38"),
        (f32::from_bits(1), "1e-45"),
        (-1e-5, "-1e-05"),
        (-0.0, "-0.0"),
    ] {
        assert_eq!(to_string(&float).as_deref(), Ok(text));
        assert_eq!(from_str::<f32>(text).map(f32::to_bits), Ok(float.to_bits()));
        // What Python makes of it has the same digits.
        assert_eq!(
            to_string(&from_str::<f64>(text).unwrap()).as_deref(),
            Ok(text)
        );
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(to_string(&float), refused("NaN or infinity in JSON"));
        assert_eq!(
            to_string(&(float as f32)),
            refused("NaN or infinity in JSON")
        );
        assert_eq!(
            to_string(&Pairs(&[(Any::Int(1), 0), (Any::Float(float), 0)])),
            refused("NaN or infinity in JSON")
        );
    }
    for text in ["NaN", "Infinity", "-Infinity"] {
        assert_eq!(from_str::<Value>(text), Err(Error::Decode("JSON")));
    }
}

#[test]
fn integers_of_every_width() {
    assert_eq!(to_string(&i128::MIN).unwrap(), i128::MIN.to_string());
    assert_eq!(to_string(&u128::MAX).unwrap(), u128::MAX.to_string());
    assert_eq!(
        to_string(&(i64::MIN, u64::MAX, -1_i8)).unwrap(),
        "[-9223372036854775808,18446744073709551615,-1]"
    );
    assert_eq!(from_str::<u128>(&u128::MAX.to_string()), Ok(u128::MAX));
    assert_eq!(from_str::<i128>(&i128::MIN.to_string()), Ok(i128::MIN));
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
fn what_serde_names_is_written_as_serde_json_does() {
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
fn keys_are_sorted_at_every_depth() {
    let value: Value = json!({"b": {"z": 1, "a": [{"y": 1, "x": 2}]}, "a": 1, "B": 0, "é": 1, "\u{ffff}": 2, "😀": 3, "": 0});
    assert_eq!(
        to_string(&value).unwrap(),
        r#"{"":0,"B":0,"a":1,"b":{"a":[{"x":2,"y":1}],"z":1},"\u00e9":1,"\uffff":2,"\ud83d\ude00":3}"#
    );
}

#[test]
fn numbers_are_sorted_before_they_become_text() {
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
fn a_key_given_again_replaces_the_value() {
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
fn keys_of_different_kinds_are_refused() {
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
fn what_is_no_key_is_refused() {
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

#[test]
fn bytes_are_refused() {
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
fn depth_is_limited_to_what_can_be_read_back() {
    let nested = |depth| (0..depth).fold(json!(0), |value, _| json!([value]));
    let text = to_string(&nested(MAX_DEPTH)).unwrap();
    assert_eq!(from_str::<Value>(&text), Ok(nested(MAX_DEPTH)));
    assert_eq!(
        to_string(&nested(MAX_DEPTH + 1)),
        refused("arrays or objects nested too deep")
    );
    let text = alloc::format!("[{text}]");
    assert_eq!(from_str::<Value>(&text), Err(Error::Decode("JSON")));
    // Written side by side, they do not count.
    assert!(to_string(&vec![[[[0]]]; 1000]).is_ok());
}

#[test]
fn a_chain_without_brackets_is_limited_too() {
    #[derive(Serialize)]
    struct Link(Option<Box<Link>>);
    let chain = |len| (0..len).fold(Link(None), |link, _| Link(Some(Box::new(link))));
    assert_eq!(to_string(&chain(200)).unwrap(), "null");
    assert_eq!(to_string(&chain(1000)), refused("a value nested too deep"));
}

#[test]
fn a_value_that_refuses_itself_is_an_error() {
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
fn a_buffer_is_unchanged_where_it_is_too_small() {
    let mut buffer = Bytes::<6>::from_slice(b"abc").unwrap();
    let long = append_to(&mut buffer, "text");
    assert_eq!(long, Err(Error::ValueTooLong { len: 9, max: 6 }));
    assert_eq!(buffer, b"abc");
    append_to(&mut buffer, "x").unwrap();
    assert_eq!(buffer, b"abc\"x\"");
}

#[test]
fn reading_tells_bad_json_from_json_of_another_type() {
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

#[test]
fn the_four_forms_of_a_key() {
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
fn arguments_that_are_none_are_refused() {
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

#[cfg(feature = "big-integers")]
#[test]
fn a_value_keeps_integers_of_any_size() {
    for text in [
        "18446744073709551616",
        "-123456789012345678901234567890123456789012345678901234567890",
        r#"{"a":100000000000000000000000000000000000000000,"b":[1e+16,1.0,-0.0,5e-324]}"#,
    ] {
        assert_eq!(
            to_string(&from_str::<Value>(text).unwrap()).as_deref(),
            Ok(text)
        );
    }
    for (foreign, ours) in [
        ("1E16", "1e+16"),
        ("1.50", "1.5"),
        ("-0", "0"),
        ("10e-1", "1.0"),
    ] {
        assert_eq!(
            to_string(&from_str::<Value>(foreign).unwrap()).as_deref(),
            Ok(ours)
        );
    }
    let infinite = from_str::<Value>("1e999").unwrap();
    assert_eq!(to_string(&infinite), refused("NaN or infinity in JSON"));
    struct Keys;
    impl Serialize for Keys {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let number = |text| from_str::<serde_json::Number>(text).unwrap();
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry(&number("10"), &1)?;
            map.serialize_entry(&number("9"), &2)?;
            map.serialize_entry(&number("9.5"), &3)?;
            map.end()
        }
    }
    assert_eq!(to_string(&Keys).unwrap(), r#"{"9":2,"9.5":3,"10":1}"#);
}
