//! A cache on a client of the crate `memcache`.

use crate::{
    backend::{Backend, Operation, net, shown},
    memcached::key,
};
use ctu_std::{
    Cache, CacheError, CacheExt, Error, MemCached, MemCachedError, NetError, RawMemCached,
    memcached::MemValue,
};
use ctu_tests::servers::{MemcacheClient, Memcached, MemcachedServer};
use std::{sync::mpsc, thread, time::Duration};

impl<const TEXT: bool> Backend for MemcacheClient<TEXT> {
    type Cache = RawMemCached;
    type Error = MemCachedError;

    const SCHEME: &'static str = Memcached::SCHEME;
    const PORT: u16 = Memcached::PORT;
    const FEW_CLIENTS: &'static [&'static str] = Memcached::FEW_CLIENTS;
    const SMALL: &'static [&'static str] = Memcached::SMALL;
    const LARGE: &'static [&'static str] = Memcached::LARGE;
    const PUT_ANSWER: &'static [u8] = Memcached::PUT_ANSWER;
    const UNASKED: &'static [u8] = Memcached::UNASKED;

    fn cache(address: &str, deadline: Duration, connections: usize) -> RawMemCached {
        let protocol = if TEXT { "ascii" } else { "binary" };
        let timeout = deadline.as_secs_f64();
        let address = format!("{address}?protocol={protocol}&timeout={timeout}");
        let client = client(&address, connections, deadline);
        let builder = MemCached::from_connection(client).raw();
        builder.max_item(128 << 20).build().expect("good settings")
    }

    fn limited(address: &str, _: usize) -> RawMemCached {
        // The client does not limit the size of a reply.
        Self::cache(address, Duration::from_secs(60), 16)
    }

    fn assert_len(cache: &RawMemCached, _: usize) {
        assert_unsupported(cache.len());
    }

    fn connections(_: &RawMemCached) -> u64 {
        unimplemented!("statistics of the server")
    }

    fn ask(cache: &RawMemCached) -> Result<(), MemCachedError> {
        Memcached::ask(cache)
    }

    fn before_once(cache: &RawMemCached) -> Result<(), MemCachedError> {
        Memcached::before_once(cache)
    }

    fn once(cache: &RawMemCached) -> Result<(), MemCachedError> {
        Memcached::once(cache)
    }

    fn was_done(cache: &RawMemCached) -> bool {
        Memcached::was_done(cache)
    }

    fn put_request(value: &[u8]) -> Vec<u8> {
        Memcached::put_request(value)
    }

    fn get_answer(value: &[u8]) -> Vec<u8> {
        Memcached::get_answer(value)
    }

    fn get_many_answer() -> Vec<u8> {
        Memcached::get_many_answer()
    }

    fn endless() -> Vec<u8> {
        Memcached::endless()
    }

    fn answered() -> Vec<(Vec<u8>, Operation<Self>)> {
        Memcached::answered()
    }

    fn garbage() -> Vec<Vec<u8>> {
        Memcached::garbage()
    }

    fn parts() -> Vec<Vec<u8>> {
        Memcached::parts()
    }
}

/// A client that waits for a connection at most for `wait`.
fn client(address: &str, connections: usize, wait: Duration) -> memcache::Client {
    // The crate's own builder takes the timeouts of the address back on one connection.
    let pool = memcache::Pool::builder()
        .max_size(connections.try_into().expect("a small pool"))
        .min_idle(Some(0))
        .connection_timeout(wait);
    let url = memcache::Url::parse(address).expect("an address");
    let pool = pool.build(memcache::ConnectionManager::new(url));
    memcache::Client::with_pool(pool.expect("a server")).expect("a client")
}

on_the_memcache_client! {
    batches_match_single_operations
    ttl_is_set_and_bounded
    unsupported_operation_is_a_typed_error
    entries_are_shared_with_the_own_client
    killed_server_is_an_outage
    full_server_is_an_outage
    exhausted_pool_is_an_overload
    oversized_value_is_reported_and_the_connection_stays_in_step
    late_reply_is_never_the_value_of_another_key
}

const SOON: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(60);

fn cache<B: Backend>(server: &MemcachedServer, deadline: Duration, pool: usize) -> B::Cache {
    B::cache(&format!("memcache://{}", server.address()), deadline, pool)
}

fn with_server<B: Backend>() -> (MemcachedServer, B::Cache) {
    let server = MemcachedServer::start();
    let cache = cache::<B>(&server, PATIENCE, 4);
    (server, cache)
}

fn assert_unsupported<T: std::fmt::Debug>(done: Result<T, MemCachedError>) {
    let unsupported = matches!(done, Err(MemCachedError::Core(Error::Unsupported(_))));
    assert!(unsupported, "{done:?}");
}

fn batches_match_single_operations<B: Backend<Cache = RawMemCached>>() {
    let (_server, cache) = with_server::<B>();
    let keys: Vec<Vec<u8>> = (0..3000_u32).map(|n| n.to_le_bytes().repeat(9)).collect();
    let keys: Vec<&[u8]> = keys.iter().map(|key| &**key).collect();
    let entries = keys.iter().step_by(2).map(|key| (*key, key.to_vec()));
    cache.insert_many(entries.collect(), None).unwrap();
    let found = cache.get_many(&keys).unwrap();
    for (n, (key, found)) in keys.iter().zip(&found).enumerate() {
        assert_eq!(found.as_deref(), (n % 2 == 0).then_some(*key), "{n}");
    }
    let twice = cache.get_many(&[keys[0], keys[1], keys[0]]).unwrap();
    assert_eq!(
        twice,
        [Some(keys[0].to_vec()), None, Some(keys[0].to_vec())]
    );
    let timed = cache.get_many_with_ttl(&keys[..2]).unwrap();
    assert_eq!(timed, [Some((keys[0].to_vec(), None)), None]);
    assert_eq!(cache.remove_many(&keys[..10]), Ok(5));
    assert_eq!(cache.get(keys[0]), Ok(None));
}

fn ttl_is_set_and_bounded<B: Backend<Cache = RawMemCached>>() {
    const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    let (server, cache) = with_server::<B>();
    let own = Memcached::cache(&server.address(), PATIENCE, 1);
    let left = || own.get_with_ttl(b"a").unwrap().unwrap().1.unwrap();
    cache
        .insert_with_ttl(b"a", b"1", Duration::from_secs(5000))
        .unwrap();
    assert!((Duration::from_secs(600)..=Duration::from_secs(5000)).contains(&left()));
    assert_eq!(cache.touch(b"a", Some(MONTH)), Ok(true));
    assert!(left() > Duration::from_secs(5000));
    assert_eq!(cache.touch(b"none", Some(MONTH)), Ok(false));
    let long = MONTH + Duration::from_secs(1);
    let too_long = MemCachedError::Core(Error::TtlTooLong { max: MONTH });
    assert_eq!(
        cache.insert_with_ttl(b"a", b"2", long),
        Err(too_long.clone())
    );
    assert_eq!(cache.touch(b"a", Some(long)), Err(too_long));
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
    cache.insert_with_ttl(b"a", b"2", Duration::ZERO).unwrap();
    assert_eq!(cache.get(b"a"), Ok(None));
}

fn unsupported_operation_is_a_typed_error<B: Backend<Cache = RawMemCached>>() {
    let (_server, cache) = with_server::<B>();
    assert_unsupported(cache.add(b"a", b"1", None));
    assert_unsupported(cache.len());
    assert_unsupported(cache.info(""));
    assert_unsupported(cache.stats());
    assert_unsupported(cache.hit_rate());
    // Nothing of them is left on the connection.
    cache.insert(b"a", b"1").unwrap();
    assert_eq!(cache.get(b"a"), Ok(Some(b"1".to_vec())));
}

fn entries_are_shared_with_the_own_client<B: Backend>() {
    let server = MemcachedServer::start();
    let client = memcache::connect(format!("memcache://{}", server.address())).unwrap();
    let builder = MemCached::from_connection(client).prefix("é.");
    let cache = builder.build::<str, MemValue>().unwrap();
    let own = MemCached::builder(server.address()).prefix("é.");
    let own = own.build::<str, MemValue>().unwrap();
    for value in [
        MemValue::from("text"),
        MemValue::from(&b"\0\r\n"[..]),
        MemValue::Json(serde_json::json!([1, null])),
    ] {
        cache.insert("a b", value.clone()).unwrap();
        assert_eq!(own.get("a b"), Ok(Some(value.clone())));
        own.insert("c", value.clone()).unwrap();
        assert_eq!(cache.get("c"), Ok(Some(value)));
    }
}

fn killed_server_is_an_outage<B: Backend<Cache = RawMemCached>>() {
    let mut server = MemcachedServer::start();
    let cache = cache::<B>(&server, Duration::from_secs(1), 1);
    cache.insert(b"a", b"1").unwrap();
    server.kill();
    let error = net(cache.get(b"a")).unwrap_err();
    assert!(matches!(error, NetError::Unreachable { .. }), "{error}");
    assert_eq!(
        error.server().to_string(),
        "Memcached at a memcache::Client"
    );
    server.start_again();
    assert_eq!(cache.get(b"a"), Ok(None));
}

fn full_server_is_an_outage<B: Backend<Cache = RawMemCached>>() {
    let server = MemcachedServer::with(B::SMALL);
    let cache = cache::<B>(&server, PATIENCE, 1);
    let error = (0_u32..)
        .find_map(|n| {
            cache
                .insert_entry(&n.to_le_bytes(), vec![0; 100_000], None)
                .err()
        })
        .unwrap();
    assert!(
        matches!(error, MemCachedError::OutOfMemory { .. }),
        "{error}"
    );
    assert!(error.is_outage());
    assert_eq!(cache.remove(&0_u32.to_le_bytes()), Ok(true));
}

fn exhausted_pool_is_an_overload<B: Backend<Cache = RawMemCached>>() {
    let server = MemcachedServer::start();
    let client = client(&format!("memcache://{}", server.address()), 1, SOON);
    let cache = MemCached::from_connection(client).raw().build().unwrap();
    server.pause();
    let (done, ended) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..2 {
            let (cache, done) = (&cache, done.clone());
            scope.spawn(move || done.send(cache.get(b"a")));
        }
        // The other thread has the connection, and waits for the server.
        let first = ended.recv();
        server.resume();
        let first = net(first.unwrap());
        let text = "all connections to Memcached at a memcache::Client were in use for too long";
        let error = first.unwrap_err();
        assert!(error.to_string().starts_with(text), "{error}");
        assert_eq!(ended.recv().unwrap(), Ok(None));
    });
}

fn oversized_value_is_reported_and_the_connection_stays_in_step<
    B: Backend<Cache = RawMemCached>,
>() {
    let (_server, cache) = with_server::<B>();
    let large = || vec![b'x'; 2 << 20];
    let batch = vec![
        (&b"a"[..], b"1".to_vec()),
        (b"b", large()),
        (b"c", b"3".to_vec()),
    ];
    let error = cache.insert_many(batch, None).unwrap_err();
    assert!(matches!(error, MemCachedError::TooLarge { .. }), "{error}");
    assert!(!error.is_outage());
    shown(&error);
    let found = cache.get_many(&[b"a", b"b", b"c"]).unwrap();
    assert_eq!(found, [Some(b"1".to_vec()), None, Some(b"3".to_vec())]);
}

fn late_reply_is_never_the_value_of_another_key<B: Backend<Cache = RawMemCached>>() {
    let server = MemcachedServer::start();
    let long_deadline = cache::<B>(&server, PATIENCE, 1);
    let short_deadline = cache::<B>(&server, SOON, 1);
    for key in [b"a", b"b"] {
        long_deadline.insert(key, key).unwrap();
    }
    // A timeout here leaves a connection out of step, too.
    let _warm = short_deadline.get(b"a");
    server.pause();
    assert!(short_deadline.get(b"a").unwrap_err().is_outage());
    server.resume();
    for _ in 0..20 {
        if let Ok(Some(value)) = short_deadline.get(b"b") {
            assert_eq!(value, b"b");
        }
    }
}

#[test]
fn late_reply_is_rejected_without_the_check_on_checkout() {
    let server = MemcachedServer::start();
    let url = format!("memcache://{}?timeout=0.05", server.address());
    let pool = memcache::Pool::builder()
        .max_size(1)
        .test_on_check_out(false);
    let manager = memcache::ConnectionManager::new(memcache::Url::parse(&url).unwrap());
    let client = memcache::Client::with_pool(pool.build(manager).unwrap()).unwrap();
    let cache = MemCached::from_connection(client).raw().build().unwrap();
    cache.insert(b"a", b"1").unwrap();
    cache.insert(b"b", b"2").unwrap();
    server.pause();
    assert!(cache.get(b"a").unwrap_err().is_outage());
    server.resume();
    server.ask_text(&format!("get {}\r\n", key(b"a")));
    let found = net(cache.get(b"b"));
    assert!(matches!(found, Err(NetError::Protocol { .. })), "{found:?}");
}

#[test]
fn setting_of_the_network_is_rejected() {
    let server = MemcachedServer::start();
    let url = format!("memcache://{}", server.address());
    let builder = || MemCached::from_connection(memcache::connect(&*url).unwrap());
    let second = Duration::from_secs(1);
    for builder in [
        builder().deadline(second),
        builder().connect_deadline(second),
        builder().pool_size(4),
        builder().max_connection_age(None),
        builder().keep_alive(None),
        builder().server("localhost"),
    ] {
        let error = builder.raw().build().unwrap_err();
        assert!(matches!(error, MemCachedError::Address(_)), "{error}");
        assert!(error.to_string().contains("memcache::Client"), "{error}");
    }
    let cache = builder().ttl(second).max_item(1000).raw().build().unwrap();
    assert_eq!(cache.default_ttl(), Some(second));
    assert!(cache.insert_entry(b"a", vec![0; 1000], None).is_err());
}
