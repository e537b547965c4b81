//! Scripts that the server runs.
//!
//! A request names a script by its hash (EVALSHA). A server that lacks the script, after a restart, a
//! failover or SCRIPT FLUSH, refuses it by the error NOSCRIPT and has done nothing. The request is then
//! sent again with the text of the script (EVAL), which the server keeps.

use std::sync::OnceLock;

/// A script, and the hash by which requests name it.
#[derive(Debug)]
pub(super) struct Script {
    text: &'static str,
    hash: OnceLock<String>,
}

impl Script {
    pub(super) const fn new(text: &'static str) -> Self {
        let hash = OnceLock::new();
        Self { text, hash }
    }

    pub(super) fn text(&self) -> &'static [u8] {
        self.text.as_bytes()
    }

    /// The SHA-1 of the text in hexadecimal digits.
    pub(super) fn hash(&self) -> &[u8] {
        let hash = || redis::Script::new(self.text).get_hash().to_owned();
        self.hash.get_or_init(hash).as_bytes()
    }
}
