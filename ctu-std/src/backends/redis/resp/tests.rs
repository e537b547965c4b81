use super::*;
use crate::backends::net::CHUNK;

/// More than any of the replies here has.
const ROOM: Bounds = Bounds {
    string: 1 << 20,
    strings: 1 << 20,
    elements: 1000,
};

/// The error of reading, which is no refusal of a length.
fn io_error(error: Unreadable) -> io::Error {
    match error {
        Unreadable::Io(error) => error,
        Unreadable::TooLong { .. } => panic!("{error:?}"),
    }
}

/// Gives its bytes in pieces of a few.
struct Pieces<'b>(&'b [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(self.0.len()).min(buffer.len());
        buffer[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

const REPLIES: &[u8] =
    b"+OK\r\n:-7\r\n$-1\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n*-1\r\n*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n-ERR no\r\n";

fn bulk(bytes: &[u8]) -> Value {
    Value::BulkString(bytes.to_vec())
}

fn expected() -> Vec<Value> {
    vec![
        Value::Okay,
        Value::Int(-7),
        Value::Nil,
        bulk(b""),
        bulk(b"\r\n\r\n"),
        Value::Nil,
        Value::Array(vec![bulk(b"0"), Value::Array(vec![bulk(b"a"), bulk(b"b")])]),
    ]
}

#[test]
fn replies_parse_in_any_fragmentation() {
    for size in 1..REPLIES.len() {
        let mut source = Pieces(REPLIES, size);
        let mut replies = Replies::default();
        for value in expected() {
            assert_eq!(replies.read(&mut source, ROOM).unwrap(), value);
        }
        let error = replies.read(&mut source, ROOM).unwrap().extract_error();
        assert_eq!(error.unwrap_err().code(), Some("ERR"));
        assert!(replies.is_drained() && source.0.is_empty());
    }
}

#[test]
fn every_truncated_reply_is_an_error() {
    for end in 0..REPLIES.len() {
        let mut source = Pieces(&REPLIES[..end], 3);
        let mut replies = Replies::default();
        let error = loop {
            if let Err(error) = replies.read(&mut source, ROOM) {
                break io_error(error);
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn surplus_bytes_are_detected() {
    let mut replies = Replies::default();
    replies.read(&mut &b"+OK\r\n+OK\r\n"[..], ROOM).unwrap();
    assert!(!replies.is_drained());
}

#[test]
fn malformed_reply_is_an_error() {
    let deep = b"*1\r\n".repeat(1000);
    for garbage in [
        &b"\r\n"[..],
        b"\n",
        b"OK\r\n",
        b"+OK\n",
        b":\r\n",
        b":12a\r\n",
        b":99999999999999999999\r\n",
        b"$-2\r\n",
        b"$9223372036854775807\r\n",
        b"*9223372036854775807\r\n",
        b"$2\r\nabc\r\n",
        b"$3\r\nab\r\n\r\n",
        b"%1\r\n+a\r\n+b\r\n",
        b"+\xff\r\n",
        &deep,
        &[b'+'; 100_000],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ] {
        let error = Replies::default().read(&mut &garbage[..], ROOM);
        let error = match error.unwrap_err() {
            Unreadable::Io(error) => error,
            // No string that begins with a length over the bounds is read any further.
            Unreadable::TooLong { len, .. } if len == i64::MAX as usize => continue,
            error => panic!("{error:?}"),
        };
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{garbage:?}");
    }
}

#[test]
fn announced_length_allocates_nothing() {
    let bounds = Bounds {
        string: usize::MAX,
        strings: usize::MAX,
        elements: usize::MAX,
    };
    for claim in [&b"$4294967296\r\nabc"[..], b"*4294967296\r\n:1\r\n"] {
        let error = Replies::default().read(&mut &claim[..], bounds);
        let error = io_error(error.unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn a_reply_over_its_bounds_is_refused_at_its_length() {
    let read = |bytes: &[u8], bounds| Replies::default().read(&mut &bytes[..], bounds);
    let value = Bounds::value(3);
    assert_eq!(read(b"$3\r\nabc\r\n", value).unwrap(), bulk(b"abc"));
    let error = read(b"$4\r\n", value).unwrap_err();
    assert!(matches!(error, Unreadable::TooLong { len: 4, max: 3 }));
    let error = read(b"*2\r\n$3\r\nabc\r\n$4\r\n", Bounds::values(2, 3)).unwrap_err();
    assert!(matches!(error, Unreadable::TooLong { len: 4, max: 3 }));
    let pair = b"*2\r\n$3\r\nabc\r\n$-1\r\n";
    assert!(read(pair, Bounds::values(2, 3)).is_ok());
    for (reply, bounds) in [
        (&b"*1\r\n"[..], value),
        (b"*3\r\n", Bounds::values(2, 3)),
        (b"*2\r\n*1\r\n", Bounds::values(2, 3)),
        (
            b"*2\r\n$3\r\nabc\r\n$3\r\n",
            Bounds {
                string: 3,
                strings: 5,
                elements: 2,
            },
        ),
    ] {
        let error = io_error(read(reply, bounds).unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{reply:?}");
    }
    let error = read(b"$0\r\n\r\n", Bounds::default());
    assert_eq!(error.unwrap(), bulk(b""));
    assert!(read(b"$1\r\na\r\n", Bounds::default()).is_err());
    assert!(read(b"*0\r\n", Bounds::default()).is_ok());
}

#[test]
fn strings_of_every_size_are_parsed() {
    for len in [0, 1, CHUNK - 3, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
        let string: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        let mut reply = format!("*2\r\n${len}\r\n").into_bytes();
        reply.extend_from_slice(&string);
        reply.extend_from_slice(b"\r\n:1\r\n");
        for size in [7, CHUNK, usize::MAX] {
            let mut replies = Replies::default();
            let value = replies.read(&mut Pieces(&reply, size), ROOM).unwrap();
            assert_eq!(value, Value::Array(vec![bulk(&string), Value::Int(1)]));
            assert!(replies.is_drained());
        }
    }
}
