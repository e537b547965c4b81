//! Commands as a Redis server reads them.

use crate::net::Repeat;
use std::io::Write;

/// One or more commands that travel together, and how many replies they get.
#[derive(Clone, Debug)]
pub(super) struct Request {
    bytes: Vec<u8>,
    commands: usize,
    repeat: Repeat,
}

impl Request {
    /// One command, safe to repeat.
    pub(super) fn of(arguments: &[&[u8]]) -> Self {
        Self::batch().and(arguments)
    }

    /// No command yet.
    pub(super) fn batch() -> Self {
        Self {
            bytes: Vec::new(),
            commands: 0,
            repeat: Repeat::Safe,
        }
    }

    /// The same with another command after it.
    pub(super) fn and(mut self, arguments: &[&[u8]]) -> Self {
        self.add(arguments);
        self
    }

    /// Adds a command.
    pub(super) fn add(&mut self, arguments: &[&[u8]]) {
        // `$` and a length of up to 20 digits and two line ends.
        let len = arguments.iter().map(|argument| argument.len() + 25).sum();
        self.bytes.reserve(len);
        self.head(arguments.len());
        for argument in arguments {
            self.argument(argument);
        }
    }

    /// A command with as many arguments as there are keys.
    pub(super) fn of_keys(command: &str, keys: &[Vec<u8>]) -> Self {
        let mut request = Self::batch();
        request.head(keys.len() + 1);
        request.argument(command.as_bytes());
        for key in keys {
            request.argument(key);
        }
        request
    }

    /// The same, never to be done twice.
    pub(super) fn once(mut self) -> Self {
        self.repeat = Repeat::Never;
        self
    }

    fn head(&mut self, arguments: usize) {
        self.commands += 1;
        // Writing to memory does not fail.
        let _ = write!(self.bytes, "*{arguments}\r\n");
    }

    fn argument(&mut self, argument: &[u8]) {
        let _ = write!(self.bytes, "${}\r\n", argument.len());
        self.bytes.extend_from_slice(argument);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// The bytes to send.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many replies there will be.
    pub(super) fn commands(&self) -> usize {
        self.commands
    }

    /// Whether it may be done twice.
    pub(super) fn repeat(&self) -> Repeat {
        self.repeat
    }
}
