use crate::{
    error::Error,
    mappings::{
        mapping::Mapping,
        to_bytes::{Format, ToBytes},
    },
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    valid: bool,
    celsius: f32,
}

const READING: Reading = Reading {
    valid: true,
    celsius: 21.5,
};

/// `ToBytes` on a cache of values `B`.
fn round_trip<F: Format, B: crate::entries::Buffer>(key: &str) -> Result<(F::Key, B), Error> {
    let mapping = ToBytes::<str, Reading, F>::new();
    let at = Mapping::<[u8], B>::at(&mapping, key)?;
    let bytes: B = mapping.encode(&at, READING)?;
    let copy = B::from_bytes(bytes.as_ref())?;
    assert_eq!(mapping.decode(&at, copy), Ok(Some(READING)));
    Ok((at, bytes))
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::{
        entries::Bytes,
        mappings::{
            mapped::Mapped,
            to_bytes::{Json, ToBytesCache},
        },
    };
    use alloc::vec::Vec;
    use serde_json::Value;

    #[test]
    fn keys_and_values_match_python() {
        let (key, value) = round_trip::<Json, Vec<u8>>("é").unwrap();
        assert_eq!(key, br#""\u00e9""#);
        assert_eq!(value, br#"{"celsius":21.5,"valid":true}"#);
    }

    #[test]
    fn oversized_value_is_an_error() {
        let long = round_trip::<Json, Bytes<8>>("key");
        assert_eq!(long, Err(Error::ValueTooLong { len: 29, max: 8 }));
    }

    #[test]
    fn invalid_json_is_an_error_and_no_miss() {
        let mapping = ToBytes::<str, Value, Json>::new();
        let decoded = mapping.decode(&Vec::new(), b"\xff".to_vec());
        assert_eq!(decoded, Err(Error::Decode("JSON")));
    }

    #[test]
    fn json_is_the_default_format() {
        let cache = ToBytesCache::<_, str, Value>::new(());
        let _: &Mapped<(), ToBytes<str, Value, Json>> = &cache;
    }
}

#[cfg(feature = "postcard")]
mod postcard {
    use super::*;
    use crate::{
        entries::Bytes,
        mappings::to_bytes::{Postcard, ToBytesCache},
    };
    use serde::Serializer;

    #[test]
    fn keys_and_values_fit_small_buffers() {
        let (key, value) = round_trip::<Postcard<4>, Bytes<5>>("key").unwrap();
        assert_eq!(key, b"\x03key");
        assert_eq!(value, b"\x01\x00\x00\xac\x41");
    }

    #[test]
    fn buffer_overflow_reports_the_whole_length() {
        assert_eq!(
            round_trip::<Postcard<4>, Bytes<5>>("longer"),
            Err(Error::KeyTooLong { len: 7, max: 4 })
        );
        assert_eq!(
            round_trip::<Postcard<4>, Bytes<2>>("key"),
            Err(Error::ValueTooLong { len: 5, max: 2 })
        );
    }

    #[test]
    fn value_of_another_type_is_an_error_and_no_miss() {
        let mapping = ToBytes::<str, Reading, Postcard>::new();
        for bytes in [
            &b""[..],
            b"\x02\x00\x00\xac\x41",
            b"\x01",
            b"\x01\x00\x00\xac\x41\x00",
        ] {
            let decoded = mapping.decode(&Bytes::new(), Bytes::<8>::from_slice(bytes).unwrap());
            assert!(
                matches!(decoded, Err(Error::Decode(_))),
                "{bytes:?}: {decoded:?}"
            );
        }
    }

    #[test]
    fn sequence_of_unknown_length_is_rejected() {
        #[derive(Clone, Deserialize)]
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::ser::SerializeSeq::end(serializer.serialize_seq(None)?)
            }
        }
        let written = Postcard::<4>::key(&Endless);
        assert!(matches!(written, Err(Error::Encode(_))));
    }

    #[test]
    fn format_is_the_last_type_parameter() {
        let _ = ToBytesCache::<_, str, Reading, Postcard>::new(());
    }
}
