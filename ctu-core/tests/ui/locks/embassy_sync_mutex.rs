use core::cell::RefCell;
use ctu_core::{Cache, LruCache};
use embassy_sync::blocking_mutex::{Mutex, raw::CriticalSectionRawMutex};

static CACHE: Mutex<CriticalSectionRawMutex, RefCell<LruCache<u32, u32, 8>>> =
    Mutex::new(RefCell::new(LruCache::new()));

fn use_cache(_: impl Cache) {}

fn main() {
    use_cache(&CACHE);
}
