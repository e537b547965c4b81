use crate::backend::{Backend, net, patient, served};
use ctu_std::Cache;
use ctu_tests::servers::free_port;
use std::thread;

on_every_backend! {
    of_nothing_need_no_server
    that_are_cut_short_are_errors
}

fn of_nothing_need_no_server<B: Backend>() {
    let cache = patient::<B>(free_port());
    assert_eq!(cache.get_many(&[]), Ok(vec![]));
    assert_eq!(cache.get_many_with_ttl(&[]), Ok(vec![]));
    assert_eq!(cache.put_many(vec![], None), Ok(()));
    assert_eq!(cache.remove_many(&[]), Ok(0));
}

fn that_are_cut_short_are_errors<B: Backend>() {
    let (mut server, cache) = served::<B>();
    cache.insert(b"warm", b"up").unwrap();
    server.pause();
    let done = thread::scope(|scope| {
        let batch = scope.spawn(|| {
            let keys: Vec<[u8; 4]> = (0..32_u32).map(u32::to_le_bytes).collect();
            let entries = keys.iter().map(|key| (&key[..], vec![1; 1 << 19]));
            cache.put_many(entries.collect(), None)
        });
        server.kill();
        batch.join().unwrap()
    });
    assert!(net(done).is_err());
    server.start_again();
    assert_eq!(cache.get_many(&[b"a", b"b"]), Ok(vec![None, None]));
}
