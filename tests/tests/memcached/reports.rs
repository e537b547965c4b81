//! Error reports of the server, and replies that look like error reports.

use crate::{builder, raw, shown};
use ctu_std::{Cache, CacheError, CacheExt, MemCachedError, NetError, RawMemCached};
use ctu_tests::servers::CannedServer;

fn canned_cache(server: &CannedServer) -> RawMemCached {
    raw(&format!("127.0.0.1:{}", server.port()))
}

#[test]
fn server_error_is_reported() {
    for report in ["ERROR\r\n", "CLIENT_ERROR bad\x1b command\r\n"] {
        let server = CannedServer::start(report).unwrap();
        let error = canned_cache(&server).get(b"a").unwrap_err();
        assert!(matches!(error, MemCachedError::Server { .. }), "{error:?}");
        assert!(!error.is_outage());
        let line = report.trim_end().replace('\x1b', " ");
        assert!(shown(error).ends_with(&format!(" says: {line}")));
    }
}

#[test]
fn fault_of_the_server_is_an_outage() {
    // Reports of mcrouter, twemproxy and Memcached itself.
    for report in [
        "",
        " unavailable",
        " Connection refused",
        " backend failure",
    ] {
        let server = CannedServer::start(format!("SERVER_ERROR{report}\r\n")).unwrap();
        let error = canned_cache(&server).get(b"a").unwrap_err();
        assert!(
            matches!(error, MemCachedError::NotReady { .. }),
            "{error:?}"
        );
        assert!(error.is_outage());
        let told = format!(" is not ready: SERVER_ERROR{report}");
        assert!(shown(error).ends_with(&told));
    }
}

#[test]
fn batch_error_is_reported_after_the_whole_batch() {
    let answers = "STORED\r\nSERVER_ERROR unavailable\r\nSTORED\r\n";
    let cut = &answers[..answers.len() - 2];
    for (answers, whole) in [(answers, true), (cut, false)] {
        let server = CannedServer::start(answers).unwrap();
        let keys: [&[u8]; 3] = [b"a", b"b", b"c"];
        let entries = keys.map(|key| (key, b"1".to_vec()));
        let error = canned_cache(&server).insert_many(entries.into(), None);
        let error = error.unwrap_err();
        let not_ready = matches!(error, MemCachedError::NotReady { .. });
        assert_eq!(not_ready, whole, "{error}");
    }
}

#[test]
fn error_line_with_trailing_data_is_a_protocol_error() {
    // Were the connection kept, the rest would answer the next operation.
    let server =
        CannedServer::start("SERVER_ERROR object too large for cache\r\nSTORED\r\n").unwrap();
    let error = canned_cache(&server).insert(b"a", b"1").unwrap_err();
    let told = matches!(error, MemCachedError::Net(NetError::Protocol { .. }));
    assert!(told, "{error}");
}

#[test]
fn impossible_counts_do_not_panic() {
    let most = format!("STAT curr_items {}\r\nEND\r\n", u64::MAX);
    let servers = [0, 1].map(|_| CannedServer::start(&*most).unwrap());
    let [one, other] = servers.each_ref().map(CannedServer::port);
    let builder = builder(format!("127.0.0.1:{one}"));
    let cache = builder.server(format!("127.0.0.1:{other}")).raw().build();
    assert_eq!(cache.unwrap().len(), Ok(usize::MAX));
}

#[test]
fn statistics_without_an_end_are_an_error() {
    // A statistic of nearly the longest line, more often than the bound of 16 MiB allows.
    let line = format!("STAT long {}\r\n", "x".repeat(60_000));
    let server = CannedServer::start(line.repeat(300)).unwrap();
    let error = canned_cache(&server).info("").unwrap_err();
    let told = matches!(error, MemCachedError::Net(NetError::Protocol { .. }));
    assert!(told, "{error}");
    // Within the bound, the end of the connection is the error.
    let server = CannedServer::start(line.repeat(200)).unwrap();
    let error = canned_cache(&server).info("").unwrap_err();
    let lost = matches!(error, MemCachedError::Net(NetError::Lost { .. }));
    assert!(lost, "{error}");
}
