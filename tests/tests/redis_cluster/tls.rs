use crate::secs;
use ctu_std::{Cache, NetError, RedisCache, RedisError};
use ctu_tests::servers::{RedisCluster, free_port};
use std::fs;

#[test]
fn is_spoken_to_every_node() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = made.cert.pem();
    let directory = std::env::temp_dir().join(format!("ctu-cluster-tls-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let write = |name: &str, pem: &str| {
        let path = directory.join(name);
        fs::write(&path, pem).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    let cert_file = write("certificate", &certificate);
    let key_file = write("key", &made.signing_key.serialize_pem());
    let cluster = RedisCluster::with(3, || {
        let port = free_port().to_string();
        let options = [
            ["--tls-port", &port],
            ["--tls-cert-file", &cert_file],
            ["--tls-key-file", &key_file],
            ["--tls-ca-cert-file", &cert_file],
            ["--tls-auth-clients", "no"],
            ["--tls-cluster", "yes"],
        ];
        options.into_iter().flatten().map(String::from).collect()
    });
    // The nodes have read them.
    fs::remove_dir_all(&directory).unwrap();
    let port = cluster.node(1).cli(&["config", "get", "tls-port"]);
    let url = format!("rediss://127.0.0.1:{}", port.lines().last().unwrap());
    let builder = RedisCache::cluster([&url]).root_certificates(&*certificate);
    let builder = builder.deadline(secs(60)).connect_deadline(secs(30));
    let cache = builder.raw().build().unwrap();
    let keys: Vec<Vec<u8>> = (0..60_u8).map(|n| vec![n]).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let entries = keys.iter().map(|key| (*key, key.repeat(9))).collect();
    cache.put_many(entries, None).unwrap();
    let found = cache.get_many(&keys).unwrap();
    assert!(
        found
            .into_iter()
            .flatten()
            .eq(keys.iter().map(|key| key.repeat(9)))
    );
    assert_eq!(cache.len(), Ok(60));
    // Who does not know the certificate trusts no node.
    let builder = RedisCache::cluster([&url]).raw().deadline(secs(60));
    let stranger = builder.connect_deadline(secs(30)).build().unwrap();
    let error = stranger.get(b"a").unwrap_err();
    let refused = matches!(error, RedisError::Net(NetError::Unreachable { .. }));
    assert!(refused, "{error}");
    assert_eq!(cache.len(), Ok(60));
}
