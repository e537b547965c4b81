//! The entries of a cache as the servers have them. No I/O.

use super::{
    Form, MemCachedError,
    codec::push_key,
    commands::Entry,
    keys::Keys,
    requests::{Stored, Timed},
    ttl::Ttl,
};
use ctu_core::{Capability, Error, Found};
use std::{borrow::Cow, marker::PhantomData, sync::Arc, time::Duration};

/// Bytes of an item of a server beside key and value.
const ITEM_OVERHEAD: usize = 63;

/// The settings that decide about the entries of a cache.
pub(super) struct Entries<K: ?Sized, V, F> {
    pub(super) form: F,
    pub(super) prefix: Arc<str>,
    pub(super) ttl: Option<Duration>,
    pub(super) max_item: usize,
    pub(super) types: PhantomData<fn(&K) -> V>,
}

impl<K: ?Sized, V, F> Entries<K, V, F> {
    /// [`Error::Unsupported`] for a prefix: the servers do not list keys, so the entries of this cache
    /// cannot be told from others.
    pub(super) fn owns_all(&self) -> Result<(), Error> {
        match self.prefix.is_empty() {
            true => Ok(()),
            false => Err(Error::Unsupported(Capability::ListKeys)),
        }
    }
}

impl<K: ?Sized, V, F: Form<K, V>> Entries<K, V, F> {
    pub(super) fn key(&self, key: &K) -> Result<Vec<u8>, Error> {
        let mut stored = Vec::new();
        push_key(&mut stored, &self.prefix, &self.text(key)?)?;
        Ok(stored)
    }

    pub(super) fn keys(&self, keys: &[&K]) -> Result<Keys, Error> {
        let mut stored = Keys::with_capacity(keys.len());
        for key in keys {
            stored.push(&self.prefix, &self.text(key)?)?;
        }
        Ok(stored)
    }

    fn text<'k>(&self, key: &'k K) -> Result<Cow<'k, str>, Error> {
        let text = self.form.key(key);
        if text.is_empty() && self.prefix.is_empty() {
            return Err(Error::Encode("an empty key without a prefix"));
        }
        Ok(text)
    }

    pub(super) fn entry(&self, key: &K, value: V) -> Result<Entry, Error> {
        let key = self.key(key)?;
        let (data, flags) = self.form.encode(value)?;
        let max = self.max_item.saturating_sub(ITEM_OVERHEAD + key.len());
        if data.len() > max {
            let len = data.len();
            return Err(Error::ValueTooLong { len, max });
        }
        Ok(Entry { key, data, flags })
    }

    /// The expiry of an entry that is stored with `ttl`.
    pub(super) fn expiry(&self, ttl: Option<Duration>) -> Result<Ttl, Error> {
        Ttl::new(ttl.or(self.ttl))
    }

    /// Decodes an entry that `server` sent.
    pub(super) fn decode(
        &self,
        server: &Arc<str>,
        stored: Option<Stored>,
    ) -> Result<Option<V>, MemCachedError> {
        let Some((data, flags)) = stored else {
            return Ok(None);
        };
        let value = self.form.decode(data, flags);
        value.map(Some).map_err(|error| MemCachedError::Decode {
            server: server.clone(),
            reason: error.to_string().into(),
        })
    }

    /// The same with its remaining time.
    pub(super) fn decode_timed(
        &self,
        server: &Arc<str>,
        timed: Option<Timed>,
    ) -> Result<Found<V>, MemCachedError> {
        let Some((stored, left)) = timed else {
            return Ok(None);
        };
        let value = self.decode(server, Some(stored))?;
        Ok(value.map(|value| (value, left)))
    }
}

impl<K: ?Sized, V, F: Clone> Clone for Entries<K, V, F> {
    fn clone(&self) -> Self {
        Self {
            form: self.form.clone(),
            prefix: self.prefix.clone(),
            types: PhantomData,
            ..*self
        }
    }
}
