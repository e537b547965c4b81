//! The steps of random schedules.

use proptest::prelude::*;

pub(crate) const KEYS: u32 = 6;
pub(crate) const TAGS: u32 = 3;

/// A set of tags.
pub(crate) type Mask = u8;

pub(crate) fn tags_of(mask: Mask) -> Vec<u32> {
    (0..TAGS).filter(|tag| mask & (1 << tag) != 0).collect()
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put(usize, u32, Vec<Step>),
    PutMany(usize, u32, u32, Vec<Step>),
    Remove(usize, u32, Vec<Step>),
    Clear(usize),
    /// Inserts an entry with tags.
    PutTagged(usize, u32, Mask, Vec<Step>),
    /// Computes a value with tags, and does the last steps during the computation.
    ComputeTagged(usize, u32, Mask, Vec<Step>, Vec<Step>),
    Invalidate(usize, u32, Vec<Step>),
    Get(usize, u32, Vec<Step>),
    GetMany(usize, Vec<Step>),
    Compute(usize, u32, Vec<Step>),
    /// The first level forgets a key.
    EvictFirst(usize, u32),
    /// Another program writes to the server.
    Foreign(u32),
    /// The same, and the entry expires, is evicted or removed there.
    ForeignRemove(u32),
    Flush,
    /// Another program writes an entry with tags.
    ForeignTagged(u32, Mask),
    ForeignInvalidate(u32),
    /// The server evicts the generation of a tag.
    EvictGeneration(u32),
    Restart,
    /// One step of the tracking of a node.
    Track(usize),
    /// The server answers a ping of a node.
    Execute(usize),
    EndCycle,
    Deliver(usize, usize),
    Cut(usize),
    Silence(usize),
    Refuse(bool),
    /// Messages pass for a while.
    Settle(usize, Vec<Round>),
    /// The last moment of a lease: the first level is read.
    Edge(usize),
    Advance(u64),
}

/// A round of the tracking of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Round {
    /// Another program writes this key before the ping of the round.
    pub(crate) foreign: Option<u32>,
    /// The time before the ping, in milliseconds.
    pub(crate) advance: u64,
    /// Whether the cycle of the server goes on after the round.
    pub(crate) goes_on: bool,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let foreign = prop_oneof![5 => Just(None), 1 => (0..KEYS).prop_map(Some)];
    let round = (
        foreign,
        prop_oneof![2 => Just(0), 1 => 0..150u64],
        any::<bool>(),
    );
    let round = round.prop_map(|(foreign, advance, goes_on)| Round {
        foreign,
        advance,
        goes_on,
    });
    prop::collection::vec(round, 1..10)
}

/// A step that others do while a request is under way.
fn foreign_step() -> impl Strategy<Value = Step> {
    let (node, key) = (0..2usize, 0..KEYS);
    prop_oneof![
        6 => key.clone().prop_map(Step::Foreign),
        2 => key.clone().prop_map(Step::ForeignRemove),
        1 => Just(Step::Flush),
        4 => node.clone().prop_map(Step::Track),
        3 => node.clone().prop_map(Step::Execute),
        2 => Just(Step::EndCycle),
        4 => (node.clone(), 1..4usize).prop_map(|(node, count)| Step::Deliver(node, count)),
        3 => (node.clone(), rounds()).prop_map(|(node, rounds)| Step::Settle(node, rounds)),
        2 => node.clone().prop_map(Step::Edge),
        1 => node.clone().prop_map(Step::Cut),
        2 => (0..400u64).prop_map(Step::Advance),
        2 => (node.clone(), key.clone()).prop_map(|(node, key)| Step::Get(node, key, Vec::new())),
        2 => (key.clone(), mask()).prop_map(|(key, mask)| Step::ForeignTagged(key, mask)),
        3 => (0..TAGS).prop_map(Step::ForeignInvalidate),
        1 => (0..TAGS).prop_map(Step::EvictGeneration),
        1 => (node.clone(), 0..TAGS).prop_map(|(node, tag)| Step::Invalidate(node, tag, Vec::new())),
        1 => (node, key, mask()).prop_map(|(node, key, mask)| {
            Step::ComputeTagged(node, key, mask, Vec::new(), Vec::new())
        }),
    ]
}

fn mask() -> impl Strategy<Value = Mask> {
    0..1_u8 << TAGS
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let (node, key) = (0..2usize, 0..KEYS);
    let at = (node.clone(), key.clone());
    let during = || prop::collection::vec(foreign_step(), 0..5);
    prop_oneof![
        5 => (at.clone(), during()).prop_map(|((node, key), during)| Step::Put(node, key, during)),
        1 => (at.clone(), key.clone(), during())
            .prop_map(|((node, a), b, during)| Step::PutMany(node, a, b, during)),
        2 => (at.clone(), during())
            .prop_map(|((node, key), during)| Step::Remove(node, key, during)),
        12 => (at.clone(), during()).prop_map(|((node, key), during)| Step::Get(node, key, during)),
        2 => (node.clone(), during()).prop_map(|(node, during)| Step::GetMany(node, during)),
        2 => (at.clone(), during())
            .prop_map(|((node, key), during)| Step::Compute(node, key, during)),
        1 => node.clone().prop_map(Step::Clear),
        4 => (at.clone(), mask(), during()).prop_map(|((node, key), mask, during)| {
            Step::PutTagged(node, key, mask, during)
        }),
        3 => (at.clone(), mask(), during(), during()).prop_map(
            |((node, key), mask, during, computing)| {
                Step::ComputeTagged(node, key, mask, during, computing)
            }
        ),
        3 => (node.clone(), 0..TAGS, during())
            .prop_map(|(node, tag, during)| Step::Invalidate(node, tag, during)),
        2 => at.prop_map(|(node, key)| Step::EvictFirst(node, key)),
        20 => foreign_step(),
        1 => Just(Step::Restart),
        2 => node.prop_map(Step::Silence),
        1 => any::<bool>().prop_map(Step::Refuse),
        4 => (0..1_500u64).prop_map(Step::Advance),
    ]
}
