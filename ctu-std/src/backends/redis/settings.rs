use super::RedisError;
use crate::backends::net::{Address, Dialer, Endpoint};
use redis::{ConnectionAddr, IntoConnectionInfo};
use std::fmt;

/// How to reach a server, and as whom.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: i64,
}

impl Settings {
    /// Reads the address of a server. Errors never repeat it: there may be a password in it.
    pub(super) fn from_url(url: &str) -> Result<Self, RedisError> {
        // The scheme decides on TLS here, the crate reads the rest.
        let (plain, tls) = match url.split_once("://") {
            Some(("rediss" | "valkeys", rest)) => (format!("redis://{rest}"), true),
            _ => (url.to_owned(), false),
        };
        if tls && url.contains('#') {
            return Err(wrong(
                "TLS without a check of the certificate is not supported",
            ));
        }
        if redis::parse_redis_url(&plain).is_none() {
            return Err(wrong(match url.split_once("://") {
                Some(("redis" | "rediss" | "valkey" | "valkeys", rest))
                    if port_is_too_large(rest) =>
                {
                    "a port is at most 65535"
                }
                Some(("redis" | "rediss" | "valkey" | "valkeys" | "unix", _)) => {
                    "malformed; characters such as @ : / # in a password are written %40 %3A %2F %23"
                }
                _ => "expected redis://, rediss:// or unix://",
            }));
        }
        let info = plain
            .as_str()
            .into_connection_info()
            // "what is wrong - KindOfError".
            .map_err(|error| wrong(error.to_string().split(" - ").next().unwrap_or_default()))?;
        let redis = info.redis_settings();
        Ok(Self {
            endpoint: Endpoint {
                address: address(info.addr(), tls)?,
                dialer: Dialer::default(),
            },
            user: redis.username().map(str::to_owned),
            password: redis.password().map(str::to_owned),
            database: redis.db(),
        })
    }
}

fn wrong(what: &str) -> RedisError {
    RedisError::Url(what.to_owned())
}

/// Whether what comes after `scheme://` has a port that is a number over 65,535.
fn port_is_too_large(rest: &str) -> bool {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (_, server) = authority.rsplit_once('@').unwrap_or(("", authority));
    let port = server.rsplit_once(':').map_or("", |(_, port)| port);
    // An @ further on says that the number is the beginning of a password, cut off by a / in it.
    !path.contains('@')
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_err()
}

fn address(addr: &ConnectionAddr, tls: bool) -> Result<Address, RedisError> {
    match addr {
        #[cfg(feature = "tls")]
        ConnectionAddr::Tcp(host, port) if tls => Ok(Address::Tls(host.clone(), *port)),
        ConnectionAddr::Tcp(..) if tls => Err(wrong("rediss:// needs feature `tls` of ctu-std")),
        ConnectionAddr::Tcp(host, port) => Ok(Address::Tcp(host.clone(), *port)),
        #[cfg(unix)]
        ConnectionAddr::Unix(path) => Ok(Address::Unix(path.clone())),
        _ => Err(wrong("no such kind of address on this system")),
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.endpoint.address)
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_address_is_read() {
        let settings = Settings::from_url("redis://me:p%40ss@[::1]:7000/3").unwrap();
        assert_eq!(settings.endpoint.address.to_string(), "[::1]:7000");
        assert_eq!(settings.user.as_deref(), Some("me"));
        assert_eq!(settings.password.as_deref(), Some("p@ss"));
        assert_eq!(settings.database, 3);
        let settings = Settings::from_url("redis://cache.example").unwrap();
        assert_eq!(settings.endpoint.address.to_string(), "cache.example:6379");
        assert_eq!((settings.password, settings.database), (None, 0));
    }

    #[cfg(unix)]
    #[test]
    fn a_unix_socket_is_an_address() {
        let settings = Settings::from_url("unix:///run/redis.sock?db=2&pass=x").unwrap();
        assert_eq!(
            settings.endpoint.address,
            Address::Unix("/run/redis.sock".into())
        );
        assert_eq!(settings.database, 2);
        assert_eq!(settings.password.as_deref(), Some("x"));
    }

    #[test]
    fn an_error_tells_a_port_from_a_password() {
        let told = |url| Settings::from_url(url).unwrap_err().to_string();
        for url in [
            "redis://localhost:99999",
            "rediss://me:x@localhost:65536/3",
            "valkey://[::1]:123456789012",
        ] {
            assert!(told(url).contains("a port is at most 65535"), "{url}");
        }
        for url in ["redis://:hun/ter2@localhost", "redis://:99999/x@localhost"] {
            assert!(told(url).contains("in a password"), "{url}");
        }
        assert!(told("http://localhost:99999").contains("expected redis://"));
    }

    #[test]
    fn no_error_and_no_debug_shows_the_password() {
        for url in [
            "",
            "hunter2",
            "http://:hunter2@localhost",
            "redis://:hunter2@",
            "redis://:hunter2@localhost:99999",
            "redis://:hunter2@localhost/x",
            "redis://:hunter2#@localhost",
            "redis://:hun/ter2@localhost",
            "rediss://:hunter2@localhost#insecure",
        ] {
            let error = Settings::from_url(url).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("ter2") && !shown.contains('\n'), "{shown}");
        }
        let settings = Settings::from_url("redis://:hunter2@localhost").unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
