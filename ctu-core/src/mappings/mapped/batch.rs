//! Batches of the blocking and the async cache: all steps except the round trip.

use crate::{caches::Found, error::Error, mappings::mapping::Mapping};
use alloc::vec::Vec;
use core::{borrow::Borrow, time::Duration};

pub(super) fn ats<K: ?Sized, V, M: Mapping<K, V>>(
    mapping: &M,
    keys: &[&M::Key],
) -> Result<Vec<M::At>, Error> {
    keys.iter().map(|key| mapping.at(key)).collect()
}

pub(super) fn borrowed<K: ?Sized, A: Borrow<K>>(ats: &[A]) -> Vec<&K> {
    ats.iter().map(Borrow::borrow).collect()
}

pub(super) fn entries<K: ?Sized, A: Borrow<K>, V>(ats: &[A], values: Vec<V>) -> Vec<(&K, V)> {
    ats.iter().map(Borrow::borrow).zip(values).collect()
}

pub(super) fn encode<K: ?Sized, V, M: Mapping<K, V>>(
    mapping: &M,
    entries: Vec<(&M::Key, M::Value)>,
    ttl: Option<Duration>,
) -> Result<(Vec<M::At>, Vec<V>), Error> {
    let mut ats = Vec::with_capacity(entries.len());
    let mut values = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let at = mapping.at(key)?;
        values.push(mapping.encode_for(&at, value, ttl)?);
        ats.push(at);
    }
    Ok((ats, values))
}

pub(super) fn decode<K: ?Sized, V, M: Mapping<K, V>>(
    mapping: &M,
    ats: &[M::At],
    values: Vec<Option<V>>,
) -> Result<Vec<Option<M::Value>>, Error> {
    let found = ats.iter().zip(values);
    found
        .map(|(at, found)| super::decode(mapping, at, found))
        .collect()
}

pub(super) fn decode_with_ttl<K: ?Sized, V, M: Mapping<K, V>>(
    mapping: &M,
    ats: &[M::At],
    values: Vec<Found<V>>,
) -> Result<Vec<Found<M::Value>>, Error> {
    let found = ats.iter().zip(values);
    found
        .map(|(at, found)| super::decode_with_ttl(mapping, at, found))
        .collect()
}
