//! The messages of the compiler for a lock in the wrong place name the type to write.
// The messages list the implementations of traits, and other features add some.
#![cfg(all(
    feature = "critical-section",
    not(feature = "alloc"),
    not(feature = "flash")
))]

#[test]
fn a_wrong_lock_fails_to_compile_with_the_type_to_write() {
    trybuild::TestCases::new().compile_fail("tests/ui/locks/*.rs");
}
