use super::{
    keys::{Any, Pairs},
    refused,
};
use crate::{
    error::Error,
    json::{from_str, to_string},
};
use alloc::string::ToString;
use serde_json::Value;

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
    // 772716456255417.25 and .75, halfway between two of 16 digits.
    (f64::from_bits(0x4305f6408f18fdca), "772716456255417.2"),
    (f64::from_bits(0x4305f6408f18fdce), "772716456255417.8"),
];

#[test]
fn floats_match_python_repr() {
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
fn f32_is_written_with_its_shortest_digits() {
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
        // Python reads it as an `f64` with the same digits.
        assert_eq!(
            to_string(&from_str::<f64>(text).unwrap()).as_deref(),
            Ok(text)
        );
    }
}

#[test]
fn invalid_number_is_rejected() {
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
fn integers_of_every_width_are_written() {
    assert_eq!(to_string(&i128::MIN).unwrap(), i128::MIN.to_string());
    assert_eq!(to_string(&u128::MAX).unwrap(), u128::MAX.to_string());
    assert_eq!(
        to_string(&(i64::MIN, u64::MAX, -1_i8)).unwrap(),
        "[-9223372036854775808,18446744073709551615,-1]"
    );
    assert_eq!(from_str::<u128>(&u128::MAX.to_string()), Ok(u128::MAX));
    assert_eq!(from_str::<i128>(&i128::MIN.to_string()), Ok(i128::MIN));
}

#[cfg(feature = "big-integers")]
#[test]
fn value_keeps_integers_of_any_size() {
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
    use serde::{Serialize, Serializer, ser::SerializeMap};
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
