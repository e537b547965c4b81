//! Every method of a cache forwarded to another one, so that no implementation loses one silently.

/// The methods that differ between a blocking and an async cache only in `async` and `.await`.
/// `$inner` is the other cache, where `$this` is `self`.
macro_rules! forward_methods {
    ([$($function:tt)+] [$($await:tt)*] $this:ident => $inner:expr) => {
        forward_methods! { @each [$($function)+] [$($await)*] $this $inner;
            get(key: &Self::Key) -> Result<Option<Self::Value>, Self::Error>;
            insert_entry(key: &Self::Key, value: Self::Value, ttl: Option<Duration>)
                -> Result<(), Self::Error>;
            remove(key: &Self::Key) -> Result<bool, Self::Error>;
            clear() -> Result<(), Self::Error>;
            len() -> Result<usize, Self::Error>;
            is_empty() -> Result<bool, Self::Error>;
            contains(key: &Self::Key) -> Result<bool, Self::Error>;
            get_with_ttl(key: &Self::Key) -> Result<Found<Self::Value>, Self::Error>;
            pop(key: &Self::Key) -> Result<Option<Self::Value>, Self::Error>;
            #[cfg(feature = "alloc")]
            get_many(keys: &[&Self::Key])
                -> Result<alloc::vec::Vec<Option<Self::Value>>, Self::Error>;
            #[cfg(feature = "alloc")]
            get_many_with_ttl(keys: &[&Self::Key])
                -> Result<alloc::vec::Vec<Found<Self::Value>>, Self::Error>;
            #[cfg(feature = "alloc")]
            insert_many(entries: alloc::vec::Vec<(&Self::Key, Self::Value)>, ttl: Option<Duration>)
                -> Result<(), Self::Error>;
            #[cfg(feature = "alloc")]
            remove_many(keys: &[&Self::Key]) -> Result<usize, Self::Error>;
        }
        forward_methods! { @each [fn] [] $this $inner;
            default_ttl() -> Option<Duration>;
            id() -> crate::caches::CacheId;
            has_single_flight() -> bool;
        }
    };
    (@each $function:tt $await:tt $this:ident $inner:expr; $(
        $(#[$attribute:meta])*
        $name:ident($($arg:ident: $type:ty),*) -> $returned:ty;
    )*) => {$(
        forward_methods! { @one $function $await $this $inner;
            $(#[$attribute])*
            $name($($arg: $type),*) -> $returned
        }
    )*};
    (@one [$($function:tt)+] [$($await:tt)*] $this:ident $inner:expr;
        $(#[$attribute:meta])*
        $name:ident($($arg:ident: $type:ty),*) -> $returned:ty
    ) => {
        $(#[$attribute])*
        $($function)+ $name(&self, $($arg: $type),*) -> $returned {
            let $this = self;
            $inner.$name($($arg),*)$($await)*
        }
    };
}

/// The methods of a blocking cache alone.
macro_rules! forward_blocking {
    ($this:ident => $inner:expr) => {
        forward_methods!([fn] [] $this => $inner);

        fn retain(&self, keep: &mut dyn FnMut(&Self::Key) -> bool) -> Result<(), Self::Error> {
            let $this = self;
            $inner.retain(keep)
        }

        fn get_or_compute(
            &self,
            key: &Self::Key,
            make: &mut dyn FnMut() -> Result<Option<Self::Value>, Error>,
        ) -> Result<Option<Self::Value>, Self::Error> {
            let $this = self;
            $inner.get_or_compute(key, make)
        }
    };
}

/// The methods of an async cache.
macro_rules! forward_async {
    ([$($Send:ident)?] $this:ident => $inner:expr) => {
        forward_methods!([async fn] [.await] $this => $inner);

        async fn retain<F>(&self, keep: F) -> Result<(), Self::Error>
        where
            F: FnMut(&Self::Key) -> bool $(+ $Send)?,
        {
            let $this = self;
            $inner.retain(keep).await
        }

        async fn get_or_compute<F, Fut>(
            &self,
            key: &Self::Key,
            make: F,
        ) -> Result<Option<Self::Value>, Self::Error>
        where
            F: FnMut() -> Fut $(+ $Send)?,
            Fut: Future<Output = Result<Option<Self::Value>, Error>> $(+ $Send)?,
        {
            let $this = self;
            $inner.get_or_compute(key, make).await
        }
    };
}

pub(super) use {forward_async, forward_blocking, forward_methods};
