//! Tags of the model server: a generation for each tag, as Redis has them.

use super::{Down, Link, Server, Stored};
use ctu_std::{FoundTagged, TagGenerations, TaggedEntry, Tags, TrackingMessage};
use std::time::Duration;

/// No key has this mark.
pub(crate) fn mark_of_tag(tag: u32) -> u64 {
    (1 << 40) + u64::from(tag)
}

fn number(tag: &str) -> u32 {
    tag.parse().expect("the name of a tag is a number")
}

impl Server {
    /// The entry at `key`, if its tags have the same generations as at its insertion.
    fn entry(&self, key: u32) -> Option<&Stored> {
        let stored = self.values.get(&key)?;
        let is_current = |(tag, own): &(u32, u64)| self.generations.get(tag) == Some(own);
        stored.tags.iter().all(is_current).then_some(stored)
    }

    pub(super) fn get(&self, key: u32) -> Option<u32> {
        Some(self.entry(key)?.value)
    }

    /// The generations of `tags`. A tag without one gets one, which the server reports.
    fn take(&mut self, tags: &[u32]) -> Vec<(u32, u64)> {
        let mut taken = Vec::new();
        for &tag in tags {
            if !self.generations.contains_key(&tag) {
                self.change_generation(tag);
            }
            taken.push((tag, self.generations[&tag]));
        }
        taken
    }

    fn change_generation(&mut self, tag: u32) {
        self.last_generation += 1;
        self.generations.insert(tag, self.last_generation);
        self.report(TrackingMessage::TagChanged(mark_of_tag(tag)));
    }

    /// `value` has these tags, or is computed for an entry with them.
    pub(crate) fn has_tags(&mut self, value: u32, tags: &[u32]) {
        for &tag in tags {
            self.tagged.entry(tag).or_default().push(value);
        }
    }

    /// The values with `tag` are outdated.
    fn outdate(&mut self, tag: u32, now: u64) {
        for value in self.tagged.remove(&tag).unwrap_or_default() {
            self.superseded.entry(value).or_insert(now);
        }
        let keys = self.values.keys().copied();
        let gone: Vec<u32> = keys.filter(|key| self.entry(*key).is_none()).collect();
        for key in gone {
            self.present.remove(&key);
        }
    }

    pub(crate) fn write_tagged(&mut self, key: u32, value: u32, tags: &[u32], now: u64) {
        self.has_tags(value, tags);
        let tags = self.take(tags);
        self.write_under(key, value, tags, now);
    }

    /// Stores an entry, unless a generation has changed.
    fn write_under(&mut self, key: u32, value: u32, tags: Vec<(u32, u64)>, now: u64) -> bool {
        let is_current = |(tag, own): &(u32, u64)| self.generations.get(tag) == Some(own);
        let stores = tags.iter().all(is_current);
        if stores {
            self.write_stored(key, Some(Stored { value, tags }), now);
        }
        stores
    }

    pub(crate) fn invalidate(&mut self, tag: u32, now: u64) {
        if self.generations.contains_key(&tag) {
            self.change_generation(tag);
        }
        self.outdate(tag, now);
    }

    /// The server evicts the generation of a tag.
    pub(crate) fn lose_generation(&mut self, tag: u32, now: u64) {
        if self.generations.remove(&tag).is_some() {
            self.report(TrackingMessage::TagChanged(mark_of_tag(tag)));
        }
        self.outdate(tag, now);
    }
}

impl Link {
    /// The same with a tag of every entry.
    pub(crate) fn with_common_tag(self, tag: u32) -> Self {
        let common = Some(tag);
        Self { common, ..self }
    }

    /// `tags` and that of every entry.
    pub(crate) fn with_common(&self, tags: &[u32]) -> Vec<u32> {
        let mut all = tags.to_vec();
        all.extend(self.common);
        all.sort_unstable();
        all.dedup();
        all
    }

    fn numbers(&self, tags: &[&str]) -> Vec<u32> {
        let tags: Vec<u32> = tags.iter().copied().map(number).collect();
        self.with_common(&tags)
    }

    fn found(server: &Server, key: u32) -> FoundTagged<u32> {
        let stored = server.entry(key)?;
        Some(TaggedEntry {
            value: stored.value,
            ttl: None,
            tags: stored
                .tags
                .iter()
                .map(|(tag, _)| mark_of_tag(*tag))
                .collect(),
        })
    }
}

impl Tags for Link {
    fn insert_with_tags(
        &self,
        key: &u32,
        value: u32,
        _: Option<Duration>,
        tags: &[&str],
    ) -> Result<(), Down> {
        let tags = self.numbers(tags);
        self.ask(|server, now| server.write_tagged(*key, value, &tags, now));
        Ok(())
    }

    fn tag_generations(
        &self,
        _: &u32,
        _: Option<Duration>,
        tags: &[&str],
    ) -> Result<TagGenerations, Down> {
        let tags = self.numbers(tags);
        let taken = self.ask(|server, _| server.take(&tags));
        let bytes = taken.into_iter().flat_map(|(tag, generation)| {
            let (tag, generation) = (u64::from(tag), generation);
            [tag, generation].map(u64::to_be_bytes).concat()
        });
        Ok(TagGenerations::new(bytes.collect()))
    }

    fn insert_under(
        &self,
        key: &u32,
        value: u32,
        _: Option<Duration>,
        generations: &TagGenerations,
    ) -> Result<bool, Down> {
        let numbers = generations.as_bytes().chunks_exact(8);
        let numbers = numbers.map(|bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
        let numbers: Vec<u64> = numbers.collect();
        let pairs = numbers.chunks_exact(2);
        let tags = pairs.map(|pair| (pair[0] as u32, pair[1])).collect();
        Ok(self.ask(|server, now| server.write_under(*key, value, tags, now)))
    }

    fn invalidate_tag(&self, tag: &str) -> Result<(), Down> {
        self.ask(|server, now| server.invalidate(number(tag), now));
        Ok(())
    }

    fn get_tagged(&self, key: &u32) -> Result<FoundTagged<u32>, Down> {
        Ok(self.ask(|server, _| Self::found(server, *key)))
    }

    fn get_many_tagged(&self, keys: &[&u32]) -> Result<Vec<FoundTagged<u32>>, Down> {
        Ok(self.ask(|server, _| {
            let found = keys.iter().map(|key| Self::found(server, **key));
            found.collect()
        }))
    }

    fn tag_mark(&self, tag: &str) -> Option<u64> {
        Some(mark_of_tag(number(tag)))
    }

    fn common_tags(&self) -> Vec<u64> {
        self.common.into_iter().map(mark_of_tag).collect()
    }
}
