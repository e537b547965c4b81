use super::{redirect::read_host, slot::SLOTS};
use redis::Value;
use std::ops::RangeInclusive;

/// Slots that are side by side and served by the same nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) slots: RangeInclusive<u16>,
    pub(super) master: Place,
    pub(super) replicas: Vec<Place>,
}

/// Host and port. The host is empty where it is the one that was asked.
pub(super) type Place = (String, u16);

/// Reads the reply to CLUSTER SLOTS, which every version of Redis and Valkey has: slots from and to,
/// the master, replicas, and more that came with later versions. Where it is no such reply, says why.
pub(super) fn read(reply: &Value) -> Result<Vec<Shard>, &'static str> {
    let shards: Vec<Shard> = array(reply)?
        .iter()
        .map(shard)
        .collect::<Result<_, &'static str>>()?;
    let mut taken = vec![false; SLOTS.into()];
    for slot in shards.iter().flat_map(|shard| shard.slots.clone()) {
        let taken = &mut taken[usize::from(slot)];
        if std::mem::replace(taken, true) {
            return Err("a map of slots that names one twice");
        }
    }
    Ok(shards)
}

fn shard(value: &Value) -> Result<Shard, &'static str> {
    let [first, last, master, replicas @ ..] = array(value)? else {
        return Err("a map of slots with a part missing");
    };
    let (first, last) = (slot(first)?, slot(last)?);
    if first > last {
        return Err("a map of slots that ends before it begins");
    }
    Ok(Shard {
        slots: first..=last,
        master: place(master)?,
        replicas: replicas.iter().map(place).collect::<Result<_, _>>()?,
    })
}

fn slot(value: &Value) -> Result<u16, &'static str> {
    match value {
        Value::Int(number) => u16::try_from(*number)
            .ok()
            .filter(|number| *number < SLOTS)
            .ok_or("a map of slots that there are not"),
        _ => Err(WRONG),
    }
}

fn place(value: &Value) -> Result<Place, &'static str> {
    let [host, port, ..] = array(value)? else {
        return Err("a map of slots with a part missing");
    };
    let host = match host {
        Value::BulkString(host) => std::str::from_utf8(host).ok().and_then(read_host),
        Value::SimpleString(host) => read_host(host),
        Value::Nil => Some(String::new()),
        _ => return Err(WRONG),
    };
    let port = match port {
        Value::Int(port) => u16::try_from(*port).ok().filter(|port| *port != 0),
        _ => return Err(WRONG),
    };
    host.zip(port)
        .ok_or("a map of slots with an address that is none")
}

fn array(value: &Value) -> Result<&[Value], &'static str> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(WRONG),
    }
}

const WRONG: &str = "a map of slots of the wrong type";

#[cfg(test)]
mod tests;
