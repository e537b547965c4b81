//! The node of each slot.

use super::{
    member::Member,
    place::Place,
    slot::{SLOTS, Slot},
    topology::Shard,
};
use std::{collections::HashMap, sync::Arc};

/// Limit of the number of nodes of a cluster; Redis advises 1000 at most.
const MAX_NODES: usize = 4096;
/// The index of a slot that has no node. Those of [`Unserved`] are all larger than any node's.
const UNASSIGNED: u16 = u16::MAX;
const NO_ADDRESS: u16 = u16::MAX - 1;
const NOT_ALLOWED: u16 = u16::MAX - 2;

/// The reason why a slot has no node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unserved {
    /// The map names no node.
    Unassigned,
    /// The map gives no usable address of its node.
    NoAddress,
    /// Its node is not among the allowed ones.
    NotAllowed,
}

/// Which node serves which slot, as of some moment. It is replaced rather than changed.
pub(super) struct SlotMap<N> {
    /// Every node of the reply, replicas included: a replica may become a master, and knows the others.
    nodes: Vec<Arc<N>>,
    /// For each slot the index of its master.
    masters: Box<[u16]>,
}

impl<N: Member> SlotMap<N> {
    /// The map that `shards` are. `node` finds or makes the node at a place.
    pub(super) fn new(shards: &[Shard], node: impl Fn(&Place) -> Result<Arc<N>, Unserved>) -> Self {
        let mut map = Self {
            nodes: Vec::new(),
            masters: vec![UNASSIGNED; SLOTS.into()].into(),
        };
        // A slot that moves splits its shard: there are many more shards than places.
        let mut indices = HashMap::new();
        for shard in shards {
            let mut index = |place| {
                let index = || match map.nodes.len() {
                    MAX_NODES.. => UNASSIGNED,
                    _ => node(place).map_or_else(Unserved::index, |node| map.index(&node)),
                };
                *indices.entry(place).or_insert_with(index)
            };
            let master = shard.master.as_ref().map_or(NO_ADDRESS, &mut index);
            shard.replicas.iter().map(index).for_each(drop);
            for slot in shard.slots.clone() {
                let current = &mut map.masters[usize::from(slot)];
                if usize::from(*current) >= map.nodes.len() {
                    *current = master;
                }
            }
        }
        map
    }

    /// The index of `node`, which is added where it is not known. `UNASSIGNED` above the limit.
    fn index(&mut self, node: &Arc<N>) -> u16 {
        let known = |known: &Arc<N>| known.server() == node.server();
        let index = self.nodes.iter().position(known);
        let index = index.unwrap_or(self.nodes.len());
        if index >= MAX_NODES {
            return UNASSIGNED;
        }
        if index == self.nodes.len() {
            self.nodes.push(node.clone());
        }
        index as u16
    }

    /// The same with `node`, which serves `slot` from now on where that is some. `None` where nothing of
    /// that is new.
    pub(super) fn with(&self, node: &Arc<N>, slot: Option<Slot>) -> Option<Self> {
        let is = |other: &Arc<N>| other.server() == node.server();
        let known = match slot {
            Some(slot) => self.master(slot).is_ok_and(is),
            None => self.nodes.iter().any(is),
        };
        if known {
            return None;
        }
        let mut map = Self {
            nodes: self.nodes.clone(),
            masters: self.masters.clone(),
        };
        let index = map.index(node);
        if let Some(slot) = slot {
            map.masters[usize::from(slot.number())] = index;
        }
        Some(map)
    }

    /// The node that serves `slot`.
    pub(super) fn master(&self, slot: Slot) -> Result<&Arc<N>, Unserved> {
        let index = self.masters[usize::from(slot.number())];
        let node = self.nodes.get(usize::from(index));
        node.ok_or_else(|| Unserved::at(index))
    }

    /// Every node that serves slots; where not all slots are served, the first that is not.
    pub(super) fn masters(&self) -> Result<Vec<Arc<N>>, (u16, Unserved)> {
        let mut serves = vec![false; self.nodes.len()];
        for (index, slot) in self.masters.iter().zip(0_u16..) {
            let serves = serves.get_mut(usize::from(*index));
            *serves.ok_or_else(|| (slot, Unserved::at(*index)))? = true;
        }
        let nodes = self.nodes.iter().zip(serves);
        Ok(nodes
            .filter(|(_, serves)| *serves)
            .map(|(node, _)| node.clone())
            .collect())
    }

    /// Every node of the reply.
    pub(super) fn nodes(&self) -> &[Arc<N>] {
        &self.nodes
    }
}

impl Unserved {
    fn index(self) -> u16 {
        match self {
            Self::Unassigned => UNASSIGNED,
            Self::NoAddress => NO_ADDRESS,
            Self::NotAllowed => NOT_ALLOWED,
        }
    }

    fn at(index: u16) -> Self {
        match index {
            NO_ADDRESS => Self::NoAddress,
            NOT_ALLOWED => Self::NotAllowed,
            _ => Self::Unassigned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::{
        net::Limits,
        redis::{address::Target, node::Node},
    };
    use std::cell::Cell;

    fn at((host, port): &Place) -> Arc<Node> {
        let target = Target::from_url(&format!("redis://{host}:{port}"));
        Arc::new(Node::of(target.unwrap().settings, Limits::default()))
    }

    fn map(shards: &[Shard]) -> SlotMap<Node> {
        SlotMap::new(shards, |place| Ok(at(place)))
    }

    fn shard(slots: std::ops::RangeInclusive<u16>, ports: &[u16]) -> Shard {
        let mut places = ports.iter().map(|port| ("a".into(), *port));
        Shard {
            slots,
            master: places.next(),
            replicas: places.collect(),
        }
    }

    fn master(map: &SlotMap<Node>, slot: u16) -> Option<&str> {
        let slot = Slot::new(slot).unwrap();
        map.master(slot).ok().map(|node| &**node.server())
    }

    fn names(nodes: &[Arc<Node>]) -> Vec<&str> {
        nodes.iter().map(|node| &**node.server()).collect()
    }

    #[test]
    fn slots_map_to_masters_and_replicas() {
        let shards = [
            shard(0..=9, &[1, 3]),
            shard(10..=16382, &[2, 1]),
            shard(16383..=16383, &[1]),
        ];
        let map = map(&shards);
        assert_eq!(master(&map, 9), Some("a:1"));
        assert_eq!(master(&map, 10), Some("a:2"));
        assert_eq!(master(&map, 16383), Some("a:1"));
        assert_eq!(names(map.nodes()), ["a:1", "a:3", "a:2"]);
        assert_eq!(names(&map.masters().ok().unwrap()), ["a:1", "a:2"]);
    }

    #[test]
    fn unserved_slot_is_found_after_a_refresh() {
        let map = map(&[shard(0..=9, &[1]), shard(11..=16383, &[2])]);
        assert_eq!(master(&map, 10), None);
        assert_eq!(map.masters().err(), Some((10, Unserved::Unassigned)));
        let slot = Slot::new(10);
        let map = map.with(&at(&("b".into(), 5)), slot).unwrap();
        assert_eq!(master(&map, 10), Some("b:5"));
        assert_eq!(master(&map, 9), Some("a:1"));
        assert_eq!(names(&map.masters().ok().unwrap()), ["a:1", "a:2", "b:5"]);
        // A known slot needs no other map.
        assert!(map.with(&at(&("b".into(), 5)), slot).is_none());
        assert!(map.with(&at(&("a".into(), 1)), None).is_none());
        let map = map.with(&at(&("a".into(), 9)), None).unwrap();
        assert_eq!(names(map.nodes()), ["a:1", "a:2", "b:5", "a:9"]);
    }

    #[test]
    fn nodes_above_the_limit_are_ignored() {
        let shards: Vec<Shard> = (0..SLOTS).map(|n| shard(n..=n, &[n + 1])).collect();
        let made = Cell::new(0);
        let map = SlotMap::new(&shards, |place| {
            made.set(made.get() + 1);
            Ok(at(place))
        });
        assert_eq!((map.nodes().len(), made.get()), (MAX_NODES, MAX_NODES));
        assert_eq!(
            map.masters().err(),
            Some((MAX_NODES as u16, Unserved::Unassigned))
        );
        assert_eq!(master(&map, 7), Some("a:8"));
        assert_eq!(master(&map, 5000), None);
    }

    #[test]
    fn entry_without_an_address_leaves_its_slots_unserved() {
        let lost = Shard {
            slots: 10..=19,
            master: None,
            replicas: vec![],
        };
        let map = map(&[shard(0..=9, &[1]), lost, shard(15..=16383, &[2])]);
        assert_eq!(master(&map, 9), Some("a:1"));
        assert_eq!(master(&map, 15), Some("a:2"));
        let slot = Slot::new(10).unwrap();
        assert_eq!(map.master(slot).err(), Some(Unserved::NoAddress));
        assert_eq!(map.masters().err(), Some((10, Unserved::NoAddress)));
    }

    #[test]
    fn first_of_overlapping_entries_wins() {
        let map = map(&[shard(0..=9, &[1]), shard(5..=16383, &[2])]);
        assert_eq!(master(&map, 9), Some("a:1"));
        assert_eq!(master(&map, 10), Some("a:2"));
    }
}
