use ctu_core::{LruCache, SpinCache, cached};

static CACHE: SpinCache<LruCache<u64, u64, 8>> = SpinCache::new(LruCache::new());

#[cached(cache = CACHE)]
struct NotAFunction;

#[cached(cache = CACHE)]
const fn constant(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE)]
unsafe fn not_safe(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE)]
extern "C" fn foreign(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE)]
#[unsafe(no_mangle)]
fn with_a_symbol(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE)]
#[cfg_attr(unix, unsafe(export_name = "exported"))]
fn exported(number: u64) -> u64 {
    number
}

#[cached(cache = CACHE)]
fn changes(number: &mut u64) -> u64 {
    *number += 1;
    *number
}

#[cached(cache = CACHE)]
fn nothing(number: u64) {
    drop(number);
}

#[cached(cache = CACHE)]
fn never(number: u64) -> ! {
    panic!("{number}")
}

#[cached(cache = CACHE)]
fn some_trait(number: u64) -> impl Copy {
    number
}

#[cached(cache = CACHE)]
fn borrowed(number: &u64) -> &u64 {
    number
}

#[cached(cache = CACHE)]
fn conditional(number: u64, #[cfg(unix)] unix: u64) -> u64 {
    number + unix
}

#[cached(cache = CACHE)]
#[cached(cache = CACHE)]
fn twice(number: u64) -> u64 {
    number
}

struct Service;

#[cached(cache = CACHE)]
impl Service {
    #[cached(cache = CACHE)]
    fn consumed(self, number: u64) -> u64 {
        number
    }
}

trait Source {
    #[cached(cache = CACHE)]
    fn without_a_body(&self, number: u64) -> u64;
}

fn main() {}
