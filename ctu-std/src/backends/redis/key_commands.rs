//! The commands about keys alone, without values. No I/O.

use super::{
    command::{Batch, Command, Layout, Parts, Read},
    reply::Reply,
    request::Request,
    ttl::Ttl,
};
use std::time::Duration;

/// Removes the entry at `key`. Whether there was one.
pub(super) fn remove(key: &[u8]) -> Command<bool> {
    Command {
        request: Request::of(&[b"DEL", key]),
        read: |reply| Ok(reply.number()? > 0),
    }
}

/// Removes `keys` by `command`. The numbers of removed entries.
pub(super) fn remove_many(
    layout: Layout,
    command: &str,
    keys: &[impl AsRef<[u8]>],
) -> Batch<Read<usize>> {
    let mut parts = Parts::new(layout);
    for keys in layout.group(keys) {
        for keys in keys.chunks(layout.max_keys_per_command()) {
            parts.write(keys[0], |request| request.add_keys(command, keys));
        }
    }
    let read: Read<usize> = |reply| {
        let counts = (0..reply.len()).map(|_| reply.count());
        counts.sum()
    };
    Batch { parts, read }
}

/// The remaining time of the entry at `key`; `None` for no entry and for no limit.
pub(super) fn remaining_ttl(key: &[u8]) -> Command<Option<Duration>> {
    Command {
        request: Request::of(&[b"PTTL", key]),
        read: |reply| {
            Ok(u64::try_from(reply.number()?)
                .ok()
                .map(Duration::from_millis))
        },
    }
}

/// Sets the time to live of the entry at `key`. Whether there is one.
pub(super) fn touch(key: &[u8], ttl: &Ttl) -> Command<bool> {
    let request = match ttl {
        Ttl::Forever => Request::of(&[b"PERSIST", key]).and(&[b"EXISTS", key]),
        Ttl::For(unit, time) => Request::of(&[unit.expire(), key, time.as_bytes()]),
        Ttl::Expired => return remove(key),
    };
    // The last command tells.
    let read: Read<bool> = |reply| {
        while reply.len() > 1 {
            reply.number()?;
        }
        Ok(reply.number()? == 1)
    };
    Command { request, read }
}

/// Removes every key of the database.
pub(super) fn flush() -> Command<()> {
    Command {
        request: Request::of(&[b"FLUSHDB", b"ASYNC"]),
        read: Reply::done,
    }
}

/// The number of keys of the database.
pub(super) fn len() -> Command<usize> {
    Command {
        request: Request::of(&[b"DBSIZE"]),
        read: Reply::count,
    }
}
