//! Keys made of the arguments of a call, as CacheToolsUtils makes them.

use super::writer::{Expect, Writer};
use crate::{encoding::base85, entries::Text, error::Error};
use alloc::string::String;
use serde::Serialize;
use sha3::{Digest, Sha3_256};

/// The arguments of a call as a key: Python's `json_key(*args)`.
///
/// `args` is a tuple or sequence of the arguments, or `()` for none. A single argument is written
/// `(x,)`. Anything but a sequence is an error, but a sequence is always taken for *all* arguments:
/// `json_key(&list)` is Python's `json_key(*list)`, and `json_key(&(list,))` is `json_key(list)`.
///
/// ```
/// use ctu_core::json::json_key;
///
/// assert_eq!(json_key(&("hello", 3))?, r#"["hello",3]"#);
/// assert_eq!(json_key(&("hello",))?, r#"["hello"]"#);
/// assert_eq!(json_key(&([1, 2],))?, "[[1,2]]");
/// assert_eq!(json_key(&())?, "[]");
/// assert!(json_key("hello").is_err());
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// Two calls have equal keys if their keys in Python are equal. The form of an `OsStr` or a path
/// depends on the platform, and the order of a `HashSet` on the run: pass a sorted set such as
/// `BTreeSet`.
///
/// # Errors
/// [`Error::Encode`] if `args` is not a sequence, if an argument has no [JSON](super), and for
/// `Some(None)` or another `Some` of a null value: `None` has that key.
pub fn json_key<A: ?Sized + Serialize>(args: &A) -> Result<String, Error> {
    Writer::inside(0, Expect::Arguments).write(args)
}

/// The arguments of a call, some by name, as a key: Python's `json_key(*args, **kwargs)`.
///
/// `kwargs` is a map with text for keys or a struct, or `()` for none; `args` as in [`json_key`].
///
/// ```
/// use ctu_core::json::json_key_with;
/// use std::collections::BTreeMap;
///
/// let kwargs = BTreeMap::from([("hi", "hello")]);
/// assert_eq!(json_key_with(&(1,), &kwargs)?, r#"{"*":[1],"**":{"hi":"hello"}}"#);
/// assert_eq!(json_key_with(&(), &kwargs)?, r#"{"**":{"hi":"hello"}}"#);
/// assert_eq!(json_key_with(&(1,), &())?, "[1]");
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Encode`] if `args` is not a sequence or `kwargs` not a map with keys of text, and in
/// the cases of [`json_key`].
pub fn json_key_with<A, K>(args: &A, kwargs: &K) -> Result<String, Error>
where
    A: ?Sized + Serialize,
    K: ?Sized + Serialize,
{
    let kwargs = Writer::inside(1, Expect::Keywords).write(kwargs)?;
    if kwargs == "{}" {
        return json_key(args);
    }
    let args = Writer::inside(1, Expect::Arguments).write(args)?;
    let mut key = String::with_capacity(args.len() + kwargs.len() + r#"{"*":,"**":}"#.len());
    key.push('{');
    if args != "[]" {
        key.push_str(r#""*":"#);
        key.push_str(&args);
        key.push(',');
    }
    key.push_str(r#""**":"#);
    key.push_str(&kwargs);
    key.push('}');
    Ok(key)
}

/// The arguments of a call as a key of 20 characters: Python's `full_hash_key(*args)`.
///
/// Base85 of the first 128 bits of the SHA3-256 of [`json_key`].
///
/// ```
/// use ctu_core::json::full_hash_key;
/// assert_eq!(full_hash_key(&("hello", 3))?, "L<+6qDcffSE~98t28yVR");
/// # Ok::<(), ctu_core::Error>(())
/// ```
///
/// # Errors
/// As [`json_key`].
pub fn full_hash_key<A: ?Sized + Serialize>(args: &A) -> Result<Text<20>, Error> {
    hashed(&json_key(args)?)
}

/// The arguments of a call, some by name, as a key of 20 characters: Python's
/// `full_hash_key(*args, **kwargs)`, which is [`full_hash_key`] of [`json_key_with`].
///
/// # Errors
/// As [`json_key_with`].
///
/// ```
/// use ctu_core::{full_hash_key, full_hash_key_with};
/// let key = full_hash_key_with(&(1, 2), &std::collections::BTreeMap::from([("unit", "m")]))?;
/// assert_eq!(key.len(), 20);
/// assert_ne!(key, full_hash_key(&(1, 2))?);
/// # Ok::<(), ctu_core::Error>(())
/// ```
pub fn full_hash_key_with<A, K>(args: &A, kwargs: &K) -> Result<Text<20>, Error>
where
    A: ?Sized + Serialize,
    K: ?Sized + Serialize,
{
    hashed(&json_key_with(args, kwargs)?)
}

fn hashed(key: &str) -> Result<Text<20>, Error> {
    let hash = Sha3_256::digest(key.as_bytes());
    base85::encode(hash.get(..16).unwrap_or(&hash))
}
