//! Pointers and mappings pass operations with tags on to their cache.

use super::{AsyncTags, FoundTagged, TagGenerations, TaggedEntry, Tags};
use ctu_core::{Error, Mapped, Mapping};
use std::{
    borrow::Borrow,
    rc::Rc,
    sync::{Arc, LazyLock},
    time::Duration,
};

/// The entry of a mapping.
fn decoded<K: ?Sized, V, M: Mapping<K, V>>(
    mapping: &M,
    at: &M::At,
    entry: FoundTagged<V>,
) -> Result<FoundTagged<M::Value>, Error> {
    let Some(TaggedEntry { value, ttl, tags }) = entry else {
        return Ok(None);
    };
    let found = mapping.decode_with_ttl(at, value, ttl)?;
    Ok(found.map(|(value, ttl)| TaggedEntry { value, ttl, tags }))
}

/// The methods of both traits of a pointer.
macro_rules! pointer_tags {
    ([$($fn:tt)*], [$($awaited:tt)*]) => {
        $($fn)* insert_with_tags(
            &self,
            key: &Self::Key,
            value: Self::Value,
            ttl: Option<Duration>,
            tags: &[&str],
        ) -> Result<(), Self::Error> {
            (**self).insert_with_tags(key, value, ttl, tags) $($awaited)*
        }

        $($fn)* tag_generations(
            &self,
            key: &Self::Key,
            ttl: Option<Duration>,
            tags: &[&str],
        ) -> Result<TagGenerations, Self::Error> {
            (**self).tag_generations(key, ttl, tags) $($awaited)*
        }

        $($fn)* insert_under(
            &self,
            key: &Self::Key,
            value: Self::Value,
            ttl: Option<Duration>,
            generations: &TagGenerations,
        ) -> Result<bool, Self::Error> {
            (**self).insert_under(key, value, ttl, generations) $($awaited)*
        }

        $($fn)* invalidate_tag(&self, tag: &str) -> Result<(), Self::Error> {
            (**self).invalidate_tag(tag) $($awaited)*
        }

        $($fn)* get_tagged(
            &self,
            key: &Self::Key,
        ) -> Result<FoundTagged<Self::Value>, Self::Error> {
            (**self).get_tagged(key) $($awaited)*
        }

        $($fn)* get_many_tagged(
            &self,
            keys: &[&Self::Key],
        ) -> Result<Vec<FoundTagged<Self::Value>>, Self::Error> {
            (**self).get_many_tagged(keys) $($awaited)*
        }

        fn tag_mark(&self, tag: &str) -> Option<u64> {
            (**self).tag_mark(tag)
        }

        fn common_tags(&self) -> Vec<u64> {
            (**self).common_tags()
        }
    };
}

impl<C: Tags + ?Sized> Tags for &C {
    pointer_tags!([fn], []);
}

impl<C: Tags + ?Sized> Tags for Box<C> {
    pointer_tags!([fn], []);
}

impl<C: Tags + ?Sized> Tags for Rc<C> {
    pointer_tags!([fn], []);
}

impl<C: Tags + ?Sized> Tags for Arc<C> {
    pointer_tags!([fn], []);
}

impl<C: Tags> Tags for LazyLock<C> {
    pointer_tags!([fn], []);
}

impl<C> AsyncTags for &C
where
    C: AsyncTags<Key: Sync, Value: Send> + Sync,
{
    pointer_tags!([async fn], [.await]);
}

impl<C> AsyncTags for Arc<C>
where
    C: AsyncTags<Key: Sync, Value: Send> + Send + Sync,
{
    pointer_tags!([async fn], [.await]);
}

/// The methods of both traits of a mapping.
macro_rules! mapped_tags {
    ([$($fn:tt)*], [$($awaited:tt)*]) => {
        $($fn)* insert_with_tags(
            &self,
            key: &Self::Key,
            value: Self::Value,
            ttl: Option<Duration>,
            tags: &[&str],
        ) -> Result<(), Self::Error> {
            let at = self.mapping().at(key)?;
            let kept = ttl.or_else(|| self.get_ref().default_ttl());
            let value = self.mapping().encode_for(&at, value, kept)?;
            self.get_ref().insert_with_tags(at.borrow(), value, ttl, tags) $($awaited)*
        }

        $($fn)* tag_generations(
            &self,
            key: &Self::Key,
            ttl: Option<Duration>,
            tags: &[&str],
        ) -> Result<TagGenerations, Self::Error> {
            let at = self.mapping().at(key)?;
            self.get_ref().tag_generations(at.borrow(), ttl, tags) $($awaited)*
        }

        $($fn)* insert_under(
            &self,
            key: &Self::Key,
            value: Self::Value,
            ttl: Option<Duration>,
            generations: &TagGenerations,
        ) -> Result<bool, Self::Error> {
            let at = self.mapping().at(key)?;
            let kept = ttl.or_else(|| self.get_ref().default_ttl());
            let value = self.mapping().encode_for(&at, value, kept)?;
            self.get_ref().insert_under(at.borrow(), value, ttl, generations) $($awaited)*
        }

        $($fn)* invalidate_tag(&self, tag: &str) -> Result<(), Self::Error> {
            self.get_ref().invalidate_tag(tag) $($awaited)*
        }

        $($fn)* get_tagged(
            &self,
            key: &Self::Key,
        ) -> Result<FoundTagged<Self::Value>, Self::Error> {
            let at = self.mapping().at(key)?;
            let entry = self.get_ref().get_tagged(at.borrow()) $($awaited)*?;
            Ok(decoded(self.mapping(), &at, entry)?)
        }

        $($fn)* get_many_tagged(
            &self,
            keys: &[&Self::Key],
        ) -> Result<Vec<FoundTagged<Self::Value>>, Self::Error> {
            let ats = keys.iter().map(|key| self.mapping().at(key));
            let ats = ats.collect::<Result<Vec<_>, Error>>()?;
            let borrowed: Vec<_> = ats.iter().map(Borrow::borrow).collect();
            let entries = self.get_ref().get_many_tagged(&borrowed) $($awaited)*?;
            let pairs = ats.iter().zip(entries);
            let decoded = pairs.map(|(at, entry)| decoded(self.mapping(), at, entry));
            Ok(decoded.collect::<Result<_, Error>>()?)
        }

        fn tag_mark(&self, tag: &str) -> Option<u64> {
            self.get_ref().tag_mark(tag)
        }

        fn common_tags(&self) -> Vec<u64> {
            self.get_ref().common_tags()
        }
    };
}

impl<C: Tags, M: Mapping<C::Key, C::Value>> Tags for Mapped<C, M> {
    mapped_tags!([fn], []);
}

impl<C, M> AsyncTags for Mapped<C, M>
where
    C: AsyncTags<Value: Send> + Sync,
    M: Mapping<C::Key, C::Value, Key: Sync, Value: Send, At: Send + Sync> + Sync,
{
    mapped_tags!([async fn], [.await]);
}
