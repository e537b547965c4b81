use super::*;
use crate::backends::net::CHUNK;

/// More than any of the replies here has.
const ROOM: Bounds = Bounds {
    string: 1 << 20,
    strings: 1 << 20,
    elements: 1000,
};

/// Gives its bytes in pieces of a few.
struct Pieces<'b>(&'b [u8], usize);

impl Replies {
    fn of_a_test() -> Self {
        Self::new(&"server".into())
    }

    /// The next reply; `None` where the bytes end before it does.
    fn read(
        &mut self,
        source: &mut Pieces<'_>,
        bounds: Bounds,
    ) -> Result<Option<Value>, RedisError> {
        let expected = Expected { replies: 1, bounds };
        loop {
            if let Some(mut replies) = self.next(&expected)? {
                assert_eq!(replies.len(), 1);
                return Ok(replies.pop());
            }
            let room = self.room();
            let len = source.1.min(source.0.len()).min(room.len());
            if len == 0 {
                return Ok(None);
            }
            room[..len].copy_from_slice(&source.0[..len]);
            source.0 = &source.0[len..];
            self.filled(len);
        }
    }
}

/// The first reply in `bytes`.
fn read(bytes: &[u8], bounds: Bounds) -> Result<Option<Value>, RedisError> {
    Replies::of_a_test().read(&mut Pieces(bytes, usize::MAX), bounds)
}

fn is_malformed(error: &RedisError) -> bool {
    matches!(error, RedisError::Net(NetError::Protocol { .. }))
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
        let mut replies = Replies::of_a_test();
        for value in expected() {
            assert_eq!(replies.read(&mut source, ROOM), Ok(Some(value)));
        }
        let error = replies.read(&mut source, ROOM).unwrap();
        let error = error.unwrap().extract_error();
        assert_eq!(error.unwrap_err().code(), Some("ERR"));
        assert!(replies.is_drained() && source.0.is_empty());
    }
}

#[test]
fn every_truncated_reply_is_awaited() {
    for end in 0..REPLIES.len() {
        let mut source = Pieces(&REPLIES[..end], 3);
        let mut replies = Replies::of_a_test();
        while replies.read(&mut source, ROOM).unwrap().is_some() {}
        assert!(source.0.is_empty());
    }
}

#[test]
fn replies_to_several_commands_come_at_once() {
    let mut replies = Replies::of_a_test();
    let expected = Expected {
        replies: 7,
        bounds: ROOM,
    };
    for byte in &REPLIES[..REPLIES.len() - "-ERR no\r\n".len()] {
        assert_eq!(replies.next(&expected), Ok(None));
        assert!(!replies.is_drained());
        replies.room()[0] = *byte;
        replies.filled(1);
    }
    assert_eq!(replies.next(&expected), Ok(Some(self::expected())));
    assert!(replies.is_drained());
}

#[test]
fn surplus_bytes_are_detected() {
    let mut replies = Replies::of_a_test();
    let mut source = Pieces(b"+OK\r\n+OK\r\n", usize::MAX);
    replies.read(&mut source, ROOM).unwrap();
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
        let error = read(garbage, ROOM).unwrap_err();
        // No string that begins with a length over the bounds is read any further.
        let huge = Error::StoredTooLong {
            len: i64::MAX as usize,
            max: ROOM.string,
        };
        let is_huge = error == RedisError::Core(huge);
        assert!(is_malformed(&error) || is_huge, "{garbage:?}: {error:?}");
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
        assert_eq!(read(claim, bounds), Ok(None));
    }
}

#[test]
fn a_reply_over_its_bounds_is_refused_at_its_length() {
    let too_long = |len, max| Err(Error::StoredTooLong { len, max }.into());
    let value = Bounds::value(3);
    assert_eq!(read(b"$3\r\nabc\r\n", value), Ok(Some(bulk(b"abc"))));
    assert_eq!(read(b"$4\r\n", value), too_long(4, 3));
    let second = b"*2\r\n$3\r\nabc\r\n$4\r\n";
    assert_eq!(read(second, Bounds::values(2, 3)), too_long(4, 3));
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
        let error = read(reply, bounds).unwrap_err();
        assert!(is_malformed(&error), "{reply:?}: {error:?}");
    }
    let empty = read(b"$0\r\n\r\n", Bounds::default());
    assert_eq!(empty, Ok(Some(bulk(b""))));
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
            let mut replies = Replies::of_a_test();
            let value = replies.read(&mut Pieces(&reply, size), ROOM);
            let expected = Value::Array(vec![bulk(&string), Value::Int(1)]);
            assert_eq!(value, Ok(Some(expected)));
            assert!(replies.is_drained());
        }
    }
}

/// The messages in `bytes`, which arrive in pieces of `size`.
fn messages(mut bytes: &[u8], size: usize) -> Result<Vec<Value>, RedisError> {
    let mut replies = Replies::resp3(&"server".into());
    let mut messages = Vec::new();
    loop {
        while let Some(message) = replies.message(ROOM)? {
            messages.push(message);
        }
        let len = size.min(bytes.len());
        if len == 0 {
            return Ok(messages);
        }
        replies.room()[..len].copy_from_slice(&bytes[..len]);
        replies.filled(len);
        bytes = &bytes[len..];
    }
}

#[test]
fn pushes_arrive_between_replies_of_resp3() {
    let bytes = b"%2\r\n$5\r\nproto\r\n:3\r\n$7\r\nmodules\r\n*0\r\n\
        >2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n+PONG\r\n\
        >2\r\n$10\r\ninvalidate\r\n_\r\n\
        >3\r\n$9\r\nsubscribe\r\n$3\r\nctu\r\n:1\r\n";
    let push = |kind, data| Value::Push { kind, data };
    let hello = vec![
        (bulk(b"proto"), Value::Int(3)),
        (bulk(b"modules"), Value::Array(vec![])),
    ];
    let expected = vec![
        Value::Map(hello),
        push(
            PushKind::Invalidate,
            vec![Value::Array(vec![bulk(b"a"), bulk(b"b")])],
        ),
        Value::SimpleString("PONG".into()),
        push(PushKind::Invalidate, vec![Value::Nil]),
        push(PushKind::Subscribe, vec![bulk(b"ctu"), Value::Int(1)]),
    ];
    for size in 1..bytes.len() {
        assert_eq!(messages(bytes, size), Ok(expected.clone()), "{size}");
    }
}

#[test]
fn pushes_are_malformed_inside_replies_and_in_resp2() {
    let push = b">1\r\n$1\r\na\r\n";
    assert!(is_malformed(&read(push, ROOM).unwrap_err()));
    assert!(is_malformed(
        &read(b"%1\r\n:1\r\n:2\r\n", ROOM).unwrap_err()
    ));
    assert!(is_malformed(&read(b"_\r\n", ROOM).unwrap_err()));
    for bytes in [
        &b"*1\r\n>1\r\n$1\r\na\r\n"[..],
        b">-1\r\n",
        b"%9223372036854775807\r\n",
        b">1001\r\n",
    ] {
        assert!(is_malformed(&messages(bytes, 9).unwrap_err()));
    }
}
