//! Keys: typed, made by functions and closures, with prefixes.

use ctu_core::{Bytes, Cache, Error, LruCache, SpinCache, Text, cached, full_hash_key, json_key};

#[test]
fn keys_match_python() {
    static TEXTS: SpinCache<LruCache<String, u32, 16>> = SpinCache::new(LruCache::new());
    static BYTES: SpinCache<LruCache<Vec<u8>, u32, 16>> = SpinCache::new(LruCache::new());

    #[cached(cache = TEXTS, prefix = "", key = json_key)]
    fn json(text: &str, number: u32) -> u32 {
        text.len() as u32 + number
    }
    #[cached(cache = TEXTS, key = full_hash_key, prefix = "h.")]
    fn hashed(text: String, number: u32) -> u32 {
        text.into_bytes().len() as u32 + number
    }
    #[cached(cache = BYTES, key = json_key, prefix = "j.")]
    fn bytes(number: f64) -> u32 {
        number as u32
    }
    // Nothing is said of the key: it is `json_key` where the cache's keys are text.
    #[cached(cache = TEXTS, prefix = "")]
    fn default(number: u32) -> u32 {
        number
    }

    assert_eq!(json("hello", 3), 8);
    assert_eq!(TEXTS.get(r#"["hello",3]"#), Ok(Some(8)));
    assert_eq!(hashed("hello".into(), 3), 8);
    assert_eq!(TEXTS.get("h.L<+6qDcffSE~98t28yVR"), Ok(Some(8)));
    assert_eq!(bytes(1.5), 1);
    assert_eq!(BYTES.get(b"j.[1.5]"), Ok(Some(1)));
    assert_eq!(default(7), 7);
    assert_eq!(TEXTS.get("[7]"), Ok(Some(7)));
    let key = bytes::cache_key(1.5).unwrap();
    assert_eq!(format!("{key:?}"), format!("{:?}", b"j.[1.5]"));
}

#[test]
fn single_argument_is_its_own_text_key() {
    use std::collections::{BTreeMap, HashMap};

    static TEXTS: SpinCache<LruCache<String, usize, 16>> = SpinCache::new(LruCache::new());

    #[cached(cache = TEXTS, prefix = "")]
    fn pair(pair: (u32, &str)) -> usize {
        pair.1.len()
    }
    #[cached(cache = TEXTS, prefix = "")]
    fn sorted(map: &BTreeMap<u32, bool>) -> usize {
        map.len()
    }
    #[cached(cache = TEXTS, prefix = "h.")]
    fn hashed(map: HashMap<&str, u32>) -> usize {
        map.len()
    }

    for _ in 0..2 {
        assert_eq!(pair((1, "ab")), 2);
        assert_eq!(sorted(&BTreeMap::from([(1, true)])), 1);
        assert_eq!(hashed(HashMap::from([("b", 2), ("a", 1)])), 2);
    }
    assert_eq!(TEXTS.get(r#"[[1,"ab"]]"#), Ok(Some(2)));
    assert_eq!(TEXTS.get(r#"[{"1":true}]"#), Ok(Some(1)));
    assert_eq!(TEXTS.get(r#"h.[{"a":1,"b":2}]"#), Ok(Some(2)));
}

#[test]
fn nested_options_have_distinct_keys_or_none() {
    static TEXTS: SpinCache<LruCache<String, u32, 16>> = SpinCache::new(LruCache::new());

    #[cached(cache = TEXTS)]
    fn depth(option: Option<Option<u32>>) -> u32 {
        match option {
            None => 0,
            Some(None) => 1,
            Some(Some(_)) => 2,
        }
    }

    for _ in 0..2 {
        assert_eq!(depth(None), 0);
        assert_eq!(depth(Some(None)), 1);
        assert_eq!(depth(Some(Some(0))), 2);
    }
    let refused = depth::cache_in(Some(None)).map_err(|error| error.to_string());
    assert_eq!(
        refused,
        Err("cannot encode: a key of `Some` of what is null".into())
    );
}

#[test]
fn keys_work_without_a_heap() {
    type Key = (&'static str, Text<8>, Bytes<4>, u8);
    static CACHE: SpinCache<LruCache<Key, usize, 16>> = SpinCache::new(LruCache::new());

    #[cached(cache: SpinCache<LruCache<Key, usize, 16>> = CACHE, prefix = "len.")]
    fn length(text: &str, bytes: &[u8], number: u8) -> usize {
        text.len() + bytes.len() + usize::from(number)
    }

    assert_eq!(length("abc", &[1, 2], 3), 8);
    assert_eq!(length("abc", &[1, 2], 3), 8);
    assert_eq!(length::cache_in("abc", &[1, 2], 3), Ok(true));
    let too_long = length::cache_in("abc", &[1, 2, 3, 4, 5], 3);
    assert_eq!(too_long, Err(Error::KeyTooLong { len: 5, max: 4 }));
    assert_eq!(length("abc", &[1, 2, 3, 4, 5], 3), 11);
}

#[test]
fn key_closure_is_used() {
    struct User {
        id: u32,
    }
    static IDS: SpinCache<LruCache<u32, u32, 16>> = SpinCache::new(LruCache::new());
    static NAMES: SpinCache<LruCache<Text<16>, usize, 16>> = SpinCache::new(LruCache::new());

    #[cached(cache = IDS, key = |user, _factor| user.id)]
    fn scaled(user: User, factor: u32) -> u32 {
        user.id * factor
    }
    // Lent, without being made anew.
    #[cached(cache = NAMES, prefix = "n.", key = |name: &str, _: &u32| name.trim())]
    fn trimmed(name: &str, _unused: u32) -> usize {
        name.len()
    }
    #[cached(cache = NAMES, prefix = "", key = |a, b| {
        let mut key = Text::<16>::new();
        for part in [a, b] {
            key.push_str(part).map_err(|_| Error::Encode("parts that fit"))?;
        }
        Ok::<_, Error>(key)
    })]
    fn joined(a: &str, b: &str) -> usize {
        a.len() + b.len()
    }

    assert_eq!(
        (scaled(User { id: 3 }, 2), scaled(User { id: 3 }, 9)),
        (6, 6)
    );
    assert_eq!((trimmed(" ab ", 1), trimmed("ab", 2)), (4, 4));
    assert_eq!(NAMES.get("n.ab"), Ok(Some(4)));
    assert_eq!((joined("ab", "c"), joined("a", "bc")), (3, 3));
    assert_eq!(joined("0123456789", "0123456789"), 20);
    assert_eq!(NAMES.len(), Ok(2));
}

#[test]
fn key_function_is_used() {
    static CACHE: SpinCache<LruCache<u64, u64, 16>> = SpinCache::new(LruCache::new());

    fn sum(arguments: &(&u64, &u64)) -> u64 {
        arguments.0 + arguments.1
    }
    #[cached(cache = CACHE, key = sum, skip(_log))]
    fn product(_log: &str, a: u64, b: u64) -> u64 {
        a * b
    }

    assert_eq!((product("x", 2, 3), product("y", 1, 4)), (6, 6));
}

#[test]
fn skipped_arguments_are_not_in_the_key() {
    static CACHE: SpinCache<LruCache<u64, u64, 16>> = SpinCache::new(LruCache::new());

    #[cached(cache = CACHE, skip(scratch, note))]
    fn noted(scratch: &mut Vec<u64>, number: u64, note: &str) -> u64 {
        scratch.push(number + note.len() as u64);
        number
    }

    let mut scratch = Vec::new();
    noted(&mut scratch, 1, "a");
    noted(&mut scratch, 1, "bb");
    noted(&mut scratch, 2, "ccc");
    assert_eq!(scratch, [2, 5]);
    assert!(noted::cache_in(&mut scratch, 2, "").unwrap());
}
