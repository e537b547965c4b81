use ctu_core::{Cache, LruCache, SpinCache, cached};

#[derive(Clone, PartialEq, Eq, Hash)]
struct Sensor(u8);

static SENSORS: SpinCache<LruCache<Sensor, u64, 8>> = SpinCache::new(LruCache::new());
static POINTS: SpinCache<LruCache<(f64, f64), u64, 8>> = SpinCache::new(LruCache::new());
static NUMBERS: SpinCache<LruCache<u64, u64, 8>> = SpinCache::new(LruCache::new());

fn shared(_: &impl Cache) {}

fn keys_that_are_none() {
    shared(&SENSORS);
    shared(&POINTS);
}

#[cached(cache = NUMBERS)]
fn a_float(value: f64) -> u64 {
    value as u64
}

#[cached(cache = NUMBERS, key = |value| value.to_bits())]
fn the_bits_of_a_float(value: f64) -> u64 {
    value as u64
}

fn main() {}
