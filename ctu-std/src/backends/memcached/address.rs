use super::MemCachedError;
use crate::backends::net::Address;

/// Where Memcached listens unless told otherwise.
const PORT: u16 = 11211;

/// Reads the address of a server.
pub(super) fn read(text: &str) -> Result<Address, MemCachedError> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    if scheme == "unix" || rest.starts_with('/') || text.starts_with("unix:") {
        return path(rest.strip_prefix("unix:").unwrap_or(rest));
    }
    let at = match scheme {
        "" | "memcache" | "memcached" | "tcp" => Address::Tcp,
        "memcaches" => through_tls()?,
        _ => {
            return Err(wrong(
                "expected memcache://, memcaches:// or unix://, or none",
            ));
        }
    };
    // A slash at the end of a URL says nothing.
    let rest = match rest.strip_suffix('/') {
        Some(rest) if !scheme.is_empty() => rest,
        _ => rest,
    };
    let (host, port) = if let Some(bracketed) = rest.strip_prefix('[') {
        let (host, port) = bracketed
            .split_once(']')
            .ok_or_else(|| wrong("no ] after ["))?;
        match (port, port.strip_prefix(':')) {
            ("", _) => (host, None),
            (_, Some(port)) => (host, Some(port)),
            _ => return Err(wrong("no : after ]")),
        }
    } else {
        match rest.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err(wrong("an IPv6 address is written in [ and ]"));
            }
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        }
    };
    let odd = |char: char| {
        char.is_whitespace() || char.is_control() || matches!(char, '/' | '?' | '#' | '@' | ',')
    };
    if host.is_empty() || host.contains(odd) {
        return Err(wrong("expected a host, and a port perhaps"));
    }
    let port = match port {
        Some(port) => port
            .parse()
            .map_err(|_| wrong("a port is a number up to 65535"))?,
        None => PORT,
    };
    Ok(at(host.to_owned(), port))
}

#[cfg(feature = "tls")]
fn through_tls() -> Result<fn(String, u16) -> Address, MemCachedError> {
    Ok(Address::Tls)
}

#[cfg(not(feature = "tls"))]
fn through_tls() -> Result<fn(String, u16) -> Address, MemCachedError> {
    Err(wrong("memcaches:// needs feature `tls` of ctu-std"))
}

#[cfg(unix)]
fn path(path: &str) -> Result<Address, MemCachedError> {
    if path.is_empty() || path.contains('\0') {
        return Err(wrong("expected a path"));
    }
    Ok(Address::Unix(path.into()))
}

#[cfg(not(unix))]
fn path(_: &str) -> Result<Address, MemCachedError> {
    Err(wrong("no such kind of address on this system"))
}

/// The name by which keys are spread over servers: pymemcache's, in which no bracket is.
pub(super) fn name(address: &Address) -> String {
    match address {
        Address::Tcp(host, port) => format!("{host}:{port}"),
        #[cfg(feature = "tls")]
        Address::Tls(host, port) => format!("{host}:{port}"),
        other => other.to_string(),
    }
}

fn wrong(what: &str) -> MemCachedError {
    MemCachedError::Address(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, host, port) in [
            ("localhost", "localhost", 11211),
            ("cache.example:7", "cache.example", 7),
            ("memcache://10.0.0.1:7/", "10.0.0.1", 7),
            ("memcached://cache", "cache", 11211),
            ("[::1]", "::1", 11211),
            ("memcache://[::1]:7", "::1", 7),
        ] {
            let address = read(text);
            assert_eq!(address, Ok(Address::Tcp(host.into(), port)), "{text}");
            let named = name(&address.unwrap());
            assert_eq!(named, format!("{host}:{port}"));
        }
        #[cfg(feature = "tls")]
        {
            let address = read("memcaches://[::1]").unwrap();
            assert_eq!(address, Address::Tls("::1".into(), 11211));
            assert_eq!(name(&address), "::1:11211");
        }
        #[cfg(unix)]
        for text in ["/run/m.sock", "unix:/run/m.sock", "unix:///run/m.sock"] {
            assert_eq!(
                read(text).map(|address| name(&address)),
                Ok("/run/m.sock".into())
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "", ":7", "http://a", "a b", "a:b", "a:99999", "a:-1", "::1", "[::1", "[::1]7", "a/b",
            "me@a", "a,b", "a\r\n", "unix:", "unix://", "a?b=c", "a:7/",
        ] {
            let read = read(text);
            assert!(
                matches!(read, Err(MemCachedError::Address(_))),
                "{text}: {read:?}"
            );
        }
    }
}
