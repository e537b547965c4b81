//! Addresses of Memcached servers.

use super::MemCachedError;
use crate::backends::net::{Address, Fault, Url};

/// Where Memcached listens unless told otherwise.
const PORT: u16 = 11211;

/// Reads the address of a server.
pub(super) fn read(text: &str) -> Result<Address, MemCachedError> {
    parse(text).map_err(MemCachedError::Address)
}

fn parse(text: &str) -> Result<Address, Fault> {
    // A path alone is no URL: each character stands for itself.
    #[cfg(unix)]
    if text.starts_with('/') && !text.contains('\0') {
        return Ok(Address::Unix(text.into()));
    }
    let url = Url::parse(text)?;
    url.only_names_a_server()?;
    let at = match &*url.scheme {
        "unix" => return socket(&url),
        "" | "memcache" | "memcached" | "tcp" => Address::Tcp,
        "memcaches" => through_tls()?,
        _ => return Err("expected memcache://, memcaches:// or unix://, or none".into()),
    };
    match (&*url.path, &*url.scheme) {
        // A slash at the end of a URL says nothing.
        (b"", _) | (b"/", "memcache" | "memcached" | "tcp" | "memcaches") => {}
        _ => return Err("a path has no meaning in it".into()),
    }
    if url.host.is_empty() {
        return Err("expected a host, and perhaps a port".into());
    }
    Ok(at(url.host, url.port.unwrap_or(PORT)))
}

#[cfg(unix)]
fn socket(url: &Url) -> Result<Address, Fault> {
    url.socket().map(Address::Unix)
}

#[cfg(not(unix))]
fn socket(_: &Url) -> Result<Address, Fault> {
    Err("this system has no Unix sockets".into())
}

#[cfg(feature = "tls")]
fn through_tls() -> Result<fn(String, u16) -> Address, Fault> {
    Ok(Address::Tls)
}

#[cfg(not(feature = "tls"))]
fn through_tls() -> Result<fn(String, u16) -> Address, Fault> {
    Err("memcaches:// needs feature `tls` of ctu-std".into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed() {
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

    #[cfg(unix)]
    #[test]
    fn escapes_are_resolved_in_a_url_and_not_in_a_path() {
        for (text, path) in [
            ("/run/a%20b c+d?e#f", "/run/a%20b c+d?e#f"),
            ("unix:///run/a%20b c+d%3F", "/run/a b c+d?"),
        ] {
            assert_eq!(read(text), Ok(Address::Unix(path.into())), "{text}");
        }
    }

    #[test]
    fn address_part_without_meaning_is_rejected() {
        for (text, part) in [
            ("memcache://me@a", "user"),
            ("memcache://:x@a", "password"),
            ("memcache://a?timeout=1", "`timeout`"),
            ("a?timeout=1", "`timeout`"),
            ("memcache://a#b", "#"),
            ("memcache://a/b", "path"),
            ("unix:///s?timeout=1", "`timeout`"),
            ("unix:///s#b", "#"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn malformed_address_is_rejected() {
        for text in [
            "", ":7", "http://a", "a b", "a:b", "a:99999", "a:-1", "::1", "[::1", "[::1]7", "a/b",
            "me@a", "a:+7", "a:0", "a:", "a,b", "a\r\n", "unix:", "unix://", "a?b=c", "a:7/",
        ] {
            let read = read(text);
            assert!(
                matches!(read, Err(MemCachedError::Address(_))),
                "{text}: {read:?}"
            );
        }
    }
}
