//! The replies `MOVED` and `ASK`.

use super::{
    super::RedisError,
    place::{Place, read_host},
    slot::Slot,
};

/// The address to which a node of a cluster redirects a request for a key that it does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redirect {
    pub(super) slot: Slot,
    /// Whether the slot is there for good; otherwise only the keys of this request, this once.
    pub(super) moved: bool,
    /// `None` where the node that redirects does not know the address.
    pub(super) place: Option<Place>,
}

/// The error of a redirect that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonsense;

impl Redirect {
    /// The redirect that `error` is, if it is one: `MOVED 3999 127.0.0.1:6381`, `ASK ...` the same.
    pub(super) fn of(error: &RedisError) -> Option<Result<Self, Nonsense>> {
        let RedisError::Server { code, message } = error else {
            return None;
        };
        let moved = match code.as_str() {
            "MOVED" => true,
            "ASK" => false,
            _ => return None,
        };
        Some(Self::read(moved, message).ok_or(Nonsense))
    }

    fn read(moved: bool, message: &str) -> Option<Self> {
        let (slot, address) = message.split_once(' ')?;
        // An IPv6 address has colons of its own.
        let (host, port) = address.rsplit_once(':')?;
        Some(Self {
            slot: Slot::new(decimal(slot)?)?,
            moved,
            place: match host {
                "?" => None,
                host => Some((read_host(host)?, decimal(port)?)),
            },
        })
    }
}

/// A number of digits alone: Rust's own parser also takes a sign.
fn decimal(text: &str) -> Option<u16> {
    let number = crate::backends::net::read_number(text.as_bytes())?;
    u16::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code: &str, message: &str) -> Option<Result<Redirect, Nonsense>> {
        let (code, message) = (code.into(), message.into());
        Redirect::of(&RedisError::Server { code, message })
    }

    #[test]
    fn redirects_are_parsed() {
        for (host, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("cache.example", "cache.example"),
            ("2001:db8::1", "2001:db8::1"),
            ("", ""),
        ] {
            for code in ["MOVED", "ASK"] {
                let redirect = read(code, &format!("3999 {host}:6381"));
                let expected = Redirect {
                    slot: Slot::new(3999).unwrap(),
                    moved: code == "MOVED",
                    place: Some((expected.into(), 6381)),
                };
                assert_eq!(redirect, Some(Ok(expected)));
            }
        }
        let unknown = read("MOVED", "3999 ?:6381").unwrap().unwrap();
        assert_eq!(unknown.place, None);
        assert_eq!(read("ERR", "3999 127.0.0.1:6381"), None);
        assert_eq!(Redirect::of(&RedisError::WrongType), None);
    }

    #[test]
    fn malformed_redirects_are_rejected() {
        for message in [
            "",
            "3999",
            "3999 ",
            "3999 127.0.0.1",
            "3999 127.0.0.1:",
            "3999 127.0.0.1:65536",
            "3999 127.0.0.1:+1",
            "16384 127.0.0.1:1",
            "-1 127.0.0.1:1",
            "x 127.0.0.1:1",
            "3999 a b:1",
            "3999  a:1",
        ] {
            assert_eq!(read("MOVED", message), Some(Err(Nonsense)), "{message}");
        }
    }
}
