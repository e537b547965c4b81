//! What the compiler says to who wants of `#[cached]` what only an operating system gives.
#![cfg(all(feature = "macros", not(feature = "std")))]

#[test]
fn what_needs_std_says_so() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
