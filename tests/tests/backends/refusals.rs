//! The server is there, and refuses.

use crate::backend::{Backend, long_deadline, net, shown};
use ctu_std::{Cache, CacheError, CacheExt, NetError};
use ctu_tests::servers::Server;
use std::thread;

on_every_backend! {
    full_server_is_reported_and_still_readable
    too_many_clients_is_reported
}

fn full_server_is_reported_and_still_readable<B: Backend>() {
    let server = Server::<B>::with(B::SMALL);
    let cache = long_deadline::<B>(server.port());
    cache.insert(b"first", b"1").unwrap();
    let error = (0_u32..)
        .find_map(|n| {
            cache
                .insert_entry(&n.to_le_bytes(), vec![0; 100_000], None)
                .err()
        })
        .unwrap();
    let (name, port) = (B::NAME, server.port());
    let told = format!("{name} at 127.0.0.1:{port} is out of memory");
    assert_eq!(shown(&error), told);
    assert!(error.is_outage());
    assert_eq!(cache.get(b"first"), Ok(Some(b"1".to_vec())));
    assert_eq!(cache.remove(b"first"), Ok(true));
}

fn too_many_clients_is_reported<B: Backend>() {
    let server = Server::<B>::with(B::FEW_CLIENTS);
    let first = long_deadline::<B>(server.port());
    // The probe of the start of the server may still hold a connection.
    while first.get(b"a").is_err() {
        thread::yield_now();
    }
    let others: Vec<_> = (0..64).map(|_| long_deadline::<B>(server.port())).collect();
    let mut told = 0;
    for other in &others {
        match net(other.get(b"a")) {
            Ok(None) => {}
            Err(NetError::TooManyClients { .. }) => told += 1,
            found => panic!("{found:?}"),
        }
    }
    assert!(told > 0);
    assert_eq!(first.get(b"a"), Ok(None));
}
