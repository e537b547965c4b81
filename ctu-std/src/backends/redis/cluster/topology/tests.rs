use super::*;
use proptest::prelude::*;

fn array_of(values: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(values.into_iter().collect())
}

fn node(host: &str, port: i64) -> Value {
    let id = Value::BulkString(b"09dbe9720cda62f7865eabc5fd8857c5d2678366".to_vec());
    let host = Value::BulkString(host.as_bytes().to_vec());
    array_of([host, Value::Int(port), id, array_of([])])
}

fn slots(first: i64, last: i64, nodes: impl IntoIterator<Item = Value>) -> Value {
    array_of(
        [Value::Int(first), Value::Int(last)]
            .into_iter()
            .chain(nodes),
    )
}

#[test]
fn masters_and_replicas_are_read() {
    let reply = array_of([
        slots(0, 5460, [node("10.0.0.1", 7000), node("10.0.0.4", 7003)]),
        slots(5461, 5461, [node("", 7001)]),
        slots(
            16383,
            16383,
            [node("?", 7002), node("::1", 1), node("b.example", 65535)],
        ),
        // Redis 7 with an endpoint that it does not know, and old versions without ids.
        slots(7, 7, [array_of([Value::Nil, Value::Int(7001)])]),
    ]);
    let reply = match reply {
        Value::Array(mut shards) => {
            let last = shards.pop().unwrap();
            let read = read(&array_of([last])).unwrap();
            assert_eq!(read[0].master, (String::new(), 7001));
            array_of(shards)
        }
        _ => unreachable!(),
    };
    let shards = read(&reply).unwrap();
    assert_eq!(shards.len(), 3);
    assert_eq!(shards[0].slots, 0..=5460);
    assert_eq!(shards[0].master, ("10.0.0.1".into(), 7000));
    assert_eq!(shards[0].replicas, [("10.0.0.4".into(), 7003)]);
    assert_eq!(shards[1].master, (String::new(), 7001));
    assert_eq!(shards[2].slots, 16383..=16383);
    assert_eq!(
        shards[2].replicas,
        [("::1".into(), 1), ("b.example".into(), 65535)]
    );
    assert_eq!(read(&array_of([])), Ok(vec![]));
}

#[test]
fn what_is_no_map_is_told() {
    let good = || node("a", 1);
    for (reply, why) in [
        (Value::Okay, "type"),
        (Value::Nil, "type"),
        (Value::Int(3), "type"),
        (array_of([Value::Int(3)]), "type"),
        (array_of([array_of([])]), "missing"),
        (array_of([slots(0, 1, [])]), "missing"),
        (array_of([slots(0, 1, [array_of([])])]), "missing"),
        (array_of([slots(0, 16384, [good()])]), "there are not"),
        (array_of([slots(-1, 1, [good()])]), "there are not"),
        (array_of([slots(0, i64::MAX, [good()])]), "there are not"),
        (array_of([slots(2, 1, [good()])]), "ends before"),
        (array_of([slots(0, 1, [Value::Okay])]), "type"),
        (array_of([slots(0, 1, [node("a", 0)])]), "address"),
        (array_of([slots(0, 1, [node("a", 65536)])]), "address"),
        (array_of([slots(0, 1, [node("a", -1)])]), "address"),
        (array_of([slots(0, 1, [node("a b", 1)])]), "address"),
        (
            array_of([slots(0, 1, [good(), node("a\r\n", 1)])]),
            "address",
        ),
        (
            array_of([slots(0, 1, [array_of([Value::Int(1), Value::Int(1)])])]),
            "type",
        ),
        (
            array_of([slots(0, 5, [good()]), slots(5, 9, [node("b", 1)])]),
            "twice",
        ),
    ] {
        let error = read(&reply).unwrap_err();
        assert!(error.contains(why), "{reply:?}: {error}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        Just(Value::Okay),
        (-2_i64..20_000).prop_map(Value::Int),
        any::<i64>().prop_map(Value::Int),
        any::<Vec<u8>>().prop_map(Value::BulkString),
        "[a-c.:]{0,5}".prop_map(|text| Value::BulkString(text.into_bytes())),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop::collection::vec(inner, 0..6).prop_map(Value::Array)
    })
}

/// Almost a map.
fn almost() -> impl Strategy<Value = Value> {
    let host = prop_oneof![Just("a"), Just(""), Just("?"), Just("\n")];
    let node = prop_oneof![
        8 => (host, -1_i64..70_000).prop_map(|(host, port)| node(host, port)),
        1 => any_value(),
    ];
    let shard = (
        -1_i64..16_390,
        0_i64..3_000,
        prop::collection::vec(node, 0..3),
    );
    let shard = shard.prop_map(|(first, len, nodes)| slots(first, first + len, nodes));
    prop::collection::vec(shard, 0..5).prop_map(Value::Array)
}

proptest! {
    #[test]
    fn whatever_is_read_names_each_slot_once(reply in prop_oneof![any_value(), almost()]) {
        if let Ok(shards) = read(&reply) {
            let mut slots: Vec<u16> = shards.iter().flat_map(|shard| shard.slots.clone()).collect();
            let len = slots.len();
            slots.sort_unstable();
            slots.dedup();
            prop_assert_eq!(slots.len(), len);
            prop_assert!(slots.iter().all(|slot| *slot < SLOTS));
            prop_assert!(shards.iter().all(|shard| shard.master.1 != 0));
        }
    }
}
