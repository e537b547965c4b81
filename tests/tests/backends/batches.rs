use crate::backend::{Backend, address, long_deadline, net};
use ctu_std::{Cache, NetError, test_util::StreamFault};
use ctu_tests::servers::{Server, free_port};
use std::time::Duration;

on_every_backend! {
    empty_batch_needs_no_server
    truncated_batch_reply_is_an_error
}

fn empty_batch_needs_no_server<B: Backend>() {
    let cache = long_deadline::<B>(free_port());
    assert_eq!(cache.get_many(&[]), Ok(vec![]));
    assert_eq!(cache.get_many_with_ttl(&[]), Ok(vec![]));
    assert_eq!(cache.insert_many(vec![], None), Ok(()));
    assert_eq!(cache.remove_many(&[]), Ok(0));
}

fn truncated_batch_reply_is_an_error<B: Backend>() {
    let server = Server::<B>::start();
    let proxy = server.proxy();
    let keys: Vec<[u8; 4]> = (0..32_u32).map(u32::to_le_bytes).collect();
    // In the first request of any backend.
    for bytes in [0, 1, 1 << 19, 3 << 20] {
        // On a fresh connection: on one of the pool the batch would be sent again.
        let address = address::<B>(proxy.port());
        let cache = B::cache(&address, Duration::from_secs(60), 1);
        proxy.fail_request_after(bytes, StreamFault::Close);
        let entries = keys.iter().map(|key| (&key[..], vec![1; 1 << 19]));
        let done = net(cache.insert_many(entries.collect(), None));
        assert!(matches!(done, Err(NetError::Lost { .. })), "{done:?}");
        assert!(proxy.has_failed());
        let found = cache.get_many(&[&keys[31][..], b"none"]);
        assert_eq!(found, Ok(vec![None, None]), "after {bytes}");
    }
}
