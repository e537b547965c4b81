//! Instructions of a write under a lock, beside the copying of its bytes.

use crate::{Timer, print};
use core::hint::black_box;
use core::time::Duration;
use ctu_core::{Bytes, LruCache, S3FifoCache, Store, TtlCache};
use ctu_qemu::count;

/// The instructions of one run of `op`.
fn once<T>(op: impl FnOnce() -> T) -> u32 {
    count::start();
    let begin = count::now();
    black_box(op());
    let end = count::now();
    count::between(begin, end)
}

/// The part of an insertion that a lock covers, for values of `LEN` bytes, in a store of two entries.
fn put<const LEN: usize, S>(subject: &str, mut store: S)
where
    S: Store<Key = [u8], Value = Bytes<LEN>>,
{
    let puts = [
        (b"sensor/of/room/00001", None),
        (b"sensor/of/room/00002", Some("put, room")),
        (b"sensor/of/room/00001", Some("put, replaces")),
        (b"sensor/of/room/00003", Some("put, evicts")),
    ];
    for (key, operation) in puts {
        let mut value = Some(black_box(Bytes::from([7; LEN])));
        // Without it, the compiler fills the store with zeros in the first measured operation.
        black_box(&mut store);
        let took = once(|| {
            store
                .exchange_entry(black_box(key), &mut value, None)
                .is_ok()
        });
        black_box(&value);
        if let Some(operation) = operation {
            print(subject, operation, took);
        }
    }
}

/// The copy of a key of 20 bytes and a value of `LEN`, with their lengths.
fn copy<const LEN: usize>(subject: &str) {
    let mut took = 0;
    for len in [size_of::<Bytes<20>>(), size_of::<Bytes<LEN>>()] {
        let from = black_box([7_u8; 2_048]);
        let mut to = black_box([0_u8; 2_048]);
        let len = black_box(len);
        took += once(|| {
            if let (Some(to), Some(from)) = (to.get_mut(..len), from.get(..len)) {
                to.copy_from_slice(from);
            }
        });
        black_box(&to);
    }
    print(subject, "copy of key and value", took);
}

type Key = Bytes<20>;

pub(crate) fn copies() {
    copy::<64>("Bytes<20>, Bytes<64>");
    copy::<1024>("Bytes<20>, Bytes<1024>");
    put(
        "LruCache<Bytes<20>, Bytes<64>, 2>",
        LruCache::<Key, Bytes<64>, 2>::new(),
    );
    put(
        "LruCache<Bytes<20>, Bytes<1024>, 2>",
        LruCache::<Key, Bytes<1024>, 2>::new(),
    );
    put(
        "S3FifoCache<Bytes<20>, Bytes<64>, 2>",
        S3FifoCache::<Key, Bytes<64>, 2>::new(),
    );
    put(
        "S3FifoCache<Bytes<20>, Bytes<1024>, 2>",
        S3FifoCache::<Key, Bytes<1024>, 2>::new(),
    );
    let ttl = Duration::from_secs(60);
    put(
        "TtlCache<Bytes<20>, Bytes<64>, 2, _>",
        TtlCache::<Key, Bytes<64>, 2, _>::new(ttl, Timer),
    );
    put(
        "TtlCache<Bytes<20>, Bytes<1024>, 2, _>",
        TtlCache::<Key, Bytes<1024>, 2, _>::new(ttl, Timer),
    );
}
