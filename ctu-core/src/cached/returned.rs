//! Returned types of cached functions, and the part of them that is stored.

/// The effect of a returned value on the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// Store this value.
    Store(T),
    /// Store nothing and remove a stale entry: `None`, if only `Some` is cached.
    Forget,
    /// Store nothing and leave the entry unchanged: `Err`.
    Leave,
}

impl<T: Clone> Outcome<&T> {
    /// Clones the value.
    pub fn cloned(self) -> Outcome<T> {
        match self {
            Self::Store(value) => Outcome::Store(value.clone()),
            Self::Forget => Outcome::Forget,
            Self::Leave => Outcome::Leave,
        }
    }
}

/// The return types of a cached function, for a cache of values `V`.
///
/// The type decides, not its name, so any alias of `Result` works:
///
/// | the function returns | the cache holds | cached results |
/// | --- | --- | --- |
/// | `V` | `V` | all |
/// | `Result<V, E>` | `V` | `Ok` |
/// | `Option<V>` | `V` | `Some` |
/// | `Option<T>` | `Option<T>` | `Some` and `None`; with `only_some`, `Some` |
/// | `Result<Option<V>, E>` | `V` | `Ok(Some)` |
/// | `Result<Option<T>, E>` | `Option<T>` | `Ok`; with `only_some`, `Ok(Some)` |
///
/// The compiler infers `Kind`, the row of this table, and `Policy`, the option `only_some`.
#[diagnostic::on_unimplemented(
    message = "the function returns `{Self}`, but its cache holds `{V}`",
    label = "the type of the cache's values differs",
    note = "return the cache's value, a `Result` or an `Option` of it, or use a cache with values of the returned type; `only_some` is for functions that return an `Option`"
)]
pub trait Returned<V, Kind, Policy>: Sized {
    /// Converts a cached value to the returned value of a hit.
    fn found(value: V) -> Self;

    /// Returns the effect on the cache.
    fn outcome(&self) -> Outcome<&V>;
}

/// The policy without `only_some`.
#[derive(Debug)]
pub enum All {}

/// The policy with `only_some`.
#[derive(Debug)]
pub enum SomeOnly {}

/// The function returns the value.
#[derive(Debug)]
pub enum Plain {}

/// The function returns a `Result` of the value.
#[derive(Debug)]
pub enum InResult {}

/// The function returns an `Option` of the value.
#[derive(Debug)]
pub enum InOption {}

/// The function returns a `Result` of an `Option` of the value.
#[derive(Debug)]
pub enum InResultOption {}

#[diagnostic::do_not_recommend]
impl<V> Returned<V, Plain, All> for V {
    #[inline]
    fn found(value: V) -> Self {
        value
    }
    #[inline]
    fn outcome(&self) -> Outcome<&V> {
        Outcome::Store(self)
    }
}

#[diagnostic::do_not_recommend]
impl<V, E> Returned<V, InResult, All> for Result<V, E> {
    #[inline]
    fn found(value: V) -> Self {
        Ok(value)
    }
    #[inline]
    fn outcome(&self) -> Outcome<&V> {
        match self {
            Ok(value) => Outcome::Store(value),
            Err(_) => Outcome::Leave,
        }
    }
}

// The function returns an option and the cache holds options. `None` is not stored.
#[diagnostic::do_not_recommend]
impl<T> Returned<Option<T>, Plain, SomeOnly> for Option<T> {
    #[inline]
    fn found(value: Option<T>) -> Self {
        value
    }
    #[inline]
    fn outcome(&self) -> Outcome<&Option<T>> {
        match self {
            Some(_) => Outcome::Store(self),
            None => Outcome::Forget,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Returned<Option<T>, InResult, SomeOnly> for Result<Option<T>, E> {
    #[inline]
    fn found(value: Option<T>) -> Self {
        Ok(value)
    }
    #[inline]
    fn outcome(&self) -> Outcome<&Option<T>> {
        match self {
            Ok(value @ Some(_)) => Outcome::Store(value),
            Ok(None) => Outcome::Forget,
            Err(_) => Outcome::Leave,
        }
    }
}

macro_rules! option_of_value {
    ($($Policy:ident),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<V> Returned<V, InOption, $Policy> for Option<V> {
            #[inline]
            fn found(value: V) -> Self {
                Some(value)
            }
            #[inline]
            fn outcome(&self) -> Outcome<&V> {
                match self {
                    Some(value) => Outcome::Store(value),
                    None => Outcome::Forget,
                }
            }
        }

        #[diagnostic::do_not_recommend]
        impl<V, E> Returned<V, InResultOption, $Policy> for Result<Option<V>, E> {
            #[inline]
            fn found(value: V) -> Self {
                Ok(Some(value))
            }
            #[inline]
            fn outcome(&self) -> Outcome<&V> {
                match self {
                    Ok(Some(value)) => Outcome::Store(value),
                    Ok(None) => Outcome::Forget,
                    Err(_) => Outcome::Leave,
                }
            }
        }
    )*};
}
option_of_value!(All, SomeOnly);
