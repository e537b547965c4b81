//! Compares `#[cached]` with the plain cache and with the crate `cached`:
//! `cargo bench -p ctu-bench --bench cached`.
//!
//! A hit is a call with a cached result. "key and get" makes the same key and calls the same cache
//! by hand.

use ctu_bench::contest::{Contender, Outcome, contest, table};
use ctu_core::{Cache, LruCache, SpinCache, Text, cached};
use ctu_tests::allocations::{self, Counting};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::hint::black_box;

const OPERATIONS: usize = 200_000;
const ROUNDS: usize = 21;
const ENTRIES: u64 = 512;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Shared<K, V = u64> = SpinCache<LruCache<K, V, 1024>>;
type Locked<K> = ctu_std::LockedCache<ctu_std::LruCache<K, u64>>;

static NUMBERS: Shared<u64> = SpinCache::new(LruCache::new());
static PAIRS: Shared<(u64, u32)> = SpinCache::new(LruCache::new());
static TEXTS: Shared<Text<16>> = SpinCache::new(LruCache::new());
static MIXED: Shared<(Text<16>, u32)> = SpinCache::new(LruCache::new());
static THREADS: std::sync::LazyLock<Locked<u64>> =
    std::sync::LazyLock::new(|| Locked::new(ctu_std::LruCache::with_capacity(1024)));
static OWNED: std::sync::LazyLock<Locked<(String, u32)>> =
    std::sync::LazyLock::new(|| Locked::new(ctu_std::LruCache::with_capacity(1024)));
static JSON: std::sync::LazyLock<Locked<String>> =
    std::sync::LazyLock::new(|| Locked::new(ctu_std::LruCache::with_capacity(1024)));

#[cached(cache = NUMBERS)]
fn number(number: u64) -> u64 {
    number + 1
}

#[cached(cache = PAIRS)]
fn pair(number: u64, times: u32) -> u64 {
    number + u64::from(times)
}

#[cached(cache = TEXTS, prefix = "")]
fn text(text: &str) -> u64 {
    text.len() as u64
}

#[cached(cache = MIXED)]
fn mixed(text: &str, times: u32) -> u64 {
    text.len() as u64 + u64::from(times)
}

#[cached(cache = THREADS)]
fn number_locked(number: u64) -> u64 {
    number + 1
}

#[cached(cache = OWNED)]
fn mixed_owned(text: &str, times: u32) -> u64 {
    text.len() as u64 + u64::from(times)
}

#[cached(cache = JSON, prefix = "", key = ctu_core::json_key)]
fn mixed_json(text: &str, times: u32) -> u64 {
    text.len() as u64 + u64::from(times)
}

/// The same with the crate `cached`.
mod peer {
    use cached::macros::cached;

    #[cached(max_size = 1024)]
    pub(super) fn number(number: u64) -> u64 {
        number + 1
    }

    #[cached(max_size = 1024)]
    pub(super) fn pair(number: u64, times: u32) -> u64 {
        number + u64::from(times)
    }

    #[cached(max_size = 1024, key = "String", convert = r#"{ text.to_owned() }"#)]
    pub(super) fn text(text: &str) -> u64 {
        text.len() as u64
    }

    #[cached(
        max_size = 1024,
        key = "(String, u32)",
        convert = r#"{ (text.to_owned(), times) }"#
    )]
    pub(super) fn mixed(text: &str, times: u32) -> u64 {
        text.len() as u64 + u64::from(times)
    }

    #[cached(
        max_size = 1024,
        key = "String",
        convert = r#"{ serde_json::to_string(&(text, times)).unwrap_or_default() }"#
    )]
    pub(super) fn mixed_json(text: &str, times: u32) -> u64 {
        text.len() as u64 + u64::from(times)
    }
}

/// The arguments of the calls, the same for every contender.
struct Calls {
    numbers: Vec<u64>,
    texts: Vec<String>,
}

impl Calls {
    fn new() -> Self {
        let mut random = StdRng::seed_from_u64(1);
        let numbers: Vec<u64> = (0..OPERATIONS)
            .map(|_| random.random_range(0..ENTRIES))
            .collect();
        let texts = (0..ENTRIES)
            .map(|number| format!("text {number}"))
            .collect();
        Self { numbers, texts }
    }

    fn all(&self, mut call: impl FnMut(u64, &str) -> u64) -> u64 {
        let call = |number: &u64| {
            let text = self.texts.get(*number as usize).map_or("", String::as_str);
            call(black_box(*number), black_box(text))
        };
        self.numbers.iter().map(call).fold(0, u64::wrapping_add)
    }
}

fn got(found: Result<Option<u64>, ctu_core::Error>) -> u64 {
    found.ok().flatten().unwrap_or_default()
}

/// One hit, of a number and a text.
type Call = fn(u64, &str) -> u64;

/// One column. Each contender has run once before, so that all it does is hits.
fn column(title: &str, calls: &Calls, contenders: &[(&str, bool, Call)]) -> Outcome {
    eprintln!("{title} ...");
    let contenders = contenders.iter().map(|&(name, ours, call)| {
        calls.all(call);
        let run = move || calls.all(call);
        if ours {
            Contender::ours(name, run)
        } else {
            Contender::peer(name, run)
        }
    });
    contest(title, OPERATIONS, ROUNDS, contenders.collect())
}

const CACHED: &str = "ctu #[cached]";
const BY_HAND: &str = "ctu, key and get";
const PEER: &str = "crate cached";

fn main() {
    let calls = Calls::new();
    let outcomes = [
        column(
            "u64",
            &calls,
            &[
                (CACHED, true, |n, _| number(n)),
                (BY_HAND, false, |n, _| got(NUMBERS.get(&n))),
                (PEER, false, |n, _| peer::number(n)),
            ],
        ),
        column(
            "u64, locked for threads",
            &calls,
            &[
                (CACHED, true, |n, _| number_locked(n)),
                (BY_HAND, false, |n, _| got(THREADS.get(&n))),
                (PEER, false, |n, _| peer::number(n)),
            ],
        ),
        column(
            "(u64, u32)",
            &calls,
            &[
                (CACHED, true, |n, _| pair(n, n as u32)),
                (BY_HAND, false, |n, _| got(PAIRS.get(&(n, n as u32)))),
                (PEER, false, |n, _| peer::pair(n, n as u32)),
            ],
        ),
        column(
            "&str",
            &calls,
            &[
                (CACHED, true, |_, t| text(t)),
                (BY_HAND, false, |_, t| got(TEXTS.get(t))),
                (PEER, false, |_, t| peer::text(t)),
            ],
        ),
        column(
            "(&str, u32), no heap",
            &calls,
            &[
                (CACHED, true, |n, t| mixed(t, n as u32)),
                (BY_HAND, false, |n, t| {
                    got(MIXED.get(&(Text::try_from(t).unwrap_or_default(), n as u32)))
                }),
                (PEER, false, |n, t| peer::mixed(t, n as u32)),
            ],
        ),
        column(
            "(&str, u32) as (String, u32)",
            &calls,
            &[
                (CACHED, true, |n, t| mixed_owned(t, n as u32)),
                (BY_HAND, false, |n, t| {
                    got(OWNED.get(&(t.to_owned(), n as u32)))
                }),
                (PEER, false, |n, t| peer::mixed(t, n as u32)),
            ],
        ),
        column(
            "(&str, u32) as json_key",
            &calls,
            &[
                (CACHED, true, |n, t| mixed_json(t, n as u32)),
                (BY_HAND, false, |n, t| {
                    ctu_core::json_key(&(t, n as u32)).map_or(0, |key| got(JSON.get(&key)))
                }),
                (PEER, false, |n, t| peer::mixed_json(t, n as u32)),
            ],
        ),
    ];
    println!("\n{}\n", table(&outcomes));

    println!("| a hit | beside key and get | beside the crate cached |\n| --- | --- | --- |");
    for outcome in &outcomes {
        let (cached, by_hand, peer) = (
            outcome.time(CACHED),
            outcome.time(BY_HAND),
            outcome.time(PEER),
        );
        let aim = |ratio: f64, most: f64| {
            let met = if ratio <= most { "met" } else { "NOT MET" };
            format!("×{ratio:.2}, at most {most:.2}: {met}")
        };
        println!(
            "| {} | {} | {} |",
            outcome.title,
            aim(cached / by_hand, 1.2),
            aim(cached / peer, 1.0)
        );
    }

    let before = allocations::count();
    black_box(calls.all(|n, t| {
        let numbers = number(n) + number_locked(n) + pair(n, n as u32);
        numbers + text(t) + mixed(t, n as u32) + mixed_owned(t, n as u32)
    }));
    let allocations = allocations::count() - before;
    println!("\n{allocations} allocations in {OPERATIONS} hits of each that makes no text");
    assert_eq!(allocations, 0);
}
