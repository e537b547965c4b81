use core::cell::RefCell;
use ctu_core::{LockedCache, LruCache};

type Cache<'s> = LockedCache<RefCell<&'s mut LruCache<u32, u32, 8>>, LruCache<u32, u32, 8>>;

fn main() {
    let _: Option<Cache<'_>> = None;
}
