//! The steps of random schedules.

use crate::remote::Fault;
use proptest::prelude::*;

pub(crate) const KEYS: u32 = 4;
pub(crate) const TAGS: u32 = 2;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put(usize, u32),
    PutFor(usize, u32, u64),
    PutMany(usize, u32, u32),
    Remove(usize, u32),
    RemoveMany(usize, u32, u32),
    Pop(usize, u32),
    Get(usize, u32),
    GetMany(usize),
    Compute(usize, u32),
    ComputeInVain(usize, u32),
    /// Inserts an entry with a tag.
    PutTagged(usize, u32, u32),
    /// Computes a value with a tag, and invalidates a tag meanwhile.
    ComputeTagged(usize, u32, u32, Option<u32>),
    Invalidate(usize, u32),
    Clear(usize),
    /// The first level forgets a key.
    Evict(usize, u32),
    Fail(usize, Fault),
    FailAll(Fault),
    Advance(u64),
    Recover(usize),
    Deliver(usize),
    Restart,
    /// Writes a key that the second level rejects, which an outage hides.
    PutUnnamed(usize),
    /// The future of the node's next operation is dropped after so many polls.
    Drop(usize, usize),
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let (node, key) = (0..2usize, 0..KEYS);
    let at = (node.clone(), key.clone());
    let fault = prop_oneof![
        3 => Just(Fault::None),
        2 => Just(Fault::Refused),
        2 => Just(Fault::Lost),
        2 => Just(Fault::Unanswered),
        3 => Just(Fault::Late),
        2 => Just(Fault::Full),
    ];
    prop_oneof![
        6 => at.clone().prop_map(|(node, key)| Step::Put(node, key)),
        2 => (at.clone(), 1..8_000u64).prop_map(|((node, key), ttl)| Step::PutFor(node, key, ttl)),
        2 => (at.clone(), key.clone()).prop_map(|((node, a), b)| Step::PutMany(node, a, b)),
        6 => at.clone().prop_map(|(node, key)| Step::Remove(node, key)),
        1 => (at.clone(), key).prop_map(|((node, a), b)| Step::RemoveMany(node, a, b)),
        1 => at.clone().prop_map(|(node, key)| Step::Pop(node, key)),
        8 => at.clone().prop_map(|(node, key)| Step::Get(node, key)),
        2 => node.clone().prop_map(Step::GetMany),
        3 => at.clone().prop_map(|(node, key)| Step::Compute(node, key)),
        1 => at.clone().prop_map(|(node, key)| Step::ComputeInVain(node, key)),
        3 => (at.clone(), 0..TAGS)
            .prop_map(|((node, key), tag)| Step::PutTagged(node, key, tag)),
        2 => (at.clone(), 0..TAGS, prop::option::of(0..TAGS))
            .prop_map(|((node, key), tag, other)| Step::ComputeTagged(node, key, tag, other)),
        3 => (node.clone(), 0..TAGS).prop_map(|(node, tag)| Step::Invalidate(node, tag)),
        1 => node.clone().prop_map(Step::Clear),
        4 => at.prop_map(|(node, key)| Step::Evict(node, key)),
        5 => (node.clone(), fault.clone()).prop_map(|(node, fault)| Step::Fail(node, fault)),
        2 => fault.prop_map(Step::FailAll),
        4 => prop_oneof![0..300u64, 0..3_000u64, 0..12_000u64].prop_map(Step::Advance),
        4 => node.prop_map(Step::Recover),
        3 => (0..8usize).prop_map(Step::Deliver),
        1 => Just(Step::Restart),
        1 => (0..2usize).prop_map(Step::PutUnnamed),
        6 => (0..2usize, 1..8usize).prop_map(|(node, polls)| Step::Drop(node, polls)),
    ]
}
