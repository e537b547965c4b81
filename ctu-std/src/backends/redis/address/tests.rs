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
