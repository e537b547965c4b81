//! The bytes of keys and values: a weigher for caches that are limited by memory.

use ctu_core::{Bytes, Text};
use std::{borrow::Cow, collections::HashMap, rc::Rc, sync::Arc, time::Duration};

/// The memory that a value owns outside itself.
///
/// ```
/// use ctu_std::HeapSize;
///
/// assert_eq!(7_u32.heap_bytes(), 0);
/// assert_eq!(Vec::<u16>::with_capacity(8).heap_bytes(), 16);
///
/// struct Page(String, u32);
///
/// impl HeapSize for Page {
///     fn heap_bytes(&self) -> usize {
///         self.0.heap_bytes()
///     }
/// }
/// ```
pub trait HeapSize {
    /// The number of bytes on the heap. Those behind an `Arc` count in full for each clone.
    fn heap_bytes(&self) -> usize;
}

/// The bytes of a key, its value, and the cache's own for an entry: the weigher of
/// [`max_bytes`](super::ConcurrentCacheBuilder::max_bytes).
///
/// ```
/// let small = ctu_std::bytes_of_entry(&1_u32, &String::new());
/// let large = ctu_std::bytes_of_entry(&1_u32, &"x".repeat(1_000));
/// assert_eq!(large - small, 1_000);
/// ```
pub fn bytes_of_entry<K: HeapSize, V: HeapSize>(key: &K, value: &V) -> u64 {
    let own = size_of::<K>() + size_of::<V>() + OVERHEAD;
    let heap = key.heap_bytes().saturating_add(value.heap_bytes());
    own.saturating_add(heap) as u64
}

/// The cache's own bytes for an entry with a weight: links, index, counts and times.
const OVERHEAD: usize = 112;

macro_rules! without_heap {
    ($($name:ty),* $(,)?) => {$(
        impl HeapSize for $name {
            #[inline]
            fn heap_bytes(&self) -> usize {
                0
            }
        }
    )*};
}

without_heap!(
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    bool,
    char,
    (),
    str,
    Duration,
);

impl<const N: usize> HeapSize for Bytes<N> {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl<const N: usize> HeapSize for Text<N> {
    fn heap_bytes(&self) -> usize {
        0
    }
}

/// The heap bytes of the elements themselves.
fn inner<'t, T: HeapSize + 't>(elements: impl IntoIterator<Item = &'t T>) -> usize {
    let bytes = elements.into_iter().map(T::heap_bytes);
    bytes.fold(0, usize::saturating_add)
}

impl HeapSize for String {
    fn heap_bytes(&self) -> usize {
        self.capacity()
    }
}

impl<T: HeapSize> HeapSize for Vec<T> {
    fn heap_bytes(&self) -> usize {
        // The compiler leaves out a loop over elements without heap.
        self.capacity() * size_of::<T>() + inner(self)
    }
}

impl<T: HeapSize> HeapSize for [T] {
    fn heap_bytes(&self) -> usize {
        inner(self)
    }
}

impl<T: HeapSize, const N: usize> HeapSize for [T; N] {
    fn heap_bytes(&self) -> usize {
        inner(self)
    }
}

impl<T: HeapSize> HeapSize for Option<T> {
    fn heap_bytes(&self) -> usize {
        inner(self)
    }
}

impl<T: HeapSize + ?Sized> HeapSize for Box<T> {
    fn heap_bytes(&self) -> usize {
        size_of_val(&**self) + (**self).heap_bytes()
    }
}

/// The two counts of an `Arc` or `Rc`.
const COUNTS: usize = 2 * size_of::<usize>();

impl<T: HeapSize + ?Sized> HeapSize for Arc<T> {
    fn heap_bytes(&self) -> usize {
        COUNTS + size_of_val(&**self) + (**self).heap_bytes()
    }
}

impl<T: HeapSize + ?Sized> HeapSize for Rc<T> {
    fn heap_bytes(&self) -> usize {
        COUNTS + size_of_val(&**self) + (**self).heap_bytes()
    }
}

impl HeapSize for Cow<'_, str> {
    fn heap_bytes(&self) -> usize {
        match self {
            Cow::Borrowed(_) => 0,
            Cow::Owned(text) => text.heap_bytes(),
        }
    }
}

impl<K: HeapSize, V: HeapSize, S> HeapSize for HashMap<K, V, S> {
    fn heap_bytes(&self) -> usize {
        let slots = self.capacity() * (size_of::<(K, V)>() + 1) * 8 / 7;
        slots + inner(self.keys()) + inner(self.values())
    }
}

macro_rules! tuples {
    ($(($($name:ident),+))*) => {$(
        impl<$($name: HeapSize),+> HeapSize for ($($name,)+) {
            fn heap_bytes(&self) -> usize {
                #[allow(non_snake_case)]
                let ($($name,)+) = self;
                0 $(+ $name.heap_bytes())+
            }
        }
    )*};
}

tuples!((A)(A, B)(A, B, C)(A, B, C, D)(A, B, C, D, E)(
    A, B, C, D, E, F
));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_bytes_count_at_every_depth() {
        assert_eq!((1_u8, String::from("four")).heap_bytes(), 4);
        let words = vec![String::from("four"), String::from("three")];
        assert_eq!(words.heap_bytes(), 2 * size_of::<String>() + 9);
        assert_eq!(Some(Arc::<[u8]>::from(&[0; 10][..])).heap_bytes(), 26);
        assert_eq!(Box::<str>::from("four").heap_bytes(), 4);
        assert_eq!(bytes_of_entry(&1_u64, &[0_u8; 8]), 16 + OVERHEAD as u64);
    }
}
