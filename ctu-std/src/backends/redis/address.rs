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
mod tests {
    use super::*;

    fn read(url: &str) -> Settings {
        target(url).settings
    }

    fn target(url: &str) -> Target {
        Target::from_url(url).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    fn fault(url: &str) -> String {
        match Target::from_url(url) {
            Err(error @ RedisError::Url(_)) => format!("{error} {error:?}"),
            Err(error) => panic!("{url}: {error:?}"),
            Ok(_) => panic!("{url} is read"),
        }
    }

    #[test]
    fn every_part_of_an_address_is_parsed() {
        let settings = read("redis://me:p%40ss@[::1]:7000/3");
        assert_eq!(settings.endpoint.address.to_string(), "[::1]:7000");
        assert_eq!(settings.user.as_deref(), Some("me"));
        assert_eq!(settings.password.as_deref(), Some("p@ss"));
        assert_eq!(settings.database, 3);
        let settings = read("redis://cache.example");
        assert_eq!(settings.endpoint.address.to_string(), "cache.example:6379");
        assert_eq!((settings.password, settings.database), (None, 0));
    }

    #[test]
    fn every_parameter_has_its_meaning() {
        for prefix in ["redis://h?", "unix:///s?"] {
            let read = |query: &str| target(&format!("{prefix}{query}"));
            assert_eq!(read("db=2").settings.database, 2);
            for name in ["user", "username"] {
                let user = read(&format!("{name}=a%26b")).settings.user;
                assert_eq!(user.as_deref(), Some("a&b"));
            }
            for name in ["pass", "password"] {
                let password = read(&format!("{name}=a+b%20c%2B")).settings.password;
                assert_eq!(password.as_deref(), Some("a+b c+"));
            }
            let name = read("client_name=web").settings.client_name;
            assert_eq!(name.as_deref(), Some("web"));
            let limits = read("socket_timeout=0.25&max_connections=3").limits;
            assert_eq!(limits.deadline, Duration::from_millis(250));
            assert_eq!(limits.pool_size, Some(3));
            let dialer = read("socket_connect_timeout=1.5&socket_keepalive=False")
                .settings
                .endpoint
                .dialer;
            assert_eq!(dialer.deadline, Duration::from_millis(1500));
            assert_eq!(dialer.keep_alive, None);
            let dialer = read("socket_keepalive=True").settings.endpoint.dialer;
            assert_eq!(dialer.keep_alive, Dialer::default().keep_alive);
            read("protocol=2&health_check_interval=0&retry_on_timeout=no");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn parameters_of_tls_name_files() {
        let path = std::env::temp_dir().join(format!("ctu-address-{}", std::process::id()));
        std::fs::write(&path, "pem").unwrap();
        let path_text = path.display();
        let tls = |query: &str| read(&format!("rediss://h?{query}")).endpoint.dialer.tls;
        let pem = || b"pem".to_vec();
        assert_eq!(
            tls(&format!("ssl_ca_certs={path_text}")).authorities,
            Some(pem())
        );
        assert_eq!(tls("ssl_ca_data=pem").authorities, Some(pem()));
        let both = tls(&format!("ssl_certfile={path_text}&ssl_keyfile={path_text}"));
        assert_eq!(both.identity, Some((pem(), pem())));
        let one = tls(&format!("ssl_certfile={path_text}"));
        assert_eq!(one.identity, Some((pem(), pem())));
        assert!(tls("ssl_cert_reqs=required&ssl_check_hostname=true").is_default());
        let key = fault(&format!("rediss://h?ssl_keyfile={path_text}"));
        assert!(key.contains("ssl_certfile"), "{key}");
        std::fs::remove_file(&path).unwrap();
        let missing = fault(&format!("rediss://h?ssl_ca_certs={path_text}"));
        assert!(missing.contains("ssl_ca_certs cannot be read"), "{missing}");
    }

    #[test]
    fn unsupported_parameter_is_rejected_by_name() {
        for (query, name) in [
            ("protocol=3", "protocol"),
            ("timeout=20", "timeout"),
            ("socket_timeout=0", "socket_timeout"),
            ("socket_timeout=nan", "socket_timeout"),
            ("socket_timeout=-1", "socket_timeout"),
            ("socket_connect_timeout=", "socket_connect_timeout"),
            ("socket_keepalive=perhaps", "socket_keepalive"),
            ("max_connections=+3", "max_connections"),
            ("db=-1", "db"),
            ("db=x", "db"),
            ("retry_on_timeout=true", "retry_on_timeout"),
            ("health_check_interval=30", "health_check_interval"),
            ("decode_responses=true", "decode_responses"),
            ("host=other", "host"),
            ("ssl_ca_path=/etc", "ssl_ca_path"),
            ("ssl_cert_reqs=required", "ssl_cert_reqs"),
            ("lib_name=x", "lib_name"),
            ("socket_timout=1", "socket_timout"),
        ] {
            let fault = fault(&format!("redis://h?{query}"));
            assert!(fault.contains(&format!("`{name}`")), "{query}: {fault}");
        }
        let unknown = fault("redis://h?socket_timout=1");
        assert!(unknown.contains("socket_timeout,"), "{unknown}");
    }

    #[cfg(feature = "tls")]
    #[test]
    fn tls_without_verification_is_rejected() {
        for url in [
            "rediss://h?ssl_cert_reqs=none",
            "rediss://h?ssl_check_hostname=false",
            "rediss://h?ssl_ca_path=/etc",
            "rediss://h#insecure",
        ] {
            fault(url);
        }
    }

    #[test]
    fn contradicting_spellings_are_rejected() {
        assert_eq!(read("redis://h/2?db=2").database, 2);
        assert_eq!(read("redis://h/?db=2").database, 2);
        assert_eq!(
            read("redis://me@h?user=me&username=me").user.as_deref(),
            Some("me")
        );
        for url in [
            "redis://h/1?db=2",
            "redis://h/0?db=2",
            "redis://h?db=1&db=2",
            "redis://me@h?username=you",
            "redis://:x@h?password=y",
            "unix:///s?pass=x&password=y",
            "redis://h?socket_timeout=1&socket_timeout=2",
        ] {
            let fault = fault(url);
            assert!(fault.contains("given twice"), "{url}: {fault}");
        }
    }

    #[test]
    fn address_part_without_meaning_is_rejected() {
        for url in [
            "redis://h/1/2",
            "redis://h//1",
            "redis://h/x",
            "redis://h/-1",
            "redis://h/+1",
            "redis://h#x",
            "redis://h/1#",
            "unix:///s#x",
            "redis://",
            "redis:///1",
            "redis://a,b",
            "redis://h:0",
            "h",
            "h:6379",
            "/run/s",
            "http://h",
        ] {
            fault(url);
        }
    }

    #[cfg(unix)]
    #[test]
    fn unix_socket_is_an_address() {
        let settings = read("unix:///run/a%20b+c d.sock?db=2&pass=x");
        let path = Address::Unix("/run/a b+c d.sock".into());
        assert_eq!(settings.endpoint.address, path);
        assert_eq!(settings.database, 2);
        assert_eq!(settings.password.as_deref(), Some("x"));
        let settings = read("unix://me:x@/run/s");
        assert_eq!(settings.user.as_deref(), Some("me"));
        assert_eq!(settings.password.as_deref(), Some("x"));
    }

    #[test]
    fn port_error_does_not_show_a_password() {
        for url in [
            "redis://localhost:99999",
            "redis://me:x@localhost:65536/3",
            "valkey://[::1]:123456789012",
        ] {
            assert!(fault(url).contains("a port is 1 to 65535"), "{url}");
        }
        for url in ["redis://:hun/ter2@localhost", "redis://:99999/x@localhost"] {
            assert!(fault(url).contains("in a user, a password"), "{url}");
        }
        assert!(fault("http://localhost:6379").contains("expected redis://"));
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
            "redis://me:12?hunter2@localhost",
            "redis://localhost?password=1&hunter2",
            "redis://localhost?password=1&hunter2=",
            "redis://localhost?db=hunter2",
            "rediss://:hunter2@localhost#insecure",
        ] {
            let shown = fault(url);
            assert!(!shown.contains("ter2") && !shown.contains('\n'), "{shown}");
        }
        let settings = read("redis://:hunter2@localhost");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
