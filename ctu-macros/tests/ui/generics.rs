use ctu_core::{LruCache, SpinCache, cached};

static NUMBERS: SpinCache<LruCache<u32, u32, 8>> = SpinCache::new(LruCache::new());
static TEXTS: SpinCache<LruCache<String, u32, 8>> = SpinCache::new(LruCache::new());

trait Model {
    type Id;
}

#[cached(cache = NUMBERS)]
fn scaled<const N: u32>(number: u32) -> u32 {
    N * number
}

#[cached(cache = TEXTS, key = ctu_core::json_key)]
fn bytes<T, U>(count: u32, text: &str) -> u32 {
    count * (size_of::<T>() + size_of::<U>() + text.len()) as u32
}

#[cached(cache = TEXTS)]
fn lent<const N: u32>(text: &str, number: u32) -> u32 {
    text.len() as u32 + N * number
}

#[cached(cache = NUMBERS)]
fn nothing_else<T: Default + Into<u32>>() -> u32 {
    T::default().into()
}

// `M::Id` may be the same for several models.
#[cached(cache = NUMBERS)]
fn of_a_model<M: Model<Id = u32>>(id: M::Id) -> u32 {
    id
}

// A type may be converted into several others.
#[cached(cache = NUMBERS, skip(from))]
fn converted<F: Into<T>, T: Into<u32>>(number: u32, from: F) -> u32 {
    number + from.into().into()
}

#[cached(cache = NUMBERS, skip(from))]
fn converted_too<T: Into<u32>>(number: u32, from: impl Into<T>) -> u32 {
    number + from.into().into()
}

fn main() {}
