//! What the tests and benchmarks of ctu share.
