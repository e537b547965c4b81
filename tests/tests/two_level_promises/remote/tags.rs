//! Tags of the second level: an entry has one tag, or none.

use super::{Failed, Link, Request, Server, Stored, found, time};
use ctu_std::{FoundTagged, TagGenerations, TaggedEntry, Tags};
use std::time::Duration;

fn number(tag: &str) -> u32 {
    tag.parse().expect("the name of a tag is a number")
}

impl Server {
    pub(super) fn store(&mut self, key: u32, value: u32, end: u64, tag: Option<(u32, usize)>) {
        self.values.insert(key, Stored { value, end, tag });
    }

    /// Whether a tag has this generation.
    pub(super) fn is_present(&self, (tag, generation): (u32, usize)) -> bool {
        self.generations.get(&tag) == Some(&generation)
    }

    /// The entry at `key`, unless it has expired or its tag was invalidated.
    pub(super) fn entry(&self, key: u32, now: u64) -> Option<&Stored> {
        let stored = self.values.get(&key)?;
        let is_present = stored.tag.is_none_or(|tag| self.is_present(tag));
        (is_present && stored.end > now).then_some(stored)
    }

    /// The generation of a tag, which gets one if it has none.
    pub(super) fn take(&mut self, tag: u32) -> usize {
        if !self.generations.contains_key(&tag) {
            self.change(tag);
        }
        self.generations[&tag]
    }

    fn change(&mut self, tag: u32) {
        self.last_generation += 1;
        self.generations.insert(tag, self.last_generation);
    }

    pub(super) fn invalidate(&mut self, tag: u32) {
        if self.generations.contains_key(&tag) {
            self.change(tag);
        }
    }
}

impl Link {
    fn found_tagged(server: &Server, key: u32, now: u64) -> Result<FoundTagged<u32>, Failed> {
        let found = found(server, key, now)?;
        let tag = server.entry(key, now).and_then(|stored| stored.tag);
        Ok(found.map(|(value, ttl)| TaggedEntry {
            value,
            ttl,
            tags: tag.into_iter().map(|(tag, _)| u64::from(tag)).collect(),
        }))
    }
}

impl Tags for Link {
    fn insert_with_tags(
        &self,
        key: &u32,
        value: u32,
        ttl: Option<Duration>,
        tags: &[&str],
    ) -> Result<(), Failed> {
        let put = Request::PutTagged(*key, value, number(tags[0]), time(ttl));
        self.write(&put).map(drop)
    }

    fn tag_generations(
        &self,
        _: &u32,
        _: Option<Duration>,
        tags: &[&str],
    ) -> Result<TagGenerations, Failed> {
        let tag = number(tags[0]);
        let generation = self.write(&Request::Take(tag))?;
        let mut bytes = tag.to_be_bytes().to_vec();
        bytes.extend((generation as u64).to_be_bytes());
        Ok(TagGenerations::new(bytes))
    }

    fn insert_under(
        &self,
        key: &u32,
        value: u32,
        ttl: Option<Duration>,
        generations: &TagGenerations,
    ) -> Result<bool, Failed> {
        let (tag, generation) = generations.as_bytes().split_at(4);
        let tag = u32::from_be_bytes(tag.try_into().unwrap());
        let generation = u64::from_be_bytes(generation.try_into().unwrap()) as usize;
        let put = Request::PutUnder(*key, value, (tag, generation), time(ttl));
        Ok(self.write(&put)? == 1)
    }

    fn invalidate_tag(&self, tag: &str) -> Result<(), Failed> {
        self.write(&Request::Invalidate(number(tag))).map(drop)
    }

    fn get_tagged(&self, key: &u32) -> Result<FoundTagged<u32>, Failed> {
        self.read(|server, now| Self::found_tagged(server, *key, now))
    }

    fn get_many_tagged(&self, keys: &[&u32]) -> Result<Vec<FoundTagged<u32>>, Failed> {
        self.read(|server, now| {
            let found = keys
                .iter()
                .map(|key| Self::found_tagged(server, **key, now));
            found.collect()
        })
    }

    fn tag_mark(&self, tag: &str) -> Option<u64> {
        Some(u64::from(number(tag)))
    }

    fn common_tags(&self) -> Vec<u64> {
        Vec::new()
    }
}
