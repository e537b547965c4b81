use super::{
    super::node::Node,
    slot::{SLOTS, Slot},
    topology::{Place, Shard},
};
use std::{collections::HashMap, sync::Arc};

/// Nodes of a cluster, at most; 1000 are as many as Redis advises.
const MOST: usize = 4096;
/// Stands for no node.
const NOBODY: u16 = u16::MAX;

/// Which node serves which slot, as of some moment. It is replaced rather than changed.
#[derive(Clone)]
pub(super) struct SlotMap {
    /// Every node that was told of, replicas too: they may become masters, and know who else did.
    nodes: Vec<Arc<Node>>,
    /// For each slot the index of its master.
    masters: Box<[u16]>,
}

impl SlotMap {
    /// The map that `shards` are. `node` finds or makes the node at a place.
    pub(super) fn new(shards: &[Shard], node: impl Fn(&Place) -> Arc<Node>) -> Self {
        let mut map = Self {
            nodes: Vec::new(),
            masters: vec![NOBODY; SLOTS.into()].into(),
        };
        // A slot that moves splits its shard: there are many more shards than places.
        let mut indices = HashMap::new();
        for shard in shards {
            let mut index = |place| {
                let index = || match map.nodes.len() {
                    MOST.. => NOBODY,
                    _ => map.index(&node(place)),
                };
                *indices.entry(place).or_insert_with(index)
            };
            let master = index(&shard.master);
            shard.replicas.iter().map(index).for_each(drop);
            for slot in shard.slots.clone() {
                map.masters[usize::from(slot)] = master;
            }
        }
        map
    }

    /// The index of `node`, which is added where it is not known. `NOBODY` where there are too many.
    fn index(&mut self, node: &Arc<Node>) -> u16 {
        let known = |known: &Arc<Node>| known.server() == node.server();
        let index = self.nodes.iter().position(known);
        let index = index.unwrap_or(self.nodes.len());
        if index >= MOST {
            return NOBODY;
        }
        if index == self.nodes.len() {
            self.nodes.push(node.clone());
        }
        index as u16
    }

    /// The same with `node`, which serves `slot` from now on where that is some. `None` where nothing of
    /// that is new.
    pub(super) fn with(&self, node: &Arc<Node>, slot: Option<Slot>) -> Option<Self> {
        let is = |other: &Arc<Node>| other.server() == node.server();
        let known = match slot {
            Some(slot) => self.master(slot).is_some_and(is),
            None => self.nodes.iter().any(is),
        };
        if known {
            return None;
        }
        let mut map = self.clone();
        let index = map.index(node);
        if let Some(slot) = slot {
            map.masters[usize::from(slot.number())] = index;
        }
        Some(map)
    }

    /// The node that serves `slot`, if any does.
    pub(super) fn master(&self, slot: Slot) -> Option<&Arc<Node>> {
        let index = self.masters[usize::from(slot.number())];
        self.nodes.get(usize::from(index))
    }

    /// Every node that serves slots; where not all slots are served, the first that is not.
    pub(super) fn masters(&self) -> Result<Vec<Arc<Node>>, u16> {
        let mut serves = vec![false; self.nodes.len()];
        for (index, slot) in self.masters.iter().zip(0_u16..) {
            *serves.get_mut(usize::from(*index)).ok_or(slot)? = true;
        }
        let nodes = self.nodes.iter().zip(serves);
        Ok(nodes
            .filter(|(_, serves)| *serves)
            .map(|(node, _)| node.clone())
            .collect())
    }

    /// Every node that was told of.
    pub(super) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::redis::{cluster::nodes::node, settings::Settings};
    use std::cell::Cell;

    fn at((host, port): &Place) -> Arc<Node> {
        let settings = Settings::from_url(&format!("redis://{host}:{port}"));
        Arc::new(node(settings.unwrap(), 1))
    }

    fn shard(slots: std::ops::RangeInclusive<u16>, ports: &[u16]) -> Shard {
        let mut places = ports.iter().map(|port| ("a".into(), *port));
        Shard {
            slots,
            master: places.next().unwrap(),
            replicas: places.collect(),
        }
    }

    fn master(map: &SlotMap, slot: u16) -> Option<&str> {
        let slot = Slot::new(slot).unwrap();
        map.master(slot).map(|node| &**node.server())
    }

    fn names(nodes: &[Arc<Node>]) -> Vec<&str> {
        nodes.iter().map(|node| &**node.server()).collect()
    }

    #[test]
    fn slots_lead_to_masters_and_replicas_are_known() {
        let shards = [
            shard(0..=9, &[1, 3]),
            shard(10..=16382, &[2, 1]),
            shard(16383..=16383, &[1]),
        ];
        let map = SlotMap::new(&shards, at);
        assert_eq!(master(&map, 9), Some("a:1"));
        assert_eq!(master(&map, 10), Some("a:2"));
        assert_eq!(master(&map, 16383), Some("a:1"));
        assert_eq!(names(map.nodes()), ["a:1", "a:3", "a:2"]);
        assert_eq!(names(&map.masters().ok().unwrap()), ["a:1", "a:2"]);
    }

    #[test]
    fn a_slot_may_be_served_by_nobody_and_found_later() {
        let map = SlotMap::new(&[shard(0..=9, &[1]), shard(11..=16383, &[2])], at);
        assert_eq!(master(&map, 10), None);
        assert_eq!(map.masters().err(), Some(10));
        let slot = Slot::new(10);
        let map = map.with(&at(&("b".into(), 5)), slot).unwrap();
        assert_eq!(master(&map, 10), Some("b:5"));
        assert_eq!(master(&map, 9), Some("a:1"));
        assert_eq!(names(&map.masters().ok().unwrap()), ["a:1", "a:2", "b:5"]);
        // What is known needs no other map.
        assert!(map.with(&at(&("b".into(), 5)), slot).is_none());
        assert!(map.with(&at(&("a".into(), 1)), None).is_none());
        let map = map.with(&at(&("a".into(), 9)), None).unwrap();
        assert_eq!(names(map.nodes()), ["a:1", "a:2", "b:5", "a:9"]);
    }

    #[test]
    fn nodes_beyond_number_serve_nothing() {
        let shards: Vec<Shard> = (0..SLOTS).map(|n| shard(n..=n, &[n + 1])).collect();
        let made = Cell::new(0);
        let map = SlotMap::new(&shards, |place| {
            made.set(made.get() + 1);
            at(place)
        });
        assert_eq!((map.nodes().len(), made.get()), (MOST, MOST));
        assert_eq!(map.masters().err(), Some(MOST as u16));
        assert_eq!(master(&map, 7), Some("a:8"));
        assert_eq!(master(&map, 5000), None);
    }
}
