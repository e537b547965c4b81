use ctu_core::{Error, LruCache, SpinCache, cached};

static NUMBERS: SpinCache<LruCache<u64, u64, 8>> = SpinCache::new(LruCache::new());
static BYTES: SpinCache<LruCache<Vec<u8>, u64, 8>> = SpinCache::new(LruCache::new());
static STORE: [u64; 1] = [0];

#[cached(cache = STORE)]
fn no_cache(number: u64) -> u64 {
    number
}

#[cached(cache = NUMBERS)]
fn wrong_key(text: &str) -> u64 {
    text.len() as u64
}

#[cached(cache = BYTES)]
fn several_as_bytes(text: &str, number: u64) -> u64 {
    text.len() as u64 + number
}

#[cached(cache = NUMBERS)]
fn wrong_value(number: u64) -> String {
    number.to_string()
}

#[cached(cache = NUMBERS, only_some)]
fn no_option(number: u64) -> u64 {
    number
}

#[cached(cache = NUMBERS, prefix = "p.")]
fn prefix_of_a_number(number: u64) -> u64 {
    number
}

#[cached(cache = NUMBERS, on_error = return)]
fn no_place_for_an_error(number: u64) -> u64 {
    number
}

#[cached(cache = NUMBERS, on_error = return)]
fn another_error(number: u64) -> Result<u64, String> {
    Ok(number)
}

#[cached(cache = NUMBERS, on_error = return)]
fn right(number: u64) -> Result<u64, Error> {
    Ok(number)
}

fn main() {}
