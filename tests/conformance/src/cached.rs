//! `#[cached]` with its caches in statics and on the stack, and no heap.

use ctu_core::{Bytes, Cache, CacheExt, Error, LruCache, SpinCache, Text, cache_methods, cached};

type Readings = SpinCache<LruCache<(Text<8>, u8), u32, 4>>;

static READINGS: Readings = SpinCache::new(LruCache::new());

#[cached(cache: Readings = READINGS)]
fn calibrated(sensor: &str, channel: u8) -> Result<u32, Error> {
    if channel == 0 {
        return Err(Error::Busy);
    }
    Ok(sensor.len() as u32 * 100 + u32::from(channel))
}

pub(crate) fn cached_function_runs_once_per_argument() {
    assert_eq!(calibrated("inlet", 7), Ok(507));
    assert_eq!(calibrated::cache_in("inlet", 7), Ok(true));
    // The stored value is the returned one.
    let key = calibrated::cache_key("inlet", 7);
    assert_eq!(key.map(|key| READINGS.insert(&key, 1u32)), Ok(Ok(())));
    assert_eq!(calibrated("inlet", 7), Ok(1));
    assert_eq!(calibrated::uncached("inlet", 7), Ok(507));
    assert_eq!(calibrated::refresh("inlet", 7), Ok(507));
    assert_eq!(calibrated("inlet", 7), Ok(507));
    assert_eq!(calibrated::cache_del("inlet", 7), Ok(true));
    assert_eq!(calibrated::cache_in("inlet", 7), Ok(false));
}

pub(crate) fn cached_function_stores_no_error_and_no_long_key() {
    assert_eq!(calibrated("outlet", 0), Err(Error::Busy));
    assert_eq!(calibrated::cache_in("outlet", 0), Ok(false));
    assert_eq!(calibrated("a long name", 1), Ok(1101));
    let refused = Error::KeyTooLong { len: 11, max: 8 };
    assert_eq!(calibrated::cache_in("a long name", 1), Err(refused));
}

struct Node<C> {
    cache: C,
    reads: u32,
}

#[cache_methods(cache: C = self.cache, opts(key = |id| [*id]), volts = "v.", amperes = "a.")]
impl<C: Cache<Key = [u8], Value = u32>> Node<C> {
    fn volts(&mut self, id: u8) -> u32 {
        self.reads += 1;
        u32::from(id) * 10
    }

    fn amperes(&mut self, id: u8) -> Option<u32> {
        self.reads += 1;
        (id > 1).then_some(u32::from(id))
    }
}

pub(crate) fn methods_share_a_cache_by_prefixes() {
    let cache = SpinCache::new(LruCache::<Bytes<4>, u32, 4>::new());
    let mut node = Node { cache: &cache, reads: 0 };
    assert_eq!((node.volts(3), node.volts(3)), (30, 30));
    assert_eq!((node.amperes(3), node.amperes(3)), (Some(3), Some(3)));
    assert_eq!((node.amperes(1), node.amperes(1)), (None, None));
    assert_eq!(node.reads, 4);
    assert_eq!((cache.get(b"v.\x03"), cache.get(b"a.\x03")), (Ok(Some(30)), Ok(Some(3))));
    assert_eq!((node.volts_cache_del(3), cache.len()), (Ok(true), Ok(1)));
}
