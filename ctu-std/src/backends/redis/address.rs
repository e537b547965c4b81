//! The address of a Redis server: its grammar is [`Url`]'s, its parameters are those of redis-py and
//! of the `redis` crate. A part that this client cannot honour is an error.

use super::{RedisError, settings::Settings};
use crate::backends::net::{Address, Dialer, Endpoint, Fault, Limits, Url, shown};
use std::time::Duration;

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// A server and the settings in its address.
pub(super) struct Target {
    pub(super) settings: Settings,
    pub(super) limits: Limits,
}

impl Target {
    /// Reads the address of a server. An error never repeats a value of it: it may be a password.
    pub(super) fn from_url(text: &str) -> Result<Self, RedisError> {
        let read = Url::parse(text).and_then(|url| Self::read(url, PORT));
        read.map_err(RedisError::Url)
    }

    /// Reads the address of a sentinel.
    pub(super) fn of_sentinel(text: &str) -> Result<Self, RedisError> {
        let read = Url::parse(text).and_then(|url| Self::read(url, SENTINEL_PORT));
        read.map_err(RedisError::Url)
    }

    /// Reads the name of a master, alone or in place of the host of an address, and its settings.
    pub(super) fn of_master(text: &str) -> Result<(String, Self), RedisError> {
        Self::master(text).map_err(RedisError::Url)
    }

    fn master(text: &str) -> Result<(String, Self), Fault> {
        if !text.contains("://") {
            let name = Some(text).filter(|name| !name.is_empty());
            let name = name.ok_or("expected the name of a master")?;
            return Ok((
                name.into(),
                Self::read(Url::parse("redis://master")?, PORT)?,
            ));
        }
        let url = Url::parse(text)?;
        if url.host.is_empty() || url.port.is_some() {
            return Err("expected the name of a master, without a port, for the host".into());
        }
        Ok((url.host.clone(), Self::read(url, PORT)?))
    }

    fn read(url: Url, default_port: u16) -> Result<Self, Fault> {
        let kind = Kind::of(&url.scheme)?;
        if kind == Kind::Tls && url.fragment.as_deref() == Some("insecure") {
            return Err("TLS without a check of the certificate is not supported".into());
        }
        url.no_fragment()?;
        let mut given = Given::default();
        set(&mut given.user, url.user.clone(), "user")?;
        set(&mut given.password, url.password.clone(), "password")?;
        if kind != Kind::Unix {
            set(&mut given.database, database(&url.path)?, "db")?;
        }
        for (name, value) in &url.query {
            given.parameter(name, value, kind)?;
        }
        let address = kind.address(&url, default_port)?;
        given.target(address)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tcp,
    Tls,
    Unix,
}

impl Kind {
    fn of(scheme: &str) -> Result<Self, Fault> {
        match scheme {
            "redis" | "valkey" => Ok(Self::Tcp),
            "rediss" | "valkeys" if cfg!(feature = "tls") => Ok(Self::Tls),
            "rediss" | "valkeys" => Err(format!("{scheme}:// needs feature `tls` of ctu-std")),
            "unix" | "redis+unix" | "valkey+unix" => Ok(Self::Unix),
            _ => Err("expected redis://, rediss:// or unix://".into()),
        }
    }

    fn address(self, url: &Url, default_port: u16) -> Result<Address, Fault> {
        if self == Self::Unix {
            #[cfg(unix)]
            return url.socket().map(Address::Unix);
            #[cfg(not(unix))]
            return Err("this system has no Unix sockets".into());
        }
        if url.host.is_empty() {
            return Err("expected a host, such as redis://localhost".into());
        }
        let (host, port) = (url.host.clone(), url.port.unwrap_or(default_port));
        Ok(match self {
            #[cfg(feature = "tls")]
            Self::Tls => Address::Tls(host, port),
            _ => Address::Tcp(host, port),
        })
    }
}

/// The settings of one address, as far as they are given.
#[derive(Default)]
struct Given {
    user: Option<String>,
    password: Option<String>,
    database: Option<u32>,
    client_name: Option<String>,
    deadline: Option<Duration>,
    connect_deadline: Option<Duration>,
    keep_alive: Option<bool>,
    pool_size: Option<usize>,
    authorities: Option<Vec<u8>>,
    certificate: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
}

/// Parameters with a meaning here.
const PARAMETERS: &str = "db, username, password, client_name, socket_timeout, \
    socket_connect_timeout, socket_keepalive, max_connections, protocol, ssl_ca_certs, \
    ssl_ca_data, ssl_certfile, ssl_keyfile, ssl_cert_reqs, ssl_check_hostname";

impl Given {
    fn parameter(&mut self, name: &str, value: &str, kind: Kind) -> Result<(), Fault> {
        if name.starts_with("ssl_") && kind != Kind::Tls {
            return Err(format!("{} needs an address with rediss://", shown(name)));
        }
        let text = || Some(value.to_owned());
        let because = |fault: &str| Err(format!("{} {fault}", shown(name)));
        match name {
            "db" => set(&mut self.database, number(name, value)?, name),
            "user" | "username" => set(&mut self.user, text(), "user"),
            "pass" | "password" => set(&mut self.password, text(), "password"),
            "client_name" => set(&mut self.client_name, text(), name),
            "socket_timeout" => set(&mut self.deadline, seconds(name, value)?, name),
            "socket_connect_timeout" => {
                set(&mut self.connect_deadline, seconds(name, value)?, name)
            }
            "socket_keepalive" => set(&mut self.keep_alive, Some(flag(name, value)?), name),
            "max_connections" => set(&mut self.pool_size, number(name, value)?, name),
            "ssl_ca_certs" => set(&mut self.authorities, file(name, value)?, "authorities"),
            "ssl_ca_data" => set(&mut self.authorities, Some(value.into()), "authorities"),
            "ssl_certfile" => set(&mut self.certificate, file(name, value)?, name),
            "ssl_keyfile" => set(&mut self.key, file(name, value)?, name),
            // One value of each is the way of this client; any other cannot be honoured.
            "protocol" if matches!(value, "2" | "resp2") => Ok(()),
            "protocol" => because("is 2: replies have the form of RESP2"),
            "ssl_cert_reqs" if value == "required" => Ok(()),
            "ssl_cert_reqs" => because("is `required`: certificates are always checked"),
            "ssl_check_hostname" if flag(name, value)? => Ok(()),
            "ssl_check_hostname" => because("is true: host names are always checked"),
            "retry_on_timeout" if !flag(name, value)? => Ok(()),
            "retry_on_timeout" => because("is false: an operation ends with its timeout"),
            "health_check_interval" if value == "0" => Ok(()),
            "health_check_interval" => because("is 0: keep-alive finds a dead connection"),
            "timeout" => {
                because("has no meaning here: socket_timeout includes the wait for a connection")
            }
            "host" | "port" | "path" => because("has no meaning here: it precedes the ?"),
            "decode_responses" | "encoding" | "encoding_errors" => {
                because("has no meaning here: the form of the cache decides on it")
            }
            _ => Err(format!(
                "{} is not supported; allowed are {PARAMETERS}",
                shown(name)
            )),
        }
    }

    fn target(self, address: Address) -> Result<Target, Fault> {
        let mut dialer = Dialer::default();
        let mut limits = Limits::default();
        dialer.deadline = self.connect_deadline.unwrap_or(dialer.deadline);
        dialer.keep_alive = dialer.keep_alive.filter(|_| self.keep_alive != Some(false));
        limits.deadline = self.deadline.unwrap_or(limits.deadline);
        limits.pool_size = self.pool_size;
        #[cfg(feature = "tls")]
        {
            dialer.tls.authorities = self.authorities;
            dialer.tls.identity = match (self.certificate, self.key) {
                (Some(certificate), Some(key)) => Some((certificate, key)),
                // One file may hold both.
                (Some(both), None) => Some((both.clone(), both)),
                (None, Some(_)) => return Err("ssl_keyfile needs ssl_certfile".into()),
                (None, None) => None,
            };
        }
        Ok(Target {
            settings: Settings {
                endpoint: Endpoint { address, dialer },
                user: self.user,
                password: self.password,
                database: self.database.unwrap_or_default(),
                client_name: self.client_name,
            },
            limits,
        })
    }
}

/// Sets a part that an address may give in several spellings, as long as they agree.
fn set<T: PartialEq>(part: &mut Option<T>, value: Option<T>, name: &str) -> Result<(), Fault> {
    match (&*part, value) {
        (Some(part), Some(value)) if *part != value => {
            Err(format!("{name} is given twice, with two values"))
        }
        (_, Some(value)) => {
            *part = Some(value);
            Ok(())
        }
        (_, None) => Ok(()),
    }
}

/// The database of a path, if it names one.
fn database(path: &[u8]) -> Result<Option<u32>, Fault> {
    let path = str::from_utf8(path).map_err(|_| "a database is a number")?;
    let path = path.strip_prefix('/').unwrap_or(path);
    match path.strip_suffix('/').unwrap_or(path) {
        "" => Ok(None),
        number => digits(number)
            .map(Some)
            .ok_or_else(|| "expected the number of a database after the host and port".into()),
    }
}

fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    // `parse` allows a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<Option<T>, Fault> {
    let number = digits(value).ok_or_else(|| format!("{} is a number from 0 on", shown(name)))?;
    Ok(Some(number))
}

fn seconds(name: &str, value: &str) -> Result<Option<Duration>, Fault> {
    let seconds = value
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match seconds {
        Some(seconds) if !seconds.is_zero() => Ok(Some(seconds)),
        _ => Err(format!(
            "{} is a number of seconds over 0, such as 0.5",
            shown(name)
        )),
    }
}

fn flag(name: &str, value: &str) -> Result<bool, Fault> {
    match &*value.to_ascii_lowercase() {
        "1" | "t" | "true" | "y" | "yes" => Ok(true),
        "0" | "f" | "false" | "n" | "no" => Ok(false),
        _ => Err(format!("{} is true or false", shown(name))),
    }
}

/// The contents of the file at `path`.
fn file(name: &str, path: &str) -> Result<Option<Vec<u8>>, Fault> {
    let read = std::fs::read(path);
    read.map(Some)
        .map_err(|error| format!("the file of {name} cannot be read: {}", error.kind()))
}

#[cfg(test)]
mod tests;
