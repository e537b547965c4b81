//! The messages of the compiler for options of `#[cached]` that need an operating system.
#![cfg(all(feature = "macros", not(feature = "std")))]

#[test]
fn options_without_std_fail_to_compile_with_a_hint() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
