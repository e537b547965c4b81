use crate::{builder, secs};
use ctu_std::{Cache, CacheError, CacheExt, MemCached, MemCachedBuilder, MemCachedError, NetError};
use ctu_tests::{
    servers::{Certificate, MemcachedServer, free_port},
    tls_front::TlsFront,
};

/// A builder with a long deadline that trusts only this certificate.
fn trusting(certificate: &Certificate, port: u16) -> MemCachedBuilder {
    let builder = builder(format!("memcaches://localhost:{port}"));
    builder.root_certificates(certificate.pem())
}

/// A server that speaks TLS on a port of its own, and asks clients for a certificate where it is
/// told to.
fn server(certificate: &Certificate, more: &str) -> (MemcachedServer, u16) {
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let (chain, key) = (certificate.file(), certificate.key_file());
    let settings = format!("ssl_chain_cert={chain},ssl_key={key}{more}");
    let server = MemcachedServer::with(&["-Z", "-o", &settings, "-l", &listen]);
    (server, port)
}

#[test]
fn tls_carries_small_and_large_entries() {
    let certificate = Certificate::of("localhost");
    let (mut server, port) = server(&certificate, "");
    let cache = trusting(&certificate, port).raw().build().unwrap();
    let large: Vec<u8> = (0..1000 << 10).map(|n: u32| (n % 251) as u8).collect();
    cache.insert_entry(b"large", large.clone(), None).unwrap();
    cache.insert(b"small", b"1").unwrap();
    let found = cache.get_many(&[b"small", b"large", b"none"]).unwrap();
    assert!(found == [Some(b"1".to_vec()), Some(large), None]);
    let stranger = builder(format!("memcaches://localhost:{port}")).raw();
    let error = stranger.build().unwrap().get(b"small").unwrap_err();
    let refused = matches!(error, MemCachedError::Net(NetError::Unreachable { .. }));
    assert!(refused, "{error}");
    server.kill();
    assert!(cache.get(b"small").unwrap_err().is_outage());
}

#[test]
fn tls_sends_a_client_certificate() {
    let certificate = Certificate::of("localhost");
    let ask = format!(",ssl_verify_mode=2,ssl_ca_cert={}", certificate.file());
    let (_server, port) = server(&certificate, &ask);
    let nobody = trusting(&certificate, port).raw().build().unwrap();
    let error = nobody.get(b"a").unwrap_err();
    let refused = matches!(error, MemCachedError::Net(NetError::Unreachable { .. }));
    assert!(refused, "{error}");
    let known = trusting(&certificate, port).identity(certificate.pem(), certificate.key());
    assert_eq!(known.raw().build().unwrap().get(b"a"), Ok(None));
}

#[test]
fn unsolicited_reply_is_never_a_value() {
    let server = MemcachedServer::start();
    let front = TlsFront::to(server.port());
    let cache = trusting(front.certificate(), front.port());
    let cache: MemCached<str, u32> = cache.ttl(secs(600)).build().unwrap();
    cache.insert("a", 1).unwrap();
    for _ in 0..20 {
        assert_eq!(cache.get("a"), Ok(Some(1)));
        front.say(b"END\r\n");
        assert_eq!(cache.get("a"), Ok(Some(1)));
    }
}

#[test]
fn certificate_is_checked_for_the_given_server_name() {
    let certificate = Certificate::of("cache.example");
    let (_server, port) = server(&certificate, "");
    let other = trusting(&certificate, port).raw().build().unwrap();
    let error = other.get(b"a").unwrap_err();
    let refused = matches!(error, MemCachedError::Net(NetError::Unreachable { .. }));
    assert!(refused, "{error}");
    let named = trusting(&certificate, port).tls_server_name("cache.example");
    assert_eq!(named.raw().build().unwrap().get(b"a"), Ok(None));
}
