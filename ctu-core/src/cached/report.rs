use core::error::Error;

/// Tells that the cache of `function` failed: by `tracing`, by `defmt`, where these features are on.
#[cold]
pub fn report<E: Error>(function: &'static str, error: &E) {
    #[cfg(all(feature = "tracing", target_has_atomic = "ptr"))]
    tracing::warn!(function, %error, "the cache failed; the function ran without it");
    #[cfg(feature = "defmt")]
    defmt::warn!(
        "{=str}: the cache failed; the function ran without it: {}",
        function,
        defmt::Display2Format(error)
    );
    let _ = (function, error);
}

/// Tells whom `on_error = ...` names.
#[cold]
pub fn tell<E>(error: &E, whom: impl FnOnce(&E)) {
    whom(error);
}
