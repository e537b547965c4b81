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

fn place(host: &str, port: u16) -> Place {
    (host.to_owned(), port)
}

fn bulk(text: &str) -> Value {
    Value::BulkString(text.into())
}

/// A node that has no host name where host names are preferred, and its metadata.
fn nameless(port: i64, metadata: Value) -> Value {
    array_of([bulk("?"), Value::Int(port), bulk("id"), metadata])
}

fn master(node: Value) -> Option<Place> {
    let shards = read(&array_of([slots(0, 1, [node])])).unwrap();
    shards.into_iter().next().unwrap().master
}

#[test]
fn masters_and_replicas_are_parsed() {
    let reply = array_of([
        slots(0, 5460, [node("10.0.0.1", 7000), node("10.0.0.4", 7003)]),
        slots(5461, 5461, [node("", 7001)]),
        slots(
            16383,
            16383,
            [node("a", 7002), node("::1", 1), node("b.example", 65535)],
        ),
    ]);
    let shards = read(&reply).unwrap();
    assert_eq!(shards.len(), 3);
    assert_eq!(shards[0].slots, 0..=5460);
    assert_eq!(shards[0].master, Some(place("10.0.0.1", 7000)));
    assert_eq!(shards[0].replicas, [place("10.0.0.4", 7003)]);
    assert_eq!(shards[1].master, Some(place("", 7001)));
    assert_eq!(shards[2].slots, 16383..=16383);
    assert_eq!(
        shards[2].replicas,
        [place("::1", 1), place("b.example", 65535)]
    );
    assert_eq!(read(&array_of([])), Ok(vec![]));
    // An endpoint that is not known, and versions without ids.
    let unknown = array_of([Value::Nil, Value::Int(7001)]);
    assert_eq!(master(unknown), Some(place("", 7001)));
    let ip = array_of([bulk("shard-id"), bulk("x"), bulk("ip"), bulk("10.0.0.9")]);
    assert_eq!(master(nameless(7, ip)), Some(place("10.0.0.9", 7)));
}

#[test]
fn node_without_an_address_is_unserved() {
    for odd in [
        Value::Okay,
        array_of([]),
        node("", 0),
        node("a", 65536),
        node("a", -1),
        node("a b", 1),
        node("a\r\n", 1),
        node("redis://a", 1),
        array_of([Value::Int(1), Value::Int(1)]),
        array_of([bulk("a"), Value::Nil]),
        array_of([bulk("?"), Value::Int(7)]),
        nameless(7, array_of([])),
        nameless(7, Value::Nil),
        nameless(7, array_of([bulk("ip")])),
        nameless(7, array_of([bulk("ip"), bulk("")])),
        nameless(7, array_of([bulk("ip"), Value::Nil])),
    ] {
        assert_eq!(master(odd.clone()), None, "{odd:?}");
    }
}

#[test]
fn odd_entry_leaves_others_valid() {
    let good = || node("a", 1);
    for odd in [
        Value::Nil,
        Value::Int(3),
        array_of([]),
        slots(0, 1, []),
        slots(0, 16384, [good()]),
        slots(-1, 1, [good()]),
        slots(0, i64::MAX, [good()]),
        slots(2, 1, [good()]),
        array_of([Value::Nil, Value::Nil, good()]),
        slots(0, 1, [Value::Nil]),
        slots(0, 1, [node("", 0)]),
    ] {
        for order in [[0, 1], [1, 0]] {
            let both = [odd.clone(), slots(5, 9, [good(), Value::Nil])];
            let shards = read(&array_of(order.map(|index| both[index].clone()))).unwrap();
            let whole = shards.iter().find(|shard| shard.slots == (5..=9)).unwrap();
            assert_eq!(whole.master, Some(place("a", 1)), "{odd:?}");
            assert_eq!(whole.replicas, []);
        }
    }
}

#[test]
fn reply_without_a_valid_entry_is_rejected() {
    let good = || node("a", 1);
    for (reply, why) in [
        (Value::Okay, "type"),
        (Value::Nil, "type"),
        (array_of([Value::Int(3)]), "type"),
        (array_of([array_of([])]), "missing"),
        (array_of([slots(0, 16384, [good()])]), "there are not"),
        (array_of([slots(2, 1, [good()])]), "ends before"),
        (
            array_of([slots(2, 1, [good()]), slots(2, 3, [Value::Nil])]),
            "ends before",
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
    fn parsed_slots_are_in_range(reply in prop_oneof![any_value(), almost()]) {
        for shard in read(&reply).unwrap_or_default() {
            prop_assert!(shard.slots.clone().all(|slot| slot < SLOTS));
            prop_assert!(!shard.slots.is_empty());
        }
    }
}
