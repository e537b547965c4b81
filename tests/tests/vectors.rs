//! Compatibility with Python's CacheToolsUtils, byte for byte: every section of
//! `vectors/vectors.json`, or of the file that `CTU_VECTORS` names. `vectors/generate.py` makes
//! more.

use ctu_std::{
    Aes128Cbc, Base85, ChaCha20, Cipher, Encryption, Error, Json, Mapping, PrefixEncoding, Salsa20,
    ToBytes, base85, full_hash_key, full_hash_key_with, json, json_key, json_key_with,
    memcached::{JsonSerde, KEY_MAX, MemValue, encode_key},
};
use serde::{Serialize, Serializer};
use serde_json::{Value, value::RawValue};
use std::{fs, sync::LazyLock};

static VECTORS: LazyLock<(String, Value)> = LazyLock::new(|| {
    let file = std::env::var("CTU_VECTORS").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/vectors.json").to_owned()
    });
    let text = fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let vectors = json::from_slice(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    (file, vectors)
});

/// One fact, and its place for the message of a failure.
struct Fact {
    at: String,
    value: &'static Value,
}

impl Fact {
    fn field(&self, name: &str) -> &'static Value {
        let found = self.value.get(name);
        found.unwrap_or_else(|| panic!("{}: no field {name:?}", self.at))
    }

    fn text(&self, name: &str) -> &'static str {
        let text = self.field(name).as_str();
        text.unwrap_or_else(|| panic!("{}: {name:?} is no text", self.at))
    }

    fn number(&self, name: &str) -> usize {
        let number = self.field(name).as_u64().and_then(|n| n.try_into().ok());
        number.unwrap_or_else(|| panic!("{}: {name:?} is no number", self.at))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        unhex(self.text(name)).unwrap_or_else(|| panic!("{}: {name:?} is no hex", self.at))
    }

    #[track_caller]
    fn same<T: PartialEq + std::fmt::Debug>(&self, what: &str, ours: T, python: T) {
        assert!(
            ours == python,
            "{}: {what}\n  ours:   {ours:?}\n  Python: {python:?}",
            self.at
        );
    }

    #[track_caller]
    fn ok<T, E: std::fmt::Display>(&self, result: Result<T, E>) -> T {
        result.unwrap_or_else(|error| panic!("{}: {error}", self.at))
    }
}

fn unhex(hex: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let whole = hex.len().is_multiple_of(2);
    whole.then(|| hex.as_bytes().chunks(2).map(pair).collect())?
}

/// The facts of a section. An empty section is an error in the file.
fn section(name: &str) -> impl Iterator<Item = Fact> {
    let (file, vectors) = &*VECTORS;
    let facts = vectors.get(name).and_then(Value::as_array);
    let facts = facts.unwrap_or_else(|| panic!("{file}: no section {name:?}"));
    assert!(!facts.is_empty(), "{file}: section {name:?} is empty");
    facts.iter().enumerate().map(move |(index, value)| Fact {
        at: format!("{name}[{index}] of {value}"),
        value,
    })
}

/// The facts of a section that not every file has.
fn generated(name: &str) -> impl Iterator<Item = Fact> {
    let there = VECTORS.1.get(name).is_some();
    there.then(|| section(name)).into_iter().flatten()
}

#[test]
fn every_section_of_the_vectors_is_known() {
    let known = [
        "json_key",
        "memcached_key",
        "json_serde",
        "redis",
        "to_bytes",
        "bytes",
        "encrypted",
        "auto_prefix_b64",
        "auto_prefix",
        "map_keys",
        "b85_decode",
    ];
    let (file, vectors) = &*VECTORS;
    let sections = vectors.as_object().expect("an object of sections");
    for (name, _) in sections.iter().filter(|(_, section)| section.is_array()) {
        assert!(
            known.contains(&name.as_str()),
            "{file}: section {name:?} is not tested"
        );
    }
}

#[test]
fn json_keys() {
    for fact in section("json_key") {
        let (args, kwargs) = (fact.field("args"), fact.field("kwargs"));
        let (key, hash) = (fact.text("key"), fact.text("full_hash_key"));
        fact.same(
            "json_key_with",
            fact.ok(json_key_with(args, kwargs)).as_str(),
            key,
        );
        fact.same(
            "full_hash_key_with",
            &*fact.ok(full_hash_key_with(args, kwargs)),
            hash,
        );
        if kwargs.as_object().is_some_and(serde_json::Map::is_empty) {
            fact.same("json_key", fact.ok(json_key(args)).as_str(), key);
            fact.same("full_hash_key", &*fact.ok(full_hash_key(args)), hash);
        }
    }
}

#[test]
fn memcached_keys() {
    for fact in section("memcached_key") {
        let key = fact.text("key");
        let prefix = fact.text("prefix");
        let (encoded, prefixed) = (fact.text("encoded"), fact.text("prefixed"));
        let ours = fact.ok(base85::encode::<String>(key.as_bytes()));
        fact.same("base85", ours.as_str(), encoded);
        for (prefix, python) in [("", encoded), (prefix, prefixed)] {
            let ours = encode_key(prefix, key);
            // Python leaves the limit to its client.
            if python.len() > KEY_MAX {
                let (len, max) = (python.len(), KEY_MAX);
                fact.same("long key", ours, Err(Error::KeyTooLong { len, max }));
            } else {
                fact.same("key", fact.ok(ours).as_slice(), python.as_bytes());
            }
        }
    }
}

#[test]
fn memcached_values() {
    for fact in section("json_serde") {
        let value = fact.field("value");
        let value = match (
            value.get("bytes").and_then(Value::as_str),
            value.get("json"),
        ) {
            (Some(hex), None) => MemValue::Bytes(unhex(hex).expect("hex")),
            (None, Some(value)) => MemValue::from(value.clone()),
            _ => panic!("{}: neither bytes nor JSON", fact.at),
        };
        let (data, flags) = fact.ok(JsonSerde::serialize(value.clone()));
        fact.same("data", &data, &fact.bytes("data"));
        fact.same("flags", flags as usize, fact.number("flags"));
        let read = fact.ok(JsonSerde::deserialize(data, flags));
        if let MemValue::Json(read) = read {
            let again = fact.ok(JsonSerde::serialize(MemValue::Json(read)));
            fact.same("data, read and written again", again.0, fact.bytes("data"));
        } else {
            fact.same("value read", read, value);
        }
    }
}

#[test]
fn redis_keys_and_values() {
    for fact in section("redis") {
        let key = fact.ok(json::to_string(fact.field("key")));
        fact.same("key", key.as_str(), fact.text("redis_key"));
        let value = fact.ok(json::to_string(fact.field("value")));
        fact.same("value", value.as_str(), fact.text("redis_value"));
        assert!(fact.number("ex") > 0, "{}: no time-to-live", fact.at);
    }
}

#[test]
fn to_bytes() {
    let mapping = ToBytes::<Value, Value, Json>::new();
    for fact in section("to_bytes") {
        let at = fact.ok(Mapping::<[u8], Vec<u8>>::at(&mapping, fact.field("key")));
        fact.same("key", &at, &fact.bytes("key_bytes"));
        let value: Vec<u8> = fact.ok(mapping.encode(&at, fact.field("value").clone()));
        fact.same("value", &value, &fact.bytes("value_bytes"));
        let read = fact.ok(mapping.decode(&at, value)).expect("a value");
        let again: Vec<u8> = fact.ok(mapping.encode(&at, read));
        fact.same(
            "value, read and written again",
            again,
            fact.bytes("value_bytes"),
        );
    }
}

#[test]
fn bytes() {
    let mapping = Base85::new();
    for fact in section("bytes") {
        let (bytes, text) = (fact.bytes("bytes"), fact.text("b85"));
        let at = fact.ok(Mapping::<str, String>::at(&mapping, &bytes));
        fact.same("key", at.as_str(), text);
        let value: String = fact.ok(mapping.encode(&at, bytes.clone()));
        fact.same("value", value.as_str(), text);
        fact.same(
            "value read",
            fact.ok(mapping.decode(&at, value)),
            Some(bytes),
        );
    }
}

#[test]
fn encrypted() {
    for fact in section("encrypted") {
        match fact.text("cipher") {
            "Salsa20" => encrypted_with(&fact, Salsa20),
            "ChaCha20" => encrypted_with(&fact, ChaCha20),
            "AES" | "AES-128" | "AES-128-CBC" => encrypted_with(&fact, Aes128Cbc),
            other => panic!("{}: cipher {other:?} is not tested", fact.at),
        }
    }
}

fn encrypted_with<X: Cipher>(fact: &Fact, cipher: X) {
    let secret = fact.bytes("secret");
    let mapping = Encryption::try_new(secret.as_slice());
    let mapping = mapping.and_then(|mapping| mapping.hsize(fact.number("hsize")));
    let mapping = mapping.and_then(|mapping| mapping.csize(fact.number("csize")));
    let mapping = fact.ok(mapping).cipher(cipher);
    let (key, value) = (fact.bytes("key"), fact.bytes("value"));

    let at = fact.ok(Mapping::<[u8], Vec<u8>>::at(&mapping, &key));
    let stored: &[u8] = std::borrow::Borrow::borrow(&at);
    fact.same("stored key", stored, &fact.bytes("stored_key"));
    let stored = fact.ok(mapping.encode(&at, value.clone()));
    fact.same("stored value", &stored, &fact.bytes("stored_value"));
    fact.same(
        "value read",
        fact.ok(mapping.decode(&at, stored)),
        Some(value),
    );
}

#[test]
fn auto_prefixes() {
    let prefixes = section("auto_prefix_b64");
    for (counter, fact) in (0..).zip(prefixes) {
        let ours = format!("{}.", PrefixEncoding::B64.encode(counter));
        fact.same(
            "prefix",
            ours.as_str(),
            fact.value.as_str().unwrap_or_default(),
        );
    }
}

// The sections that only `generate.py` writes are tested where they are.

/// Any counter, in every encoding.
#[test]
fn auto_prefixes_in_every_encoding() {
    for fact in generated("auto_prefix") {
        let encoding: PrefixEncoding = fact.ok(fact.text("method").parse());
        let counter = fact.number("counter") as u64;
        fact.same(
            "prefix",
            encoding.encode(counter).as_str(),
            fact.text("prefix"),
        );
    }
}

/// A dict with keys of all kinds that Python compares, as pairs in the order they were put in.
#[test]
fn map_keys() {
    struct Pairs(&'static [Value]);
    impl Serialize for Pairs {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|pair| (&pair[0], &pair[1])))
        }
    }
    for fact in generated("map_keys") {
        let pairs = fact.field("pairs").as_array().expect("pairs");
        let ours = fact.ok(json::to_string(&Pairs(pairs)));
        fact.same("JSON", ours.as_str(), fact.text("json"));
    }
}

/// Text that may be base85 or not; bytes are null where Python refuses it.
#[test]
fn b85_decode() {
    for fact in generated("b85_decode") {
        let ours = base85::decode::<Vec<u8>>(fact.text("b85"));
        if fact.field("bytes").is_null() {
            let refused = matches!(ours, Err(Error::Decode(_)));
            assert!(refused, "{}: taken as {ours:?}, refused by Python", fact.at);
        } else {
            fact.same("bytes", fact.ok(ours), fact.bytes("bytes"));
        }
    }
}

/// Raw JSON in a value is rewritten in Python's form.
#[test]
fn raw_json() {
    for fact in section("to_bytes") {
        let foreign = serde_json::to_string_pretty(fact.field("value")).expect("JSON");
        let raw = RawValue::from_string(foreign).expect("JSON");
        let ours = fact.ok(json::to_vec(&raw));
        fact.same("value", ours, fact.bytes("value_bytes"));
    }
}
