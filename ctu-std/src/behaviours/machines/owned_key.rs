use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
};

/// An owned key that is looked up by its borrowed form.
pub(crate) struct OwnedKey<K: ToOwned + ?Sized>(pub(crate) K::Owned);

impl<K: ToOwned + ?Sized> OwnedKey<K> {
    pub(crate) fn new(key: &K) -> Self {
        Self(key.to_owned())
    }

    pub(crate) fn get(&self) -> &K {
        self.0.borrow()
    }
}

impl<K: ToOwned + ?Sized> Clone for OwnedKey<K> {
    fn clone(&self) -> Self {
        Self::new(self.get())
    }
}

impl<K: ToOwned + ?Sized> Borrow<K> for OwnedKey<K> {
    fn borrow(&self) -> &K {
        self.get()
    }
}

// As the borrowed key, since not every owned form hashes and compares like it.
impl<K: ToOwned + Hash + ?Sized> Hash for OwnedKey<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.get().hash(state);
    }
}

impl<K: ToOwned + PartialEq + ?Sized> PartialEq for OwnedKey<K> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<K: ToOwned + Eq + ?Sized> Eq for OwnedKey<K> {}
