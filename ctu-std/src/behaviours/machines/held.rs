use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
};

/// A key that is kept: what a borrowed key is looked up among.
pub(crate) struct Held<K: ToOwned + ?Sized>(pub(crate) K::Owned);

impl<K: ToOwned + ?Sized> Held<K> {
    pub(crate) fn new(key: &K) -> Self {
        Self(key.to_owned())
    }

    pub(crate) fn get(&self) -> &K {
        self.0.borrow()
    }
}

impl<K: ToOwned + ?Sized> Clone for Held<K> {
    fn clone(&self) -> Self {
        Self::new(self.get())
    }
}

impl<K: ToOwned + ?Sized> Borrow<K> for Held<K> {
    fn borrow(&self) -> &K {
        self.get()
    }
}

// As the borrowed key does, which not every owned form says of itself.
impl<K: ToOwned + Hash + ?Sized> Hash for Held<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.get().hash(state);
    }
}

impl<K: ToOwned + PartialEq + ?Sized> PartialEq for Held<K> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<K: ToOwned + Eq + ?Sized> Eq for Held<K> {}
