//! The list of all keys, page by page, over all servers that have keys. No I/O.

use super::{RedisError, bounds::Bounds, command::Command, request::Request};
use std::{mem, sync::Arc, time::Duration};

/// Keys per round trip.
const PAGE: usize = 500;

/// The position in the list of keys.
pub(super) struct Scan<N> {
    /// The servers whose keys were listed.
    done: Vec<N>,
    at: At<N>,
    /// The remaining time of the servers.
    left: Duration,
}

enum At<N> {
    /// At the start of another server.
    Next,
    /// Within a server, at a cursor.
    Within(N, Vec<u8>),
    End,
}

/// The next request.
pub(super) enum Step<N> {
    /// Another server is needed, which is not among the [`done`](Scan::done) ones.
    Server,
    /// A page of this server, from the cursor on.
    Page(N, Vec<u8>),
    /// All keys are listed.
    End,
}

/// A cursor, and keys as they are on the server.
pub(super) type Page = (Vec<u8>, Vec<Vec<u8>>);

impl<N> Scan<N> {
    /// The start of the list; the servers have so much time.
    pub(super) fn new(left: Duration) -> Self {
        Self {
            done: Vec::new(),
            at: At::Next,
            left,
        }
    }

    /// The next request. The scan ends unless [`turn`](Self::turn) or [`retry`](Self::retry) follows.
    pub(super) fn step(&mut self) -> Step<N> {
        match mem::replace(&mut self.at, At::End) {
            At::Next => Step::Server,
            At::Within(server, cursor) => Step::Page(server, cursor),
            At::End => Step::End,
        }
    }

    /// The servers whose keys were listed.
    pub(super) fn done(&self) -> &[N] {
        &self.done
    }

    /// The cursor of the first page of a server.
    pub(super) fn start() -> Vec<u8> {
        b"0".to_vec()
    }

    /// Takes in that a page of `server` ended at `cursor`.
    pub(super) fn turn(&mut self, server: N, cursor: Vec<u8>) {
        self.at = match &*cursor {
            b"0" => {
                self.done.push(server);
                At::Next
            }
            _ => At::Within(server, cursor),
        };
    }

    /// Goes on with another server: others have taken over from the last one.
    #[cfg(feature = "cluster")]
    pub(super) fn retry(&mut self) {
        self.at = At::Next;
    }

    /// Takes in that the servers used so much of their time.
    pub(super) fn spend(&mut self, time: Duration) {
        self.left = self.left.saturating_sub(time);
    }

    /// The error of a list that takes too long.
    pub(super) fn check(&self, server: &Arc<str>, after: Duration) -> Result<(), RedisError> {
        match self.left.is_zero() {
            true => Err(RedisError::timed_out(server, after)),
            false => Ok(()),
        }
    }
}

/// The keys that begin with `prefix` from `cursor` on, a few hundred. A server that reads the pattern in
/// another way may add other keys.
pub(super) fn page(cursor: &[u8], prefix: &[u8]) -> Command<Page> {
    let count = PAGE.to_string();
    let pattern = pattern(prefix);
    let arguments: [&[u8]; 6] = [
        b"SCAN",
        cursor,
        b"MATCH",
        &pattern,
        b"COUNT",
        count.as_bytes(),
    ];
    Command {
        request: Request::of(&arguments).expecting(Bounds::PAGE),
        read: |reply| {
            let mut page = reply.array()?;
            let (cursor, mut keys) = (page.string()?, page.array()?);
            if page.len() > 0 {
                return Err(reply.unexpected());
            }
            let keys = (0..keys.len()).map(|_| keys.string());
            Ok((cursor, keys.collect::<Result<_, _>>()?))
        },
    }
}

/// The pattern of all keys that begin with `prefix`.
fn pattern(prefix: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(prefix.len() + 1);
    for byte in prefix {
        if b"*?[]^\\".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    pattern.push(b'*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_escaped_in_a_pattern() {
        assert_eq!(pattern(b"app."), b"app.*");
        assert_eq!(pattern(b"a*b?[c]\\"), b"a\\*b\\?\\[c\\]\\\\*");
    }

    #[test]
    fn every_server_is_listed_to_its_end() {
        let mut scan = Scan::new(Duration::from_secs(1));
        assert!(matches!(scan.step(), Step::Server));
        scan.turn("a", b"7".to_vec());
        assert!(matches!(scan.step(), Step::Page("a", cursor) if cursor == b"7"));
        scan.turn("a", b"0".to_vec());
        assert_eq!(scan.done(), ["a"]);
        assert!(matches!(scan.step(), Step::Server));
        // No turn: an error ends the list.
        assert!(matches!(scan.step(), Step::End));
    }
}
