/// What to do with what a function returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// Store this.
    Store(T),
    /// It is no value, and what was stored before holds no more: `None` where only `Some` is cached.
    Forget,
    /// It is no value and says nothing of what was stored before: `Err`.
    Leave,
}

impl<T: Clone> Outcome<&T> {
    /// The same, with a value of its own.
    pub fn cloned(self) -> Outcome<T> {
        match self {
            Self::Store(value) => Outcome::Store(value.clone()),
            Self::Forget => Outcome::Forget,
            Self::Leave => Outcome::Leave,
        }
    }
}

/// What a cached function may return, for a cache of values `V`.
///
/// By type and not by name, so that any alias of `Result` works:
///
/// | the function returns | the cache holds | what is cached |
/// | --- | --- | --- |
/// | `V` | `V` | all of it |
/// | `Result<V, E>` | `V` | `Ok` |
/// | `Option<V>` | `V` | `Some` |
/// | `Option<T>` | `Option<T>` | `Some` and `None`; with `only_some`, `Some` |
/// | `Result<Option<V>, E>` | `V` | `Ok(Some)` |
/// | `Result<Option<T>, E>` | `Option<T>` | `Ok`; with `only_some`, `Ok(Some)` |
///
/// `Kind` tells them apart, and `Policy` whether `only_some` is given; the compiler finds them out.
#[diagnostic::on_unimplemented(
    message = "the function returns `{Self}`, which is not what its cache holds: `{V}`",
    label = "wrong values",
    note = "return the cache's value, a `Result` or an `Option` of it, or give a cache of what is returned; `only_some` is for functions that return an `Option`"
)]
pub trait Returned<V, Kind, Policy>: Sized {
    /// What the function returns on a hit.
    fn found(value: V) -> Self;

    /// What to store.
    fn outcome(&self) -> Outcome<&V>;
}

/// Without `only_some`.
#[derive(Debug)]
pub enum All {}

/// With `only_some`.
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

// `Option<T>` where the cache holds options, too: `None` is not stored.
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
