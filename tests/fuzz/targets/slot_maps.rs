#![no_main]
//! Slot maps and redirects of a Redis Cluster in their proper form, with parts of any content.

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Part<'a> {
    Number(i64),
    Slot(u16),
    Text(&'a str),
    Bytes(&'a [u8]),
    Nothing,
    Node(&'a str, u16),
    List(Vec<Part<'a>>),
}

#[derive(Arbitrary, Debug)]
enum Reply<'a> {
    Map(Vec<Shard<'a>>),
    Redirect {
        moved: bool,
        slot: u16,
        host: &'a str,
        port: u16,
    },
    Any(Part<'a>),
}

#[derive(Arbitrary, Debug)]
struct Shard<'a> {
    slots: (u16, u16),
    nodes: Vec<(&'a str, u16)>,
    more: Vec<Part<'a>>,
}

fn bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(format!("${}\r\n", bytes.len()).bytes());
    out.extend(bytes);
    out.extend(b"\r\n");
}

fn node(out: &mut Vec<u8>, host: &str, port: u16) {
    out.extend(b"*2\r\n");
    bulk(out, host.as_bytes());
    out.extend(format!(":{port}\r\n").bytes());
}

fn part(out: &mut Vec<u8>, value: &Part<'_>) {
    match value {
        Part::Number(number) => out.extend(format!(":{number}\r\n").bytes()),
        Part::Slot(slot) => out.extend(format!(":{}\r\n", slot % 16384).bytes()),
        Part::Text(text) => out.extend(format!("+{}\r\n", text.replace(['\r', '\n'], " ")).bytes()),
        Part::Bytes(bytes) => bulk(out, bytes),
        Part::Nothing => out.extend(b"$-1\r\n"),
        Part::Node(host, port) => node(out, host, *port),
        Part::List(parts) => {
            out.extend(format!("*{}\r\n", parts.len()).bytes());
            parts.iter().for_each(|value| part(out, value));
        }
    }
}

fn reply(out: &mut Vec<u8>, value: &Reply<'_>) {
    match value {
        Reply::Map(shards) => {
            out.extend(format!("*{}\r\n", shards.len()).bytes());
            for Shard { slots, nodes, more } in shards {
                out.extend(format!("*{}\r\n", 2 + nodes.len() + more.len()).bytes());
                let (first, last) = (slots.0 % 16384, slots.1 % 16384);
                out.extend(format!(":{first}\r\n:{last}\r\n").bytes());
                nodes.iter().for_each(|(host, port)| node(out, host, *port));
                more.iter().for_each(|value| part(out, value));
            }
        }
        Reply::Redirect {
            moved,
            slot,
            host,
            port,
        } => {
            let host = host.replace(['\r', '\n'], " ");
            let code = if *moved { "MOVED" } else { "ASK" };
            out.extend(format!("-{code} {slot} {host}:{port}\r\n").bytes());
        }
        Reply::Any(value) => part(out, value),
    }
}

fuzz_target!(|replies: Vec<Reply<'_>>| {
    let mut bytes = Vec::new();
    replies.iter().for_each(|value| reply(&mut bytes, value));
    ctu_std::fuzzing::redis_replies(&bytes);
});
