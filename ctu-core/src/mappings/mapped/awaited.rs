//! [`Mapped`](super::Mapped) as an async cache.

#[cfg(feature = "alloc")]
use super::batch;
use super::{Mapped, OwnKeys, decode, decode_with_ttl};
use crate::{
    caches::{AsyncCache, Found, LocalAsyncCache},
    error::{Capability, Error},
    mappings::mapping::Mapping,
};
use core::{borrow::Borrow, time::Duration};

/// [`Mapped`] as an async cache: the methods of the blocking one, awaited.
macro_rules! mapped_is_async {
    ($Trait:ident $(, $Send:ident, $Sync:ident)?) => {
        impl<C, M> $Trait for Mapped<C, M>
        where
            C: $Trait,
            M: Mapping<C::Key, C::Value> $(+ $Sync)?,
            $(
                M::Key: $Sync,
                M::Value: $Send,
                M::At: $Send + $Sync,
                C::Value: $Send,
            )?
        {
            type Key = M::Key;
            type Value = M::Value;
            type Error = C::Error;

            async fn get(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
                let at = self.mapping.at(key)?;
                let found = self.inner.get(at.borrow()).await?;
                Ok(decode(&self.mapping, &at, found)?)
            }

            async fn insert_entry(
                &self,
                key: &Self::Key,
                value: Self::Value,
                ttl: Option<Duration>,
            ) -> Result<(), Self::Error> {
                let at = self.mapping.at(key)?;
                let value = self.mapping.encode_for(&at, value, ttl.or_else(|| self.inner.default_ttl()))?;
                self.inner.insert_entry(at.borrow(), value, ttl).await
            }

            async fn remove(&self, key: &Self::Key) -> Result<bool, Self::Error> {
                let at = self.mapping.at(key)?;
                self.inner.remove(at.borrow()).await
            }

            async fn contains(&self, key: &Self::Key) -> Result<bool, Self::Error> {
                if M::VERIFIES {
                    return Ok(self.get(key).await?.is_some());
                }
                let at = self.mapping.at(key)?;
                self.inner.contains(at.borrow()).await
            }

            async fn clear(&self) -> Result<(), Self::Error> {
                if M::OWNS_ALL {
                    self.inner.clear().await
                } else {
                    self.retain(|_| false).await
                }
            }

            async fn len(&self) -> Result<usize, Self::Error> {
                match M::OWNS_ALL {
                    true => self.inner.len().await,
                    false => Err(Error::Unsupported(Capability::Len).into()),
                }
            }

            async fn get_with_ttl(
                &self,
                key: &Self::Key,
            ) -> Result<Found<Self::Value>, Self::Error> {
                let at = self.mapping.at(key)?;
                let found = self.inner.get_with_ttl(at.borrow()).await?;
                Ok(decode_with_ttl(&self.mapping, &at, found)?)
            }

            fn default_ttl(&self) -> Option<Duration> {
                self.inner.default_ttl()
            }

            async fn pop(&self, key: &Self::Key) -> Result<Option<Self::Value>, Self::Error> {
                let at = self.mapping.at(key)?;
                let found = self.inner.pop(at.borrow()).await?;
                Ok(decode(&self.mapping, &at, found)?)
            }

            async fn retain<F>(&self, mut keep: F) -> Result<(), Self::Error>
            where
                F: FnMut(&Self::Key) -> bool $(+ $Send)?,
            {
                M::NO_ORIGIN.map_or(Ok(()), Err)?;
                let mut own = OwnKeys::new(&self.mapping);
                self.inner.retain(|key| own.keep(key, &mut keep)).await?;
                Ok(own.failed?)
            }

            async fn get_or_compute<F, Fut>(
                &self,
                key: &Self::Key,
                mut make: F,
            ) -> Result<Option<Self::Value>, Self::Error>
            where
                F: FnMut() -> Fut $(+ $Send)?,
                Fut: Future<Output = Result<Option<Self::Value>, Error>> $(+ $Send)?,
            {
                let at = self.mapping.at(key)?;
                let found = self
                    .inner
                    .get_or_compute(at.borrow(), || {
                        let made = make();
                        async {
                            made.await?
                                .map(|value| self.mapping.encode_for(&at, value, self.inner.default_ttl()))
                                .transpose()
                        }
                    })
                    .await?;
                let Some(value) = found else {
                    return Ok(None);
                };
                if let Some(value) = self.mapping.decode(&at, value)? {
                    return Ok(Some(value));
                }
                let Some(value) = make().await? else {
                    return Ok(None);
                };
                let encoded = self.mapping.encode_for(&at, value.clone(), self.inner.default_ttl())?;
                self.inner.insert_entry(at.borrow(), encoded, None).await?;
                Ok(Some(value))
            }

            fn has_single_flight(&self) -> bool {
                self.inner.has_single_flight()
            }

            #[cfg(feature = "alloc")]
            async fn get_many(
                &self,
                keys: &[&Self::Key],
            ) -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error> {
                let ats = batch::ats(&self.mapping, keys)?;
                let values = self.inner.get_many(&batch::borrowed(&ats)).await?;
                Ok(batch::decode(&self.mapping, &ats, values)?)
            }

            #[cfg(feature = "alloc")]
            async fn get_many_with_ttl(
                &self,
                keys: &[&Self::Key],
            ) -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error> {
                let ats = batch::ats(&self.mapping, keys)?;
                let values = self.inner.get_many_with_ttl(&batch::borrowed(&ats)).await?;
                Ok(batch::decode_with_ttl(&self.mapping, &ats, values)?)
            }

            #[cfg(feature = "alloc")]
            async fn insert_many(
                &self,
                entries: alloc::vec::Vec<(&Self::Key, Self::Value)>,
                ttl: Option<Duration>,
            ) -> Result<(), Self::Error> {
                let kept = ttl.or_else(|| self.inner.default_ttl());
                let (ats, values) = batch::encode(&self.mapping, entries, kept)?;
                self.inner
                    .insert_many(batch::entries(&ats, values), ttl)
                    .await
            }

            #[cfg(feature = "alloc")]
            async fn remove_many(&self, keys: &[&Self::Key]) -> Result<usize, Self::Error> {
                let ats = batch::ats(&self.mapping, keys)?;
                self.inner.remove_many(&batch::borrowed(&ats)).await
            }
        }
    };
}
mapped_is_async!(AsyncCache, Send, Sync);
mapped_is_async!(LocalAsyncCache);
