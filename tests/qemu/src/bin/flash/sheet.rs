//! The stores and stacks of the data sheet of worst cases: the operations of the sheet on each. The
//! probe has the name of its row.
// A probe uses one of the rows.
#![allow(unused)]

use super::{key, parts::Timer};
use core::hint::black_box;
use core::time::Duration;
use ctu_core::*;

type Lock<S> = LockedCache<CriticalSectionMutex, S>;
type Key = Bytes<20>;
type Value = Bytes<64>;

const TTL: Duration = Duration::from_secs(60);

fn operations<C: Cache<Value: Clone>>(cache: &C, at: &C::Key, value: C::Value) {
    black_box(cache.get(key(at)).is_ok());
    black_box(cache.get_with_ttl(key(at)).is_ok());
    black_box(cache.insert_entry(key(at), key(value), None).is_ok());
    black_box(cache.remove(key(at)).is_ok());
    black_box(cache.retain(&mut |_| key(false)).is_ok());
}

fn long<C: Cache<Key = [u8], Value = Value>>(cache: &C) {
    operations(cache, b"key", Value::new());
}

macro_rules! rows {
    ($($run:ident { $($row:literal: $store:ty = $new:expr;)+ })+) => {
        $($(#[cfg(probe = $row)] {
            static CACHE: Lock<$store> = Lock::new($new);
            rows!($run CACHE)
        })+)+
    };
    (numbers $cache:ident) => { operations(&$cache, &1, 2) };
    (readings $cache:ident) => { operations(&$cache, &1, [2, 3]) };
    (long $cache:ident) => { long(&$cache) };
    (prefixed $cache:ident) => { long(&PrefixedCache::new(&$cache, b"cfg.")) };
    (counted $cache:ident) => { long(&StatsCache::new(&$cache)) };
}

pub(super) fn run() {
    rows! {
        numbers {
            "LruCache<u32, u32, 16>": LruCache<u32, u32, 16> = LruCache::new();
            "LruCache<u32, u32, 256>": LruCache<u32, u32, 256> = LruCache::new();
            "SmallLruCache<u32, u32, 255>": SmallLruCache<u32, u32, 255> = SmallLruCache::new();
            "ClockCache<u32, u32, 256>": ClockCache<u32, u32, 256> = ClockCache::new();
            "SmallClockCache<u32, u32, 255>": SmallClockCache<u32, u32, 255> = SmallClockCache::new();
            "S3FifoCache<u32, u32, 256>": S3FifoCache<u32, u32, 256> = S3FifoCache::new();
            "SmallS3FifoCache<u32, u32, 255>": SmallS3FifoCache<u32, u32, 255> = SmallS3FifoCache::new();
            "FixedCache<u32, u32, 256>, spread keys": FixedCache<u32, u32, 256> = FixedCache::new();
            "TtlCache<u32, u32, 16, _>": TtlCache<u32, u32, 16, Timer> = TtlCache::new(TTL, Timer);
            "TtlCache<u32, u32, 256, _>": TtlCache<u32, u32, 256, Timer> = TtlCache::new(TTL, Timer);
            "SmallTtlCache<u32, u32, 255, _>": SmallTtlCache<u32, u32, 255, Timer> =
                SmallTtlCache::new(TTL, Timer);
        }
        long {
            "ArenaLruCache<Bytes<64>, 32, 2784>": ArenaLruCache<Value, 32, 2784> = ArenaLruCache::new();
            "ArenaFixedCache<Bytes<64>, 32, 2784>": ArenaFixedCache<Value, 32, 2784> =
                ArenaFixedCache::new();
            "LruCache<Bytes<20>, Bytes<64>, 32>": LruCache<Key, Value, 32> = LruCache::new();
            "SmallFixedCache<Bytes<20>, Bytes<64>, 32>, spread keys": SmallFixedCache<Key, Value, 32> =
                SmallFixedCache::new();
            "TtlCache<Bytes<20>, Bytes<64>, 32, _>": TtlCache<Key, Value, 32, Timer> =
                TtlCache::new(TTL, Timer);
        }
        prefixed {
            "PrefixedCache on LruCache<Bytes<24>, Bytes<64>, 32>": LruCache<Bytes<24>, Value, 32> =
                LruCache::new();
        }
        counted {
            "StatsCache on TtlCache<Bytes<20>, Bytes<64>, 32, _>": TtlCache<Key, Value, 32, Timer> =
                TtlCache::new(TTL, Timer);
        }
        readings {
            "TtlCache<u8, Reading, 4, _>, as READINGS of the example": TtlCache<u8, [u32; 2], 4, Timer> =
                TtlCache::new(TTL, Timer);
        }
    }
}
