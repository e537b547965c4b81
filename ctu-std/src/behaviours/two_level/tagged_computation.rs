//! Computations of values with tags.
//!
//! The generations of the tags are taken before the computation, and the value is stored under them. An
//! invalidation of a tag in between therefore keeps the value out of both levels, and callers that come
//! after it do not wait for the computation.

use super::{
    TwoLevelError,
    levels::{Failed, FirstLevel, Levels},
    second::SecondResult,
    tags::TagRequests,
};
use crate::{
    behaviours::machines::OwnedKey,
    caches::{AnyCache, IsAsync, IsCache, TagGenerations},
    sync::Mutex,
};
use ctu_core::{AsyncCache, Cache};
use std::{collections::HashMap, hash::Hash};

/// The computations under way, by number.
pub(super) struct Computations<K: ToOwned + ?Sized>(Mutex<State<K>>);

struct State<K: ToOwned + ?Sized> {
    last: u64,
    running: HashMap<u64, Running<K>>,
}

struct Running<K: ToOwned + ?Sized> {
    key: OwnedKey<K>,
    marks: Vec<u64>,
}

impl<K: Hash + Eq + ToOwned + ?Sized> Computations<K> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            last: 0,
            running: HashMap::new(),
        }))
    }

    /// Returns the number of the computation.
    fn begin(&self, key: &K, marks: Vec<u64>) -> u64 {
        let mut state = self.0.lock();
        state.last = state.last.wrapping_add(1);
        let (number, key) = (state.last, OwnedKey::new(key));
        state.running.insert(number, Running { key, marks });
        number
    }

    fn end(&self, number: u64) {
        self.0.lock().running.remove(&number);
    }

    /// The keys whose values have the tag.
    pub(super) fn with_tag(&self, mark: u64) -> Vec<OwnedKey<K>> {
        let state = self.0.lock();
        let running = state.running.values();
        let with_tag = running.filter(|running| running.marks.contains(&mark));
        with_tag.map(|running| running.key.clone()).collect()
    }
}

/// The tags of a value that is computed.
pub(super) struct TaggedComputation<'l, A: FirstLevel, B: AnyCache<Kind>, Kind> {
    levels: &'l Levels<A, B, Kind>,
    number: u64,
    /// The marks of the tags.
    pub(super) marks: Vec<u64>,
    /// The number of invalidations at the start.
    pub(super) invalidations: u64,
    /// `None` if the second level did not answer: it is not to have the value.
    generations: Option<TagGenerations>,
}

/// `None` without any tag.
pub(super) type MayBeTagged<'l, A, B, Kind> = Option<TaggedComputation<'l, A, B, Kind>>;

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Drop for TaggedComputation<'_, A, B, Kind> {
    fn drop(&mut self) {
        if let Some(tags) = &self.levels.tags {
            tags.computations.end(self.number);
        }
    }
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> TaggedComputation<'_, A, B, Kind> {
    /// Takes in the generations of the tags.
    fn taken<E>(
        mut self,
        result: SecondResult<TagGenerations, E>,
    ) -> Result<Self, TwoLevelError<A::Error, E>> {
        match result {
            SecondResult::Done(generations) => self.generations = Some(generations),
            SecondResult::Failed(error) => return Err(self.levels.second_failed(error)),
            SecondResult::Missed(_) | SecondResult::Skipped => {}
        }
        Ok(self)
    }
}

/// The request that stores a computed value.
enum Store<'c> {
    /// The value has no tags.
    Plain,
    Under(&'c TagGenerations),
    /// The generations of its tags are not known.
    Skip,
}

impl<A: FirstLevel, B: AnyCache<Kind>, Kind> Levels<A, B, Kind> {
    fn tag_requests(&self) -> Option<&TagRequests<A, B, B::Error>> {
        self.tags.as_ref().map(|tags| &tags.requests)
    }

    /// The start of a computation of a value with the tags `names` and those of each entry. `None` without
    /// any tag.
    fn begin_tagged(
        &self,
        key: &A::Key,
        names: &[&str],
    ) -> Option<TaggedComputation<'_, A, B, Kind>> {
        let tags = self.tags.as_ref()?;
        if names.is_empty() && tags.common.is_empty() {
            return None;
        }
        let own = names
            .iter()
            .filter_map(|name| (tags.mark)(&self.second, name));
        let marks: Vec<u64> = tags.common.iter().copied().chain(own).collect();
        let number = tags.computations.begin(key, marks.clone());
        Some(TaggedComputation {
            levels: self,
            number,
            marks,
            invalidations: self.invalidations(),
            generations: None,
        })
    }
}

fn store<'c, A: FirstLevel, B: AnyCache<Kind>, Kind>(
    tagged: Option<&'c TaggedComputation<'_, A, B, Kind>>,
) -> Store<'c> {
    match tagged.map(|tagged| &tagged.generations) {
        None => Store::Plain,
        Some(Some(generations)) => Store::Under(generations),
        Some(None) => Store::Skip,
    }
}

impl<A, B> Levels<A, B, IsCache>
where
    A: FirstLevel,
    B: Cache<Key = A::Key, Value = A::Value>,
{
    /// Takes the generations of the tags of a value that is about to be computed. `None` without any tag.
    pub(super) fn take_generations(
        &self,
        key: &A::Key,
        names: &[&str],
    ) -> Result<MayBeTagged<'_, A, B, IsCache>, Failed<A, B>> {
        let Some(tagged) = self.begin_tagged(key, names) else {
            return Ok(None);
        };
        let result = match (self.tag_requests(), self.admit()) {
            (Some(TagRequests::Blocking { take, .. }), Some(call)) => {
                call.end(take(&self.second, key, None, names))
            }
            _ => SecondResult::Skipped,
        };
        tagged.taken(result).map(Some)
    }

    /// Stores a computed value at the second level. Whether it is there: not after an invalidation of one of
    /// its tags.
    pub(super) fn store_computed(
        &self,
        key: &A::Key,
        value: A::Value,
        tagged: Option<&TaggedComputation<'_, A, B, IsCache>>,
    ) -> SecondResult<bool, B::Error> {
        let time = self.second_time(None);
        let generations = match store(tagged) {
            Store::Plain => None,
            Store::Under(generations) => Some(generations),
            Store::Skip => return SecondResult::Skipped,
        };
        let Some(call) = self.admit() else {
            return SecondResult::Skipped;
        };
        let second = &self.second;
        call.end(match (self.tag_requests(), generations) {
            (Some(TagRequests::Blocking { insert_under, .. }), Some(generations)) => {
                insert_under(second, key, value, time, generations)
            }
            _ => second.insert_entry(key, value, time).map(|()| true),
        })
    }
}

impl<A, B> Levels<A, B, IsAsync>
where
    A: FirstLevel,
    B: AsyncCache<Key = A::Key, Value = A::Value>,
{
    /// Takes the generations of the tags of a value that is about to be computed. `None` without any tag.
    pub(super) async fn take_generations(
        &self,
        key: &A::Key,
        names: &[&str],
    ) -> Result<MayBeTagged<'_, A, B, IsAsync>, Failed<A, B, IsAsync>> {
        let Some(tagged) = self.begin_tagged(key, names) else {
            return Ok(None);
        };
        let result = match (self.tag_requests(), self.admit()) {
            (Some(TagRequests::Async { take, .. }), Some(call)) => {
                call.end(take(&self.second, key, None, names).await)
            }
            _ => SecondResult::Skipped,
        };
        tagged.taken(result).map(Some)
    }

    /// Stores a computed value at the second level. Whether it is there: not after an invalidation of one of
    /// its tags.
    pub(super) async fn store_computed(
        &self,
        key: &A::Key,
        value: A::Value,
        tagged: Option<&TaggedComputation<'_, A, B, IsAsync>>,
    ) -> SecondResult<bool, <B as AsyncCache>::Error> {
        let time = self.second_time(None);
        let generations = match store(tagged) {
            Store::Plain => None,
            Store::Under(generations) => Some(generations),
            Store::Skip => return SecondResult::Skipped,
        };
        let Some(call) = self.admit() else {
            return SecondResult::Skipped;
        };
        let second = &self.second;
        call.end(match (self.tag_requests(), generations) {
            (Some(TagRequests::Async { insert_under, .. }), Some(generations)) => {
                insert_under(second, key, value, time, generations).await
            }
            _ => second.insert_entry(key, value, time).await.map(|()| true),
        })
    }
}
