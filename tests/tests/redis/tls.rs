use crate::{secs, shown};
use ctu_std::CacheError as _;
use ctu_std::{Cache, CacheExt, NetError, RawRedisCache, RedisCache, RedisError};
use ctu_tests::{
    servers::{CannedServer, Certificate, RedisServer, free_port},
    tls_front::TlsFront,
};
use std::time::Duration;

/// A server that speaks TLS too, on a port of its own.
struct TlsServer {
    server: RedisServer,
    port: u16,
    certificate: Certificate,
}

impl TlsServer {
    /// `clients` is whether clients need a certificate: `yes` or `no`.
    fn start(clients: &str) -> Self {
        let certificate = Certificate::of("localhost");
        let port = free_port();
        let server = RedisServer::with(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &certificate.file(),
            "--tls-key-file",
            &certificate.key_file(),
            "--tls-ca-cert-file",
            &certificate.file(),
            "--tls-auth-clients",
            clients,
        ]);
        Self {
            server,
            port,
            certificate,
        }
    }

    fn builder(&self, host: &str) -> ctu_std::RedisBuilder {
        let url = format!("rediss://{host}:{}", self.port);
        let builder = RedisCache::builder(&url).deadline(secs(60));
        builder.connect_deadline(secs(30))
    }

    fn trusted(&self) -> RawRedisCache {
        let builder = self.builder("localhost").raw();
        let builder = builder.root_certificates(self.certificate.pem());
        builder.build().unwrap()
    }
}

#[test]
fn tls_carries_small_and_large_entries() {
    let mut tls = TlsServer::start("no");
    let cache = tls.trusted();
    let large: Vec<u8> = (0..4 << 20).map(|n: u32| (n % 251) as u8).collect();
    cache.insert_entry(b"large", large.clone(), None).unwrap();
    cache.insert(b"small", b"1").unwrap();
    let found = cache.get_many(&[b"small", b"large", b"none"]).unwrap();
    assert!(found == [Some(b"1".to_vec()), Some(large), None]);
    assert_eq!(tls.server.cli(&["get", "small"]), "1");
    // Ended by the server while it was idle.
    tls.server
        .cli(&["client", "kill", "type", "normal", "skipme", "yes"]);
    assert_eq!(cache.get(b"small"), Ok(Some(b"1".to_vec())));
    tls.server.kill();
    assert!(cache.get(b"small").unwrap_err().is_outage());
}

#[test]
fn tls_connection_closed_by_the_server_fails_no_operation() {
    let tls = TlsServer::start("no");
    let cache = tls.trusted();
    for _ in 0..20 {
        cache.insert(b"a", b"1").unwrap();
        tls.server
            .cli(&["client", "kill", "type", "normal", "skipme", "yes"]);
        // `pop` is never retried.
        assert_eq!(cache.pop(b"a"), Ok(Some(b"1".to_vec())));
    }
}

#[test]
fn unsolicited_reply_is_never_a_value() {
    let server = RedisServer::start();
    let front = TlsFront::to(server.port());
    let builder = RedisCache::builder(format!("rediss://localhost:{}", front.port()));
    let builder = builder.deadline(secs(60)).connect_deadline(secs(30));
    let builder = builder.root_certificates(front.certificate().pem());
    let cache = builder.raw().build().unwrap();
    cache.insert(b"a", b"1").unwrap();
    cache.insert(b"b", b"2").unwrap();
    for _ in 0..20 {
        assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
        front.say(b"$4\r\nevil\r\n");
        assert_eq!(cache.get(b"b"), Ok(Some(b"2".to_vec())));
    }
}

#[test]
fn unknown_ca_is_rejected() {
    let tls = TlsServer::start("no");
    let unknown = tls.builder("localhost").raw().build().unwrap();
    let wrong_name = tls.builder("127.0.0.1").raw();
    let wrong_name = wrong_name.root_certificates(tls.certificate.pem()).build();
    let no_pem = tls.builder("localhost").raw().root_certificates("text");
    for cache in [unknown, wrong_name.unwrap(), no_pem.build().unwrap()] {
        let error = cache.get(b"a").unwrap_err();
        let refused = matches!(error, RedisError::Net(NetError::Unreachable { .. }));
        assert!(refused, "{error}");
        assert!(shown(error).starts_with("no Redis at "));
    }
}

#[test]
fn tls_sends_a_client_certificate() {
    let tls = TlsServer::start("yes");
    // It says so after the handshake, in answer to the first request or before that is sent.
    for _ in 0..20 {
        let error = tls.trusted().get(b"a").unwrap_err();
        let refused = matches!(error, RedisError::Net(NetError::Unreachable { .. }));
        assert!(refused, "{error}");
        let told = shown(error);
        assert!(told.ends_with("CertificateRequired"), "{told}");
    }
    let builder = tls.builder("localhost").raw();
    let builder = builder.root_certificates(tls.certificate.pem());
    let cache = builder
        .identity(tls.certificate.pem(), tls.certificate.key())
        .build();
    assert_eq!(cache.unwrap().get(b"a"), Ok(None));
}

#[test]
fn plaintext_server_is_an_error() {
    let garbage = CannedServer::start("+PONG\r\n").unwrap();
    let builder = RedisCache::builder(format!("rediss://127.0.0.1:{}", garbage.port())).raw();
    let cache = builder
        .connect_deadline(secs(30))
        .deadline(secs(60))
        .build();
    let error = cache.unwrap().get(b"a").unwrap_err();
    let refused = matches!(error, RedisError::Net(NetError::Unreachable { .. }));
    assert!(refused, "{error}");
    // Redis itself takes the greeting for the beginning of a command, and waits for its end.
    let server = RedisServer::start();
    let builder = RedisCache::builder(server.url().replace("redis:", "rediss:")).raw();
    let cache = builder.connect_deadline(Duration::from_millis(50)).build();
    let error = cache.unwrap().get(b"a").unwrap_err();
    assert!(
        matches!(error, RedisError::Net(NetError::TimedOut { .. })),
        "{error}"
    );
}
