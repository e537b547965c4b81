use ctu_core::{Cache, LruCache};

fn use_cache(_: impl Cache) {}

fn main() {
    let mut store = LruCache::<u32, u32, 8>::new();
    use_cache(&mut store);
}
