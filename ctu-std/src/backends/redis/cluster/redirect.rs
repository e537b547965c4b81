use super::{super::RedisError, slot::Slot};

/// Where a node of a cluster sends who asks it for a key that it has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redirect {
    pub(super) slot: Slot,
    /// Whether the slot is there for good; otherwise only what this request is about, this once.
    pub(super) moved: bool,
    /// Empty where it is the host that was asked.
    pub(super) host: String,
    pub(super) port: u16,
}

/// What a redirect that nobody can follow is.
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
            host: read_host(host)?,
            port: decimal(port).filter(|port| *port != 0)?,
        })
    }
}

/// A number of digits alone: Rust would also take a sign.
fn decimal(text: &str) -> Option<u16> {
    let number = crate::backends::net::read_number(text.as_bytes())?;
    u16::try_from(number).ok()
}

/// The host of a node as nodes name it. Empty where they do not know: then it is the host that was asked.
/// `None` for what is no host.
pub(super) fn read_host(text: &str) -> Option<String> {
    let odd = |char: char| char.is_whitespace() || char.is_control();
    match text {
        "" | "?" => Some(String::new()),
        host if host.len() <= 255 && !host.contains(odd) => Some(host.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code: &str, message: &str) -> Option<Result<Redirect, Nonsense>> {
        let (code, message) = (code.into(), message.into());
        Redirect::of(&RedisError::Server { code, message })
    }

    #[test]
    fn redirects_are_read() {
        for (host, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("cache.example", "cache.example"),
            ("2001:db8::1", "2001:db8::1"),
            ("", ""),
            ("?", ""),
        ] {
            for code in ["MOVED", "ASK"] {
                let redirect = read(code, &format!("3999 {host}:6381"));
                let expected = Redirect {
                    slot: Slot::new(3999).unwrap(),
                    moved: code == "MOVED",
                    host: expected.into(),
                    port: 6381,
                };
                assert_eq!(redirect, Some(Ok(expected)));
            }
        }
        assert_eq!(read("ERR", "3999 127.0.0.1:6381"), None);
        assert_eq!(Redirect::of(&RedisError::WrongType), None);
    }

    #[test]
    fn what_cannot_be_followed_is_told() {
        for message in [
            "",
            "3999",
            "3999 ",
            "3999 127.0.0.1",
            "3999 127.0.0.1:",
            "3999 127.0.0.1:0",
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
