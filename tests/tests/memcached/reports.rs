//! The server says what is wrong, or seems to.

use crate::{raw, shown};
use ctu_std::{Cache, MemCachedError, NetError, RawMemCached};
use ctu_tests::servers::Parrot;

fn of_parrot(parrot: &Parrot) -> RawMemCached {
    raw(&format!("127.0.0.1:{}", parrot.port()))
}

#[test]
fn an_error_that_the_server_reports_is_told() {
    for report in [
        "SERVER_ERROR\r\n",
        "ERROR\r\n",
        "CLIENT_ERROR bad\x1b command\r\n",
    ] {
        let parrot = Parrot::start(report).unwrap();
        let error = of_parrot(&parrot).get(b"a").unwrap_err();
        assert!(matches!(error, MemCachedError::Server { .. }), "{error:?}");
        let line = report.trim_end().replace('\x1b', " ");
        assert!(shown(error).ends_with(&format!(" says: {line}")));
    }
}

#[test]
fn a_refusal_and_more_is_no_refusal() {
    // Were the connection kept, the rest would answer the next operation.
    let parrot = Parrot::start("SERVER_ERROR object too large for cache\r\nSTORED\r\n").unwrap();
    let error = of_parrot(&parrot).insert(b"a", b"1").unwrap_err();
    let told = matches!(error, MemCachedError::Net(NetError::Protocol { .. }));
    assert!(told, "{error}");
}
