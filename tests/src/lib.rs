//! Code that tests and benchmarks share.

pub mod allocations;
pub mod blocking;
pub mod cancel;
pub mod example;
pub mod fake;
pub mod load;
pub mod plot;
pub mod servers;
pub mod step_cache;
#[cfg(feature = "tls")]
pub mod tls_front;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The examples of the guide, compiled and run.
#[cfg(doctest)]
pub mod guide {
    macro_rules! pages {
        ($($name:ident: $path:literal;)*) => {
            $(#[doc = include_str!(concat!("../../docs/guide/", $path))] pub mod $name {})*
        };
    }
    pages! {
        cookbook: "cookbook.md";
        errors: "errors.md";
        extending: "extending.md";
        first_board: "first-board.md";
        first_python: "first-python.md";
        first_server: "first-server.md";
        migration: "migration.md";
        troubleshooting: "troubleshooting.md";
        shared_server: "steps/shared-server.md";
        first_level: "steps/first-level.md";
        outage: "steps/outage.md";
        popular_key: "steps/popular-key.md";
        many_nodes: "steps/many-nodes.md";
        asynchronous: "steps/async.md";
        untrusted_server: "steps/untrusted-server.md";
        flash: "../flash.md";
    }
}
