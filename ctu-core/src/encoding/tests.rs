use super::{PrefixEncoding, ascii85, base85};
use crate::{
    entries::{Bytes, Text},
    error::Error,
};

/// Bytes, and the output of Python's `b85encode` and `a85encode`.
const FACTS: &[(&[u8], &str, &str)] = &[
    (&[], r##""##, r##""##),
    (&[0x00], r##"00"##, r##"!!"##),
    (&[0x00, 0x00], r##"000"##, r##"!!!"##),
    (&[0x00, 0x00, 0x00], r##"0000"##, r##"!!!!"##),
    (&[0x00, 0x00, 0x00, 0x00], r##"00000"##, r##"z"##),
    (&[0x00, 0x00, 0x00, 0x00, 0x00], r##"0000000"##, r##"z!!"##),
    (
        &[0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x61],
        r##"0000000000VE"##,
        r##"zz@/"##,
    ),
    (&[0xff], r##"{{"##, r##"rr"##),
    (&[0xff, 0xff, 0xff, 0xff], r##"|NsC0"##, r##"s8W-!"##),
    (
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        r##"|NsC0|Ns9"##,
        r##"s8W-!s8W*"##,
    ),
    (&[0x61], r##"VE"##, r##"@/"##),
    (&[0x61, 0x62], r##"VPX"##, r##"@:B"##),
    (&[0x61, 0x62, 0x63], r##"VPaz"##, r##"@:E^"##),
    (&[0x61, 0x62, 0x63, 0x64], r##"VPa!s"##, r##"@:E_W"##),
    (
        &[0x00, 0xff, 0x80, 0x7f, 0x01],
        r##"0RMo00R"##,
        r##"!<7S!!<"##,
    ),
    (
        &[
            0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x57, 0x6f, 0x72, 0x6c, 0x64, 0x21,
        ],
        r##"NM&qnZy;B1a%^NF"##,
        r##"87cURD]i,"Ebo80"##,
    ),
    (
        &[
            0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
            0xee, 0xff,
        ],
        r##"01+ZHL{(;Yh?%Op%-!z)"##,
        r##"!"gD26rdiCLmb9Tbh_^e"##,
    ),
];

#[test]
fn base85_and_ascii85_encode_like_python() {
    for (bytes, b85, a85) in FACTS {
        assert_eq!(base85::encode::<Text<40>>(bytes).as_deref(), Ok(*b85));
        assert_eq!(base85::encoded_len(bytes.len()), b85.len());
        assert_eq!(ascii85::encode::<Text<40>>(bytes).as_deref(), Ok(*a85));
    }
}

#[test]
fn base85_decodes_output_of_python() {
    for (bytes, b85, _) in FACTS {
        assert_eq!(base85::decode::<Bytes<40>>(b85).as_deref(), Ok(*bytes));
        assert_eq!(base85::decoded_len(b85.len()), bytes.len());
    }
}

#[test]
fn single_final_character_yields_no_byte() {
    assert_eq!(base85::decode::<Bytes<4>>("0").as_deref(), Ok(&[][..]));
    assert_eq!(
        base85::decode::<Bytes<4>>("VPa!s0").as_deref(),
        Ok(&b"abcd"[..])
    );
}

#[test]
fn base85_rejects_input_that_python_rejects() {
    let bad = Err(Error::Decode("a character that is not base85"));
    for text in ["\"", "abc d", "VPa!s,", "\u{e9}", "a\0", "z\\"] {
        assert_eq!(base85::decode::<Bytes<8>>(text), bad, "{text:?}");
    }
    let over = Err(Error::Decode("a base85 group over 32 bits"));
    for text in ["~~~~~", "|NsC1", "~", "~~"] {
        assert_eq!(base85::decode::<Bytes<8>>(text), over, "{text:?}");
    }
}

#[test]
fn buffer_overflow_reports_the_whole_length() {
    assert_eq!(
        base85::encode::<Text<7>>(b"Hello World!"),
        Err(Error::ValueTooLong { len: 15, max: 7 })
    );
    assert_eq!(
        base85::decode::<Bytes<7>>("NM&qnZy;B1a%^NF"),
        Err(Error::ValueTooLong { len: 12, max: 7 })
    );
}

#[test]
fn every_prefix_encoding_encodes_like_python() {
    for (counter, texts) in PREFIXES {
        for (name, text) in NAMES.iter().zip(texts) {
            let encoding: PrefixEncoding = name.parse().unwrap();
            assert_eq!(encoding.name(), *name);
            assert_eq!(encoding.encode(*counter), *text, "{name} of {counter}");
        }
    }
}

#[test]
fn unknown_prefix_encoding_is_an_error() {
    for name in ["", "B64", "z85", "b64 "] {
        assert_eq!(
            PrefixEncoding::try_from(name),
            Err(Error::UnknownName("prefix encoding"))
        );
    }
}

const NAMES: [&str; 7] = ["b64", "b64u", "b32", "b32x", "b16", "a85", "b85"];

const PREFIXES: &[(u64, [&str; 7])] = &[
    (
        0,
        [
            r##"AA=="##,
            r##"AA=="##,
            r##"AA======"##,
            r##"00======"##,
            r##"00"##,
            r##"!!"##,
            r##"00"##,
        ],
    ),
    (
        1,
        [
            r##"AQ=="##,
            r##"AQ=="##,
            r##"AE======"##,
            r##"04======"##,
            r##"01"##,
            r##"!<"##,
            r##"0R"##,
        ],
    ),
    (
        62,
        [
            r##"Pg=="##,
            r##"Pg=="##,
            r##"HY======"##,
            r##"7O======"##,
            r##"3E"##,
            r##"4o"##,
            r##"J^"##,
        ],
    ),
    (
        63,
        [
            r##"Pw=="##,
            r##"Pw=="##,
            r##"H4======"##,
            r##"7S======"##,
            r##"3F"##,
            r##"56"##,
            r##"KL"##,
        ],
    ),
    (
        255,
        [
            r##"/w=="##,
            r##"_w=="##,
            r##"74======"##,
            r##"VS======"##,
            r##"FF"##,
            r##"rr"##,
            r##"{{"##,
        ],
    ),
    (
        256,
        [
            r##"AQA="##,
            r##"AQA="##,
            r##"AEAA===="##,
            r##"0400===="##,
            r##"0100"##,
            r##"!<<"##,
            r##"0RR"##,
        ],
    ),
    (
        65535,
        [
            r##"//8="##,
            r##"__8="##,
            r##"777Q===="##,
            r##"VVVG===="##,
            r##"FFFF"##,
            r##"s8N"##,
            r##"|Nj"##,
        ],
    ),
    (
        65536,
        [
            r##"AQAA"##,
            r##"AQAA"##,
            r##"AEAAA==="##,
            r##"04000==="##,
            r##"010000"##,
            r##"!<<*"##,
            r##"0RR9"##,
        ],
    ),
    (
        267349016382,
        [
            r##"Pj8+Pz4="##,
            r##"Pj8-Pz4="##,
            r##"HY7T4PZ6"##,
            r##"7OVJSFPU"##,
            r##"3E3F3E3F3E"##,
            r##"5!M4q4o"##,
            r##"K0iJ`J^"##,
        ],
    ),
    (
        16777216,
        [
            r##"AQAAAA=="##,
            r##"AQAAAA=="##,
            r##"AEAAAAA="##,
            r##"0400000="##,
            r##"01000000"##,
            r##"!<<*""##,
            r##"0RR91"##,
        ],
    ),
    (
        4294967296,
        [
            r##"AQAAAAA="##,
            r##"AQAAAAA="##,
            r##"AEAAAAAA"##,
            r##"04000000"##,
            r##"0100000000"##,
            r##"!<<*"!!"##,
            r##"0RR9100"##,
        ],
    ),
    (
        72057594037927935,
        [
            r##"/////////w=="##,
            r##"_________w=="##,
            r##"77777777777Q===="##,
            r##"VVVVVVVVVVVG===="##,
            r##"FFFFFFFFFFFFFF"##,
            r##"s8W-!s8W*"##,
            r##"|NsC0|Ns9"##,
        ],
    ),
    (
        9223372036854775808,
        [
            r##"gAAAAAAAAAA="##,
            r##"gAAAAAAAAAA="##,
            r##"QAAAAAAAAAAAA==="##,
            r##"G000000000000==="##,
            r##"8000000000000000"##,
            r##"J,fQLz"##,
            r##"fB*mh00000"##,
        ],
    ),
    (
        18446744073709551615,
        [
            r##"//////////8="##,
            r##"__________8="##,
            r##"7777777777776==="##,
            r##"VVVVVVVVVVVVU==="##,
            r##"FFFFFFFFFFFFFFFF"##,
            r##"s8W-!s8W-!"##,
            r##"|NsC0|NsC0"##,
        ],
    ),
];
