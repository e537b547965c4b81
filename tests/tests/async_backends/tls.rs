//! TLS, with the settings of the blocking cache.

#![cfg(feature = "tls")]

use crate::on_both;
use ctu_std::{AsyncCache, NetError, RedisCache, RedisError};
use ctu_tests::servers::{Certificate, RedisServer, free_port};
use tokio::task::JoinSet;

fn server(certificate: &Certificate, port: u16, clients: &str) -> RedisServer {
    let (port, file, key) = (port.to_string(), certificate.file(), certificate.key_file());
    let options = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        &file,
        "--tls-key-file",
        &key,
    ];
    let more = ["--tls-ca-cert-file", &file, "--tls-auth-clients", clients];
    RedisServer::with(&[&options[..], &more[..]].concat())
}

#[test]
fn tls_carries_small_and_large_entries() {
    let (certificate, port) = (Certificate::of("localhost"), free_port());
    let _server = server(&certificate, port, "no");
    on_both(|| async {
        let builder = RedisCache::builder(format!("rediss://localhost:{port}"));
        let builder = builder.root_certificates(certificate.pem()).pool_size(1);
        let cache = builder.raw().build_async().unwrap();
        let mut tasks = JoinSet::new();
        for n in 0..32_u8 {
            let cache = cache.clone();
            tasks.spawn(async move {
                let value = vec![n; if n % 4 == 0 { 1 << 20 } else { 10 }];
                cache.insert_entry(&[n], value.clone(), None).await.unwrap();
                assert!(cache.get(&[n]).await.unwrap() == Some(value));
            });
        }
        tasks.join_all().await;
    });
}

#[test]
fn untrusted_certificates_are_rejected() {
    let (certificate, port) = (Certificate::of("localhost"), free_port());
    let _server = server(&certificate, port, "yes");
    on_both(|| async {
        let address = format!("rediss://localhost:{port}");
        let untrusted = RedisCache::builder(&address).raw().build_async().unwrap();
        let refused = untrusted.get(b"a").await;
        assert!(is_unreachable(&refused), "{refused:?}");
        // The server wants a certificate of the client.
        let trusting = || RedisCache::builder(&address).root_certificates(certificate.pem());
        let anonymous = trusting().raw().build_async().unwrap();
        let refused = anonymous.get(b"a").await;
        assert!(is_unreachable(&refused), "{refused:?}");
        let known = trusting().identity(certificate.pem(), certificate.key());
        let known = known.raw().build_async().unwrap();
        assert_eq!(known.get(b"a").await, Ok(None));
    });
}

fn is_unreachable<T>(done: &Result<T, RedisError>) -> bool {
    matches!(done, Err(RedisError::Net(NetError::Unreachable { .. })))
}
