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
                let index = || map.index(&node(place));
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
        let mut known = self.nodes.iter();
        let index = known
            .position(|known| known.server() == node.server())
            .unwrap_or_else(|| {
                if self.nodes.len() < MOST {
                    self.nodes.push(node.clone());
                }
                self.nodes.len() - 1
            });
        index as u16
    }

    /// The same with `node`, which serves `slot` from now on where that is some.
    pub(super) fn with(&self, node: &Arc<Node>, slot: Option<Slot>) -> Self {
        let mut map = self.clone();
        let index = map.index(node);
        if let Some(slot) = slot {
            map.masters[usize::from(slot.number())] = index;
        }
        map
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
