//! `AsyncMemCached` behind twemproxy and over TLS.

use crate::on_both;
use ctu_std::{AsyncCache, AsyncCacheExt, AsyncRawMemCached, Error, MemCached, MemCachedError};
use ctu_tests::servers::{MemcachedServer, Nutcracker};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn at(address: &str) -> AsyncRawMemCached {
    let builder = MemCached::builder(address).deadline(PATIENCE);
    builder.raw().build_async().expect("a good address")
}

#[test]
fn twemproxy_serves_plain_commands_and_refuses_others() {
    let servers = [(); 3].map(|()| MemcachedServer::start());
    let proxy = Nutcracker::before_memcached(&servers.each_ref().map(MemcachedServer::port));
    on_both(|| async {
        let cache = at(&format!("127.0.0.1:{}", proxy.port()));
        let keys: Vec<[u8; 2]> = (0..300_u16).map(u16::to_le_bytes).collect();
        let entries = keys.iter().map(|key| (&key[..], key.to_vec()));
        cache
            .insert_many(entries.step_by(2).collect(), None)
            .await
            .unwrap();
        // Its servers reply to the parts of a batch in any order.
        let asked: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let found = cache.get_many(&asked).await.unwrap();
        for (index, found) in found.into_iter().enumerate() {
            let expected = (index % 2 == 0).then(|| asked[index].to_vec());
            assert_eq!(found, expected, "{index}");
        }
        cache.insert(b"a", b"1").await.unwrap();
        assert_eq!(cache.contains(b"a").await, Ok(true));
        // The remaining time is not known.
        let found = cache.get_many_with_ttl(&[b"none", b"a"]).await;
        assert_eq!(found, Ok(vec![None, Some((b"1".to_vec(), None))]));
        for refused in [cache.clear().await, cache.len().await.map(drop)] {
            let told = matches!(refused, Err(MemCachedError::Core(Error::Unsupported(_))));
            assert!(told, "{refused:?}");
        }
        assert_eq!(cache.remove_many(&asked).await, Ok(150));
        assert_eq!(cache.get(b"a").await, Ok(Some(b"1".to_vec())));
    });
}

#[cfg(feature = "tls")]
mod tls {
    use super::{PATIENCE, on_both};
    use ctu_std::{
        AsyncCache, AsyncCacheExt, CacheError, MemCached, MemCachedBuilder, MemCachedError,
        NetError,
    };
    use ctu_tests::servers::{Certificate, MemcachedServer, free_port};

    /// A server with TLS on a port of its own, with more settings.
    fn server(certificate: &Certificate, more: &str) -> (MemcachedServer, u16) {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let (chain, key) = (certificate.file(), certificate.key_file());
        let settings = format!("ssl_chain_cert={chain},ssl_key={key}{more}");
        let server = MemcachedServer::with(&["-Z", "-o", &settings, "-l", &listen]);
        (server, port)
    }

    fn builder(port: u16) -> MemCachedBuilder {
        MemCached::builder(format!("memcaches://localhost:{port}")).deadline(PATIENCE)
    }

    fn is_unreachable(error: &MemCachedError) -> bool {
        matches!(error, MemCachedError::Net(NetError::Unreachable { .. }))
    }

    #[test]
    fn tls_carries_small_and_large_entries() {
        let certificate = Certificate::of("localhost");
        let (_server, port) = server(&certificate, "");
        on_both(|| async {
            let trusting = builder(port).root_certificates(certificate.pem());
            let cache = trusting.raw().build_async().unwrap();
            let large: Vec<u8> = (0..1000 << 10).map(|n: u32| (n % 251) as u8).collect();
            let insert = cache.insert_entry(b"large", large.clone(), None);
            insert.await.unwrap();
            cache.insert(b"small", b"1").await.unwrap();
            for _ in 0..3 {
                let found = cache
                    .get_many(&[b"small", b"large", b"none"])
                    .await
                    .unwrap();
                assert!(found == [Some(b"1".to_vec()), Some(large.clone()), None]);
            }
            let stranger = builder(port).raw().build_async().unwrap();
            let error = stranger.get(b"small").await.unwrap_err();
            assert!(is_unreachable(&error) && error.is_outage(), "{error}");
        });
    }

    #[test]
    fn tls_sends_a_client_certificate() {
        let certificate = Certificate::of("localhost");
        let ask = format!(",ssl_verify_mode=2,ssl_ca_cert={}", certificate.file());
        let (_server, port) = server(&certificate, &ask);
        on_both(|| async {
            let trusting = || builder(port).root_certificates(certificate.pem());
            let anonymous = trusting().raw().build_async().unwrap();
            let error = anonymous.get(b"a").await.unwrap_err();
            assert!(is_unreachable(&error), "{error}");
            let known = trusting().identity(certificate.pem(), certificate.key());
            assert_eq!(known.raw().build_async().unwrap().get(b"a").await, Ok(None));
        });
    }
}
