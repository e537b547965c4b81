//! Redis and Memcached beside their bare clients: `cargo bench -p ctu-bench --bench backends`.
//!
//! All of it against servers of its own on this machine. With `CTU_PYTHON`, a Python that has
//! CacheToolsUtils (`tests/run interop` makes one in `target/interop/bin/python`), beside that as
//! well. Its `MemCached` is measured as ours works, waiting for the server's answer, and as it
//! comes: there pymemcache does not wait when an item is assigned, so it cannot tell whether it was
//! stored. "8 threads" is the time of an operation of all threads together: the inverse of the
//! throughput. "a bare socket" sends a prepared request and does not parse the answer: its time is
//! that of the server, the system and the transport.
//!
//! The scheduler takes most of the time of an operation. With client and server on two processors,
//! each message wakes an idle processor, which costs more than the work of the message. A batch of
//! 100 then looks cheaper than the saved work. On one processor, a message is a switch between the
//! programs, and the rest of the time is work. So run the benchmark as above for the times in
//! production, and as `taskset -c 0 cargo bench -p ctu-bench --bench backends` to compare the work.

mod python;

use ctu_bench::contest::{Contender, Outcome, contest, table};
use ctu_std::{
    Cache, CacheExt, MemCached, RawMemCached, RawRedisCache, RedisCache, StrKey,
    memcached::encode_key,
};
use ctu_tests::servers::{MemcachedServer, RedisServer};
use python::Python;
use std::{
    cell::RefCell,
    io::{Read, Write},
    net::TcpStream,
    thread,
};

const OPERATIONS: usize = 1000;
const ROUNDS: usize = 41;
const THREADS: usize = 8;
const SIZES: [usize; 2] = [64, 4096];
const KEY: &str = "key";

/// Does it as often as a round has it.
fn repeat(mut operation: impl FnMut() -> usize) -> u64 {
    (0..OPERATIONS).map(|_| operation() as u64).sum()
}

/// The same, shared by eight threads, each with a state of its own.
fn in_threads<T: Send>(states: &mut [T], operation: impl Fn(&mut T) -> usize + Sync) -> u64 {
    let operation = &operation;
    thread::scope(|scope| {
        let work = |state: &mut T| {
            (0..OPERATIONS / THREADS)
                .map(|_| operation(state))
                .sum::<usize>()
        };
        let threads: Vec<_> = states
            .iter_mut()
            .map(|state| scope.spawn(move || work(state)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic") as u64)
            .sum()
    })
}

/// Runs a batch of a hundred operations as often as one round needs.
fn in_batches(mut batch: impl FnMut() -> usize) -> u64 {
    (0..OPERATIONS / 100).map(|_| batch() as u64).sum()
}

fn keys_of_batch() -> Vec<String> {
    (0..100).map(|key| format!("batch {key}")).collect()
}

/// An aim and its measured value.
struct Aim(String, f64, f64);

impl Aim {
    /// That `ratio` is at most `most`.
    fn at_most(what: &str, ratio: f64, most: f64) -> Self {
        Self(what.into(), ratio, most)
    }

    fn show(&self) -> String {
        let Self(what, ratio, most) = self;
        let met = if ratio <= most { "met" } else { "NOT MET" };
        format!("{what}: ×{ratio:.3}, aim ×{most:.3}: {met}")
    }
}

fn bare_redis(server: &RedisServer) -> redis::Connection {
    let client = redis::Client::open(server.url()).expect("a good address");
    client.get_connection().expect("a server")
}

fn redis_get(connection: &mut redis::Connection) -> usize {
    let found: Vec<u8> = redis::cmd("GET").arg(KEY).query(connection).expect("GET");
    found.len()
}

fn redis_set(connection: &mut redis::Connection, value: &[u8]) -> usize {
    let set = redis::cmd("SET")
        .arg(KEY)
        .arg(value)
        .arg("EX")
        .arg(600)
        .exec(connection);
    set.map_or(0, |()| 1)
}

fn found_len<E>(found: Result<Option<Vec<u8>>, E>) -> usize {
    found.ok().flatten().expect("an entry").len()
}

fn on_redis(python: Option<&RefCell<Python>>) -> (Vec<Outcome>, Vec<Aim>) {
    let server = RedisServer::start();
    let url = server.url();
    let cache: RawRedisCache = RedisCache::builder(&url).raw().build().expect("a cache");
    let bare = RefCell::new(bare_redis(&server));
    let (mut outcomes, mut aims) = (Vec::new(), Vec::new());
    for size in SIZES {
        let value = vec![b'v'; size];
        cache.insert(KEY.as_bytes(), &*value).expect("SET");
        for operation in ["get", "insert"] {
            let is_get = operation == "get";
            let mut contenders = vec![
                Contender::ours("ctu RedisCache", || {
                    repeat(|| match is_get {
                        true => found_len(cache.get(KEY.as_bytes())),
                        false => cache
                            .insert_entry(KEY.as_bytes(), value.clone(), None)
                            .map_or(0, |()| 1),
                    })
                }),
                Contender::peer("redis, one connection", || {
                    let mut bare = bare.borrow_mut();
                    repeat(|| match is_get {
                        true => redis_get(&mut bare),
                        false => redis_set(&mut bare, &value),
                    })
                }),
            ];
            if let Some(python) = python {
                let run = || python.borrow_mut().run(&url, operation, size);
                contenders.push(Contender::peer("Python's RedisCache", run));
            }
            let title = format!("{operation} {size} B");
            let outcome = contest(&title, OPERATIONS, ROUNDS, contenders);
            let ratio = outcome.time("ctu RedisCache") / outcome.time("redis, one connection");
            let what = format!("RedisCache {title} beside the bare crate");
            aims.push(Aim::at_most(&what, ratio, 1.05));
            outcomes.push(outcome);
        }
    }
    cache.insert(KEY.as_bytes(), &[b'v'; 64]).expect("SET");
    let mut caches: Vec<_> = (0..THREADS).map(|_| cache.clone()).collect();
    let mut bare: Vec<_> = (0..THREADS).map(|_| bare_redis(&server)).collect();
    let outcome = contest(
        "8 threads, get 64 B",
        OPERATIONS,
        ROUNDS,
        vec![
            Contender::ours("ctu RedisCache", || {
                in_threads(&mut caches, |cache| found_len(cache.get(KEY.as_bytes())))
            }),
            Contender::peer("redis, one connection", || in_threads(&mut bare, redis_get)),
        ],
    );
    let ratio = outcome.time("ctu RedisCache") / outcome.time("redis, one connection");
    let what = "RedisCache in 8 threads beside 8 bare connections";
    aims.push(Aim::at_most(what, ratio, 1.0 / 0.95));
    outcomes.push(outcome);
    let keys = keys_of_batch();
    let mut connection = bare_redis(&server);
    let bare = Contender::peer("redis, one connection", || {
        in_batches(|| {
            let mut mget = redis::cmd("MGET");
            let found = mget
                .arg(&keys)
                .query::<Vec<Option<Vec<u8>>>>(&mut connection);
            found.expect("MGET").iter().flatten().count()
        })
    });
    let names = keys
        .iter()
        .map(|key| format!("${}\r\n{key}\r\n", key.len()));
    let request = format!("*101\r\n$4\r\nMGET\r\n{}", names.collect::<String>());
    let value = format!("$64\r\n{}\r\n", "v".repeat(64));
    let answer = format!("*100\r\n{}", value.repeat(100)).len();
    let socket = bare_socket(server.port(), request, answer);
    let (outcome, aim) = batches("ctu RedisCache", &cache, vec![bare, socket]);
    outcomes.push(outcome);
    aims.push(aim);
    (outcomes, aims)
}

/// A contender that sends the prepared `request` and reads an answer of `len` bytes without
/// parsing.
fn bare_socket(port: u16, request: String, len: usize) -> Contender<'static> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("a server");
    socket.set_nodelay(true).expect("a socket");
    let mut answer = vec![0; len];
    Contender::peer("a bare socket", move || {
        in_batches(|| {
            socket.write_all(request.as_bytes()).expect("a server");
            socket.read_exact(&mut answer).expect("an answer");
            answer.len()
        })
    })
}

/// A key of a raw `MemCached` as it is on the server.
fn stored_name(key: &str) -> String {
    let stored = encode_key("", &key.as_bytes().text()).expect("a short key");
    String::from_utf8(stored).expect("letters")
}

/// `get_many` of a hundred beside a hundred `get`s, both ours.
fn batches<C: Cache<Key = [u8], Value = Vec<u8>>>(
    name: &str,
    cache: &C,
    bare: Vec<Contender<'_>>,
) -> (Outcome, Aim) {
    let keys = keys_of_batch();
    let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
    for key in &keys {
        cache.insert(key, &[b'v'; 64]).expect("an insert");
    }
    let single = format!("{name}, one at a time");
    let mut contenders = vec![
        Contender::ours(name, || {
            let found = || cache.get_many(&keys).expect("values");
            in_batches(|| found().iter().flatten().count())
        }),
        Contender::peer(&single, || {
            let get = |key: &&[u8]| found_len(cache.get(key));
            in_batches(|| keys.iter().map(get).sum())
        }),
    ];
    contenders.extend(bare);
    let outcome = contest("get_many of 100", OPERATIONS, ROUNDS, contenders);
    let ratio = outcome.time(name) / outcome.time(&single);
    let what = format!("{name} get_many of 100 beside 100 gets");
    (outcome, Aim::at_most(&what, ratio, 1.0 / 20.0))
}

/// The crate's client; unless `checks`, without its check of the connection before each operation.
fn bare_memcache(server: &MemcachedServer, protocol: &str, checks: bool) -> memcache::Client {
    let url = format!("memcache://{}?protocol={protocol}", server.address());
    let manager = memcache::ConnectionManager::new(memcache::Url::parse(&url).expect("a URL"));
    let pool = r2d2::Pool::builder()
        .max_size(THREADS as u32)
        .test_on_check_out(checks);
    memcache::Client::with_pool(pool.build(manager).expect("a server")).expect("a client")
}

fn on_memcached(python: Option<&RefCell<Python>>) -> (Vec<Outcome>, Vec<Aim>) {
    let server = MemcachedServer::start();
    let address = server.address();
    let cache: RawMemCached = MemCached::builder(&address).raw().build().expect("a cache");
    let bare = [
        ("memcache", bare_memcache(&server, "binary", true)),
        ("memcache, ascii", bare_memcache(&server, "ascii", true)),
        (
            "memcache, unchecked",
            bare_memcache(&server, "binary", false),
        ),
    ];
    let (mut outcomes, mut aims) = (Vec::new(), Vec::new());
    for size in SIZES {
        let value = vec![b'v'; size];
        cache.insert(KEY.as_bytes(), &*value).expect("set");
        bare[0].1.set(KEY, &*value, 600).expect("set");
        for operation in ["get", "insert"] {
            let is_get = operation == "get";
            let mut contenders = vec![Contender::ours("ctu MemCached", || {
                repeat(|| match is_get {
                    true => found_len(cache.get(KEY.as_bytes())),
                    false => cache
                        .insert_entry(KEY.as_bytes(), value.clone(), None)
                        .map_or(0, |()| 1),
                })
            })];
            for (name, bare) in &bare {
                let value = &value;
                contenders.push(Contender::peer(name, move || {
                    repeat(|| match is_get {
                        true => found_len(bare.get::<Vec<u8>>(KEY)),
                        false => bare.set(KEY, &**value, 600).map_or(0, |()| 1),
                    })
                }));
            }
            if let Some(python) = python {
                // Its keys are another's.
                python.borrow_mut().run(&address, "insert", size);
                let run = |operation| python.borrow_mut().run(&address, operation, size);
                let waits = move || run(operation);
                contenders.push(Contender::peer("Python's MemCached", waits));
                if !is_get {
                    let name = "Python's MemCached, not waiting for the answer";
                    let does_not = move || run("insert unanswered");
                    contenders.push(Contender::peer(name, does_not));
                }
            }
            let title = format!("{operation} {size} B");
            let outcome = contest(&title, OPERATIONS, ROUNDS, contenders);
            let ratio = outcome.time("ctu MemCached") / outcome.time("memcache");
            let what = format!("MemCached {title} beside the bare crate");
            aims.push(Aim::at_most(&what, ratio, 1.0));
            outcomes.push(outcome);
        }
    }
    cache.insert(KEY.as_bytes(), &[b'v'; 64]).expect("set");
    bare[0].1.set(KEY, &[b'v'; 64][..], 600).expect("set");
    let mut caches: Vec<_> = (0..THREADS).map(|_| cache.clone()).collect();
    let mut clients: Vec<_> = (0..THREADS).map(|_| bare[0].1.clone()).collect();
    let outcome = contest(
        "8 threads, get 64 B",
        OPERATIONS,
        ROUNDS,
        vec![
            Contender::ours("ctu MemCached", || {
                in_threads(&mut caches, |cache| found_len(cache.get(KEY.as_bytes())))
            }),
            Contender::peer("memcache", || {
                in_threads(&mut clients, |bare| found_len(bare.get::<Vec<u8>>(KEY)))
            }),
        ],
    );
    let ratio = outcome.time("ctu MemCached") / outcome.time("memcache");
    let what = "MemCached in 8 threads beside the bare crate";
    aims.push(Aim::at_most(what, ratio, 1.0));
    outcomes.push(outcome);
    let keys = keys_of_batch();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for key in &keys {
        bare[0].1.set(key, &[b'v'; 64][..], 600).expect("set");
    }
    let bare = Contender::peer("memcache", || {
        in_batches(|| bare[0].1.gets::<Vec<u8>>(&keys).expect("gets").len())
    });
    let names = keys.iter().map(|key| stored_name(key)).collect::<Vec<_>>();
    let request = format!("get {}\r\n", names.join(" "));
    let value = |name: &String| format!("VALUE {name} 1 64\r\n{}\r\n", "v".repeat(64)).len();
    let answer = names.iter().map(value).sum::<usize>() + b"END\r\n".len();
    let socket = bare_socket(server.port(), request, answer);
    let (outcome, aim) = batches("ctu MemCached", &cache, vec![bare, socket]);
    outcomes.push(outcome);
    aims.push(aim);
    (outcomes, aims)
}

fn main() {
    let python = Python::start();
    let mut all = Vec::new();
    for (outcomes, aims) in [on_redis(python.as_ref()), on_memcached(python.as_ref())] {
        println!("{}\n", table(&outcomes));
        for outcome in &outcomes {
            let (title, ours) = (&outcome.title, outcome.rows[0].2);
            for (name, _, time) in &outcome.rows {
                if name.starts_with("Python") {
                    println!("{title}: {:.1} times as quick as {name}", time / ours);
                }
            }
        }
        println!();
        all.extend(aims);
    }
    if python.is_none() {
        println!("without Python: CTU_PYTHON names none\n");
    }
    for aim in &all {
        println!("{}", aim.show());
    }
}
