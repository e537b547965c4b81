//! The grammar of a server address. Every backend reads its addresses here, so that each character
//! has one meaning in all of them.
//!
//! A character stands for itself; `%` and two hexadecimal digits stand for a byte. A `+` is a plus
//! in every part, and never a blank.

use std::net::Ipv6Addr;

/// The parts of `scheme://user:password@host:port/path?name=value#fragment`, with escapes resolved.
///
/// No `Debug`: a part may be a secret. For the same reason no error repeats a part of the address,
/// except the name of a parameter.
pub(crate) struct Url {
    /// In lower case; empty for an address without a scheme, such as `localhost:11211`.
    pub(crate) scheme: String,
    /// `None` where it is absent or empty.
    pub(crate) user: Option<String>,
    /// `None` where it is absent or empty.
    pub(crate) password: Option<String>,
    /// Without brackets; empty where it is absent.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// With its first slash, if it has one; empty where it is absent.
    pub(crate) path: Vec<u8>,
    /// Names and values in the order of the address.
    pub(crate) query: Vec<(String, String)>,
    /// As written, without the `#`.
    pub(crate) fragment: Option<String>,
}

/// The fault of an address, for the end of a message.
pub(crate) type Fault = String;

const MALFORMED: &str = "malformed; characters such as @ : / ? # % in a user, a password or a path \
                         are written %40 %3A %2F %3F %23 %25";

impl Url {
    /// Reads an address with a scheme, or `host:port` without one.
    ///
    /// # Errors
    /// A malformed escape, host, port or parameter, a control character, a blank at either end.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        if text.contains(char::is_control) {
            return Err("a control character in it is written as an escape, such as %0A".into());
        }
        if text.trim() != text {
            return Err("a blank at its beginning or end is written %20".into());
        }
        let (scheme, rest) = split_scheme(text);
        let rest = match rest.strip_prefix("//") {
            None if !scheme.is_empty() => ("", rest),
            rest_of_url => {
                let rest = rest_of_url.unwrap_or(rest);
                rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
            }
        };
        let (authority, rest) = rest;
        let (user_info, server) = match authority.rsplit_once('@') {
            Some(parts) => parts,
            // An @ further on: a password with a raw / or the like was cut in two.
            None if !authority.is_empty() && rest.contains('@') => return Err(MALFORMED.into()),
            None => ("", authority),
        };
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let (host, port) = split_port(server)?;
        let (rest, fragment) = split_off(rest, '#');
        let (path, query) = split_off(rest, '?');
        let given =
            |part: &str| Ok::<_, Fault>(Some(text_of(part)?).filter(|part| !part.is_empty()));
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            user: given(user)?,
            password: given(password)?,
            host,
            port,
            path: unescape(path)?,
            query: parameters(query.unwrap_or_default())?,
            fragment: fragment.map(str::to_owned),
        })
    }

    /// [`Fault`] for a user, password, parameter or fragment, which a backend without them calls.
    #[cfg(feature = "memcached")]
    pub(crate) fn only_names_a_server(&self) -> Result<(), Fault> {
        if self.user.is_some() || self.password.is_some() {
            return Err("a user or password has no meaning in it".into());
        }
        if let Some((name, _)) = self.query.first() {
            return Err(format!("{} has no meaning in it", shown(name)));
        }
        self.no_fragment()
    }

    /// [`Fault`] for a fragment, which has no meaning to any backend.
    pub(crate) fn no_fragment(&self) -> Result<(), Fault> {
        match self.fragment {
            Some(_) => Err("a # has no meaning in it; as a character it is written %23".into()),
            None => Ok(()),
        }
    }

    /// The path of a socket, of a URL that has nothing else.
    #[cfg(unix)]
    pub(crate) fn socket(&self) -> Result<std::path::PathBuf, Fault> {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
        if !self.host.is_empty() || self.port.is_some() {
            return Err("expected unix:///path, with three slashes".into());
        }
        if self.path.is_empty() || self.path.contains(&0) {
            return Err("expected the path of a socket".into());
        }
        Ok(OsStr::from_bytes(&self.path).into())
    }

    #[cfg(not(unix))]
    pub(crate) fn socket(&self) -> Result<std::path::PathBuf, Fault> {
        Err("this system has no Unix sockets".into())
    }
}

/// A parameter as a message shows it. A name that no client library would use may be the rest of a
/// secret.
pub(crate) fn shown(name: &str) -> String {
    let word = |byte| matches!(byte, b'a'..=b'z' | b'_');
    match name.len() <= 40 && name.bytes().all(word) {
        true => format!("the parameter `{name}`"),
        false => "a parameter".into(),
    }
}

/// The scheme, without its colon, and the rest.
fn split_scheme(text: &str) -> (&str, &str) {
    let in_scheme =
        |byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.');
    match text.split_once(':') {
        // Everywhere else a colon without a slash comes before a port.
        Some((scheme, rest))
            if !scheme.is_empty()
                && scheme.bytes().all(in_scheme)
                && (rest.starts_with('/') || scheme.eq_ignore_ascii_case("unix")) =>
        {
            (scheme, rest)
        }
        _ => ("", text),
    }
}

fn split_off(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((text, rest)) => (text, Some(rest)),
        None => (text, None),
    }
}

fn split_port(server: &str) -> Result<(String, Option<u16>), Fault> {
    let (host, port) = match server.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once(']').ok_or("no ] after [")?;
            let host = text_of(host)?;
            let (ip, zone) = split_off(&host, '%');
            if ip.parse::<Ipv6Addr>().is_err() || zone.is_some_and(str::is_empty) {
                return Err("expected an IPv6 address between [ and ]".into());
            }
            match (port, port.strip_prefix(':')) {
                ("", _) => (host, None),
                (_, Some(port)) => (host, Some(port)),
                _ => return Err("expected : and a port after ]".into()),
            }
        }
        None => match server.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err("an IPv6 address is written in [ and ]".into());
            }
            Some((host, port)) => (text_of(host)?, Some(port)),
            None => (text_of(server)?, None),
        },
    };
    // A colon is left in an address of IPv6 alone.
    let odd = |char: char| char.is_whitespace() || "/?#@,;\\<>\"'`{}|^[]\0".contains(char);
    if host.contains(odd) || (host.contains('%') && !host.contains(':')) {
        return Err("expected one host, and perhaps a port".into());
    }
    Ok((host, port.map(port_of).transpose()?))
}

fn port_of(text: &str) -> Result<u16, Fault> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port @ 1..) if digits => Ok(port),
        _ if digits => Err("a port is 1 to 65535".into()),
        _ => Err(format!(
            "expected a port, 1 to 65535, after the host; {MALFORMED}"
        )),
    }
}

fn parameters(query: &str) -> Result<Vec<(String, String)>, Fault> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let parameter = |parameter: &str| {
        let (name, value) = parameter
            .split_once('=')
            .ok_or("expected name=value after ? and &; & in a value is written %26")?;
        Ok((text_of(name)?, text_of(value)?))
    };
    query.split('&').map(parameter).collect()
}

fn text_of(part: &str) -> Result<String, Fault> {
    String::from_utf8(unescape(part)?).map_err(|_| "its escapes are not UTF-8".into())
}

fn unescape(part: &str) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        match (digit(), digit()) {
            // Two digits are a byte.
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err("expected two hexadecimal digits after %; % itself is %25".into()),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        Url::parse(text).err().unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn every_part_is_parsed() {
        let url =
            Url::parse("Redis+x://me:p%40s+s@[fe80::1%25eth0]:7/a%2Fb?n=+%20%2B&m=#f").unwrap();
        assert_eq!(url.scheme, "redis+x");
        assert_eq!(url.user.as_deref(), Some("me"));
        assert_eq!(url.password.as_deref(), Some("p@s+s"));
        assert_eq!((&*url.host, url.port), ("fe80::1%eth0", Some(7)));
        assert_eq!(url.path, b"/a/b");
        let query = [("n", "+ +"), ("m", "")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(url.query, query);
        assert_eq!(url.fragment.as_deref(), Some("f"));
        let url = Url::parse("cache-1.example:11211").unwrap();
        assert_eq!(
            (&*url.scheme, &*url.host, url.port),
            ("", "cache-1.example", Some(11211))
        );
        let url = Url::parse("a://h").unwrap();
        assert!(url.user.is_none() && url.password.is_none() && url.port.is_none());
        assert!(url.path.is_empty() && url.query.is_empty() && url.fragment.is_none());
    }

    #[test]
    fn password_may_have_an_at_sign_and_a_colon() {
        let url = Url::parse("a://me:x@y:z@h").unwrap();
        assert_eq!(url.password.as_deref(), Some("x@y:z"));
        assert_eq!(url.host, "h");
    }

    #[cfg(unix)]
    #[test]
    fn escapes_in_the_path_of_a_socket_are_resolved() {
        for (text, path) in [
            ("unix:///run/a%20b%25+c d", "/run/a b%+c d"),
            ("unix:/run/s", "/run/s"),
            ("unix:s", "s"),
        ] {
            assert_eq!(
                Url::parse(text).unwrap().socket(),
                Ok(path.into()),
                "{text}"
            );
        }
        for text in ["unix://", "unix:", "unix://run/s", "unix:///a%00b"] {
            assert!(Url::parse(text).unwrap().socket().is_err(), "{text}");
        }
    }

    #[test]
    fn malformed_parts_are_rejected() {
        for text in [
            "a://h:",
            "a://h:0",
            "a://h:65536",
            "a://h:+7",
            "a://h:x",
            "a://::1",
            "a://[::1",
            "a://[::1]7",
            "a://[h]",
            "a://[::1%25]",
            "a://h%2Fx",
            "a://h h",
            "a://h,i",
            "a://h%zz",
            "a://%ff@h",
            "a://h?x",
            "a://h?x=1&",
            "a://h?x=%4",
            " a://h",
            "a://h ",
            "a://h\n",
            "a://h\0",
            "a://h%",
            "h,i:7",
            "a://u:p/w@h",
            "a://u:p?w@h",
            "a://u:p#w@h",
            "a://h%25",
        ] {
            fault(text);
        }
        assert!(fault("a://h:99999").contains("1 to 65535"));
        assert!(fault("a://:12/3@h").contains("%2F"));
    }

    #[test]
    fn errors_show_only_parameter_names() {
        assert_eq!(shown("socket_timout"), "the parameter `socket_timout`");
        for secret in ["hunter2", "a b", "Ab"] {
            assert_eq!(shown(secret), "a parameter");
        }
    }
}
