//! The reply to `CLUSTER SLOTS`.

use super::{
    place::{Place, read_host},
    slot::SLOTS,
};
use redis::Value;
use std::ops::RangeInclusive;

/// Slots that are side by side and served by the same nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Shard {
    pub(super) slots: RangeInclusive<u16>,
    /// `None` where the map gives no usable address.
    pub(super) master: Option<Place>,
    pub(super) replicas: Vec<Place>,
}

/// Reads the reply to CLUSTER SLOTS, which every version of Redis and Valkey has: first and last slot,
/// the master, replicas, and more that came with later versions.
///
/// An entry that cannot be read leaves its own slots unserved and takes no other entry with it. Of two
/// entries that name the same slot the first counts: a node that does not serve it redirects.
///
/// # Errors
/// The first fault, where no entry can be read at all.
pub(super) fn read(reply: &Value) -> Result<Vec<Shard>, &'static str> {
    let mut fault = None;
    let shards: Vec<Shard> = array(reply)?
        .iter()
        .filter_map(|entry| shard(entry).map_err(|what| fault.get_or_insert(what)).ok())
        .collect();
    match fault {
        Some(fault) if shards.iter().all(|shard| shard.master.is_none()) => Err(fault),
        _ => Ok(shards),
    }
}

fn shard(entry: &Value) -> Result<Shard, &'static str> {
    let [first, last, master, replicas @ ..] = array(entry)? else {
        return Err("a map of slots with a part missing");
    };
    let (first, last) = (slot(first)?, slot(last)?);
    if first > last {
        return Err("a map of slots that ends before it begins");
    }
    Ok(Shard {
        slots: first..=last,
        master: place(master),
        replicas: replicas.iter().filter_map(place).collect(),
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

/// The address of a node; `None` where the entry has none.
fn place(node: &Value) -> Option<Place> {
    let [host, Value::Int(port), more @ ..] = array(node).ok()? else {
        return None;
    };
    let host = match host {
        Value::Nil => String::new(),
        // The preferred endpoint is a host name that this node does not have. Its IP address is in
        // the metadata then.
        host if text(host)? == "?" => read_host(metadata(more.get(1)?, "ip")?)?,
        host => read_host(text(host)?)?,
    };
    let place = (host, u16::try_from(*port).ok()?);
    // A node that left the cluster and still owns slots.
    (place != (String::new(), 0)).then_some(place)
}

/// The value of `name` in the metadata of a node, a list of names and values.
fn metadata<'v>(list: &'v Value, name: &str) -> Option<&'v str> {
    let (pairs, _) = array(list).ok()?.as_chunks();
    let [_, value] = pairs.iter().find(|[key, _]| text(key) == Some(name))?;
    text(value).filter(|value| !value.is_empty())
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(text) => std::str::from_utf8(text).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
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
