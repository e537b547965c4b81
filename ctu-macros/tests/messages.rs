//! The messages of the compiler for wrong uses of the attributes: each file of `ui/` with its
//! messages.
//!
//! Messages of the compiler itself change between its versions; those files hold for the one that
//! the workspace is checked with. `TRYBUILD=overwrite` writes them anew.

#[test]
fn compile_errors_name_the_code_to_write() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
