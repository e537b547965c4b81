use crate::{
    forms::{Form, in_both_forms},
    secs,
};
use ctu_std::{Cache, NetError, RedisCache, RedisError};
use ctu_tests::servers::{Certificate, RedisCluster, free_port};

in_both_forms! {
    tls_reaches_every_node
}

fn tls_reaches_every_node<C: Form>() {
    let certificate = Certificate::of("127.0.0.1");
    let cluster = RedisCluster::with(3, || {
        let port = free_port().to_string();
        let options = [
            ["--tls-port", &port],
            ["--tls-cert-file", &certificate.file()],
            ["--tls-key-file", &certificate.key_file()],
            ["--tls-ca-cert-file", &certificate.file()],
            ["--tls-auth-clients", "no"],
            ["--tls-cluster", "yes"],
        ];
        options.into_iter().flatten().map(String::from).collect()
    });
    let port = cluster.node(1).cli(&["config", "get", "tls-port"]);
    let url = format!("rediss://127.0.0.1:{}", port.lines().last().unwrap());
    let builder = RedisCache::cluster([&url]).root_certificates(certificate.pem());
    let builder = builder.deadline(secs(60)).connect_deadline(secs(30));
    let cache = C::build(builder.raw()).unwrap();
    let keys: Vec<Vec<u8>> = (0..60_u8).map(|n| vec![n]).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let entries = keys.iter().map(|key| (*key, key.repeat(9))).collect();
    cache.insert_many(entries, None).unwrap();
    let found = cache.get_many(&keys).unwrap();
    assert!(
        found
            .into_iter()
            .flatten()
            .eq(keys.iter().map(|key| key.repeat(9)))
    );
    assert_eq!(cache.len(), Ok(60));
    // Without the certificate, the client trusts no node.
    let builder = RedisCache::cluster([&url]).raw().deadline(secs(60));
    let stranger = C::build(builder.connect_deadline(secs(30))).unwrap();
    let error = stranger.get(b"a").unwrap_err();
    let refused = matches!(error, RedisError::Net(NetError::Unreachable { .. }));
    assert!(refused, "{error}");
    assert_eq!(cache.len(), Ok(60));
}

#[test]
fn certificates_of_one_name_serve_all_nodes() {
    let certificate = Certificate::of("cache.example");
    let server = ctu_tests::servers::RedisServer::with(&[
        "--tls-port",
        &free_port().to_string(),
        "--tls-cert-file",
        &certificate.file(),
        "--tls-key-file",
        &certificate.key_file(),
        "--tls-auth-clients",
        "no",
    ]);
    let port = server.cli(&["config", "get", "tls-port"]);
    let url = format!("rediss://127.0.0.1:{}", port.lines().last().unwrap());
    let builder = || {
        let builder = RedisCache::builder(&url).root_certificates(certificate.pem());
        builder.raw().deadline(secs(60)).connect_deadline(secs(30))
    };
    let error = builder().build().unwrap().get(b"a").unwrap_err();
    let refused = matches!(error, RedisError::Net(NetError::Unreachable { .. }));
    assert!(refused, "{error}");
    let cache = builder().tls_server_name("cache.example").build().unwrap();
    assert_eq!(cache.get(b"a"), Ok(None));
    let cache = builder().tls_server_name("other.example").build().unwrap();
    assert!(cache.get(b"a").is_err());
}
