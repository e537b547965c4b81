//! The prefix that a function has without `prefix = ...`.

use ctu_core::{
    Cache, Error, InMemory, LruCache, PrefixedCache, SpinCache, cache_functions, cached, json_key,
};
use std::{collections::BTreeSet, time::Duration};

type Texts = SpinCache<LruCache<String, String, 32>>;
type ByteKeys = SpinCache<LruCache<Vec<u8>, String, 32>>;

/// The keys of a cache, which has no more than these entries.
fn keys_of<K: Ord + ?Sized, C: Cache<Key = K>>(
    cache: &C,
    known: &[&'static K],
) -> BTreeSet<&'static K> {
    let found = known.iter().filter(|key| cache.contains(key).unwrap());
    let found: BTreeSet<_> = found.copied().collect();
    assert_eq!(cache.len().ok(), Some(found.len()));
    found
}

#[test]
fn functions_over_one_text_cache_do_not_share_entries() {
    static TEXTS: Texts = SpinCache::new(LruCache::new());

    #[cached(cache = TEXTS)]
    fn user_name(id: u32) -> String {
        format!("user {id}")
    }
    #[cached(cache = TEXTS)]
    fn order_title(id: u32) -> String {
        format!("order {id}")
    }

    for _ in 0..2 {
        assert_eq!(
            (user_name(1), order_title(1)),
            ("user 1".into(), "order 1".into())
        );
    }
    user_name::cache_del(1).unwrap();
    assert!(!user_name::cache_in(1).unwrap());
    assert!(order_title::cache_in(1).unwrap());
    assert_eq!(user_name::refresh(1), "user 1");
    let known = [
        "cached::prefixes::user_name.[1]",
        "cached::prefixes::order_title.[1]",
    ];
    assert_eq!(keys_of(&TEXTS, &known), known.into());
}

#[test]
fn every_way_to_make_a_text_key_names_the_function() {
    static TEXTS: Texts = SpinCache::new(LruCache::new());

    #[cached(cache = TEXTS)]
    fn lent(text: &str) -> String {
        format!("lent {text}")
    }
    #[cached(cache = TEXTS)]
    fn owned(text: String) -> String {
        format!("owned {text}")
    }
    #[cached(cache = TEXTS)]
    fn several(text: &str, number: u32) -> String {
        format!("{text} {number}")
    }
    #[cached(cache = TEXTS)]
    fn none() -> String {
        "none".into()
    }
    #[cached(cache = TEXTS, key = json_key)]
    fn by_function(text: &str) -> String {
        format!("function {text}")
    }
    #[cached(cache = TEXTS, key = |text: &str| text.to_uppercase())]
    fn by_closure(text: &str) -> String {
        format!("closure {text}")
    }
    #[cached(cache = TEXTS, key = |text: &str| Ok::<_, Error>(text.to_owned()))]
    fn r#match(text: &str) -> String {
        format!("match {text}")
    }
    #[cached(cache = TEXTS, single_flight)]
    fn in_flight(text: &str) -> String {
        format!("flight {text}")
    }

    for _ in 0..2 {
        assert_eq!(lent("a"), "lent a");
        assert_eq!(owned("a".into()), "owned a");
        assert_eq!(several("a", 1), "a 1");
        assert_eq!(none(), "none");
        assert_eq!(by_function("a"), "function a");
        assert_eq!(by_closure("a"), "closure a");
        assert_eq!(r#match("a"), "match a");
        assert_eq!(in_flight("a"), "flight a");
    }
    let known = [
        "cached::prefixes::lent.a",
        "cached::prefixes::owned.a",
        r#"cached::prefixes::several.["a",1]"#,
        "cached::prefixes::none.[]",
        r#"cached::prefixes::by_function.["a"]"#,
        "cached::prefixes::by_closure.A",
        "cached::prefixes::match.a",
        "cached::prefixes::in_flight.a",
    ];
    assert_eq!(keys_of(&TEXTS, &known), known.into());
}

#[test]
fn byte_keys_name_the_function() {
    static BYTES: ByteKeys = SpinCache::new(LruCache::new());

    #[cached(cache = BYTES)]
    fn lent(bytes: &[u8]) -> String {
        format!("lent {bytes:?}")
    }
    #[cached(cache = BYTES, key = |bytes: &[u8]| bytes.to_vec())]
    fn by_closure(bytes: &[u8]) -> String {
        format!("closure {bytes:?}")
    }
    #[cached(cache = BYTES, key = json_key)]
    fn by_text(number: u32) -> String {
        format!("text {number}")
    }

    for _ in 0..2 {
        assert_eq!(lent(&[1]), "lent [1]");
        assert_eq!(by_closure(&[1]), "closure [1]");
        assert_eq!(by_text(1), "text 1");
    }
    let known: [&[u8]; 3] = [
        b"cached::prefixes::lent.\x01",
        b"cached::prefixes::by_closure.\x01",
        b"cached::prefixes::by_text.[1]",
    ];
    assert_eq!(keys_of(&BYTES, &known), known.into());
}

static NAMES: Texts = SpinCache::new(LruCache::new());

struct User;
struct Order<T>(T);

impl User {
    #[cached(cache = NAMES)]
    fn name(&self, id: u32) -> String {
        format!("user {id}")
    }
    #[cached(cache = NAMES, method)]
    fn count(number: u32) -> String {
        format!("users {number}")
    }
}

impl<T> Order<T> {
    #[cached(cache = NAMES)]
    fn name(&self, id: u32) -> String {
        format!("order {id} of {}", size_of_val(&self.0))
    }
}

trait Titled {
    #[cached(cache = NAMES)]
    fn title(&self, id: u32) -> String {
        format!("{} {id}", self.noun())
    }
    fn noun(&self) -> &'static str;
    fn label(&self, id: u32) -> String;
}

impl Titled for User {
    fn noun(&self) -> &'static str {
        "user"
    }
    #[cached(cache = NAMES, in_trait)]
    fn label(&self, id: u32) -> String {
        format!("user label {id}")
    }
}

impl Titled for Order<u8> {
    fn noun(&self) -> &'static str {
        "order"
    }
    #[cached(cache = NAMES, in_trait)]
    fn label(&self, id: u32) -> String {
        format!("order label {id}")
    }
}

#[test]
fn methods_of_different_types_do_not_share_entries() {
    for _ in 0..2 {
        assert_eq!(User.name(1), "user 1");
        assert_eq!(User::count(1), "users 1");
        assert_eq!(Order(1u8).name(1), "order 1 of 1");
        assert_eq!(Order(1u64).name(1), "order 1 of 8");
        assert_eq!(User.title(1), "user 1");
        assert_eq!(Order(1u8).title(1), "order 1");
        assert_eq!(User.label(1), "user label 1");
        assert_eq!(Order(1u8).label(1), "order label 1");
    }
    assert_eq!(NAMES.len(), Ok(8));
    assert_eq!(
        NAMES.get("cached::prefixes::User::name.[1]"),
        Ok(Some("user 1".into()))
    );
    assert!(Order(1u8).name_cache_del(1).unwrap());
    assert!(Order(1u64).name_cache_in(1).unwrap());
}

#[cache_functions(cache = super::GROUPED, first = "1.", second = "")]
mod group {
    pub(super) fn first(id: u32) -> String {
        format!("first {id}")
    }
    pub(super) fn second(id: u32) -> String {
        format!("second {id}")
    }
}

static GROUPED: Texts = SpinCache::new(LruCache::new());

/// `prefix = ""` is the key that Python writes.
#[test]
fn prefix_option_replaces_the_name() {
    #[cached(cache = GROUPED, prefix = "p.")]
    fn named(id: u32) -> String {
        format!("named {id}")
    }
    #[cached(cache = GROUPED, prefix = "", key = json_key)]
    fn shared(id: u32, text: &str) -> String {
        format!("{id} {text}")
    }
    #[cached(cache = GROUPED, prefix = "")]
    fn shares(id: u32, text: &str) -> String {
        format!("{text} {id}")
    }

    for _ in 0..2 {
        assert_eq!(named(1), "named 1");
        assert_eq!(
            (shared(1, "a"), shares(1, "a")),
            ("1 a".into(), "1 a".into())
        );
        assert_eq!(
            (group::first(1), group::second(1)),
            ("first 1".into(), "second 1".into())
        );
    }
    let known = ["p.[1]", r#"[1,"a"]"#, "1.[1]", "[1]"];
    assert_eq!(keys_of(&GROUPED, &known), known.into());
}

/// A typed key has no room for a name: its first part is the prefix where there is one.
#[test]
fn typed_keys_are_the_arguments() {
    static NUMBERS: SpinCache<LruCache<u32, u32, 8>> = SpinCache::new(LruCache::new());
    static PAIRS: SpinCache<LruCache<(&'static str, u32), u32, 8>> =
        SpinCache::new(LruCache::new());

    #[cached(cache = NUMBERS)]
    fn number(number: u32) -> u32 {
        number + 1
    }
    #[cached(cache = NUMBERS, prefix = "")]
    fn own(number: u32) -> u32 {
        number + 1
    }
    #[cached(cache = PAIRS, prefix = "p.")]
    fn pair(number: u32) -> u32 {
        number + 2
    }
    #[cached(cache = PAIRS, prefix = "")]
    fn empty(number: u32) -> u32 {
        number + 3
    }

    assert_eq!((number(1), own(1), pair(1), empty(1)), (2, 2, 3, 4));
    assert_eq!(NUMBERS.get(&1), Ok(Some(2)));
    assert_eq!(
        (PAIRS.get(&("p.", 1)), PAIRS.get(&("", 1))),
        (Ok(Some(3)), Ok(Some(4)))
    );
}

#[test]
fn function_without_room_in_the_key_for_its_name_runs_uncached() {
    static SHORT: SpinCache<LruCache<ctu_core::Text<8>, u32, 8>> = SpinCache::new(LruCache::new());

    #[cached(cache = SHORT)]
    fn long(text: &str) -> u32 {
        text.len() as u32
    }
    #[cached(cache = SHORT, prefix = "")]
    fn short(text: &str) -> u32 {
        text.len() as u32
    }

    assert_eq!((long("abc"), short("abc")), (3, 3));
    assert!(!long::cache_in("abc").unwrap());
    assert!(short::cache_in("abc").unwrap());
}

#[test]
fn async_functions_name_themselves() {
    static TEXTS: Texts = SpinCache::new(LruCache::new());

    #[cached(cache = TEXTS)]
    async fn user(id: u32) -> String {
        format!("user {id}")
    }
    #[cached(cache = PrefixedCache::new(&TEXTS, "base."))]
    async fn order(id: u32) -> String {
        format!("order {id}")
    }

    for _ in 0..2 {
        assert_eq!(crate::block_on(user(1)), "user 1");
        assert_eq!(crate::block_on(order(1)), "order 1");
    }
    let known = [
        "cached::prefixes::user.[1]",
        "base.cached::prefixes::order.[1]",
    ];
    assert_eq!(keys_of(&TEXTS, &known), known.into());
}

/// A cache that is not from this crate.
struct Mine(Texts);

impl Cache for Mine {
    type Key = str;
    type Value = String;
    type Error = Error;
    fn get(&self, key: &str) -> Result<Option<String>, Error> {
        self.0.get(key)
    }
    fn insert_entry(&self, key: &str, value: String, ttl: Option<Duration>) -> Result<(), Error> {
        self.0.insert_entry(key, value, ttl)
    }
    fn remove(&self, key: &str) -> Result<bool, Error> {
        self.0.remove(key)
    }
    fn clear(&self) -> Result<(), Error> {
        self.0.clear()
    }
    fn len(&self) -> Result<usize, Error> {
        self.0.len()
    }
}

impl InMemory for Mine {}

#[test]
fn user_cache_in_memory_serves_async_functions() {
    static MINE: Mine = Mine(SpinCache::new(LruCache::new()));

    #[cached(cache = MINE)]
    async fn user(id: u32) -> String {
        format!("user {id}")
    }

    assert_eq!(crate::block_on(user(1)), "user 1");
    assert!(crate::block_on(user::cache_in(1)).unwrap());
}
