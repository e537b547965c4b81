//! Commands as a Redis server reads them.

use crate::net::{Repeat, push_number};

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

    /// Adds a command with as many arguments as there are keys.
    pub(super) fn add_keys(&mut self, command: &str, keys: &[impl AsRef<[u8]>]) {
        let len: usize = keys.iter().map(|key| key.as_ref().len() + 25).sum();
        self.bytes.reserve(len + 50);
        self.head(keys.len() + 1);
        self.argument(command.as_bytes());
        for key in keys {
            self.argument(key.as_ref());
        }
    }

    /// The same, never to be done twice.
    pub(super) fn once(mut self) -> Self {
        self.repeat = Repeat::Never;
        self
    }

    fn head(&mut self, arguments: usize) {
        self.commands += 1;
        self.length(b'*', arguments);
    }

    fn argument(&mut self, argument: &[u8]) {
        self.length(b'$', argument.len());
        self.bytes.extend_from_slice(argument);
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn length(&mut self, kind: u8, number: usize) {
        self.bytes.push(kind);
        push_number(&mut self.bytes, number as u64);
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

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn commands_are_written_as_redis_reads_them() {
        let long = [b'x'; 1234];
        let request = Request::of(&[b"SET", b"", &long]).and(&[b"DBSIZE"]);
        let mut expected = b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$1234\r\n".to_vec();
        expected.extend_from_slice(&long);
        expected.extend_from_slice(b"\r\n*1\r\n$6\r\nDBSIZE\r\n");
        assert_eq!(request.bytes(), expected);
        assert_eq!(request.commands(), 2);
        let keys = [b"a".to_vec(), b"b".to_vec()];
        let mut request = Request::batch();
        request.add_keys("DEL", &keys);
        let expected = b"*3\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n";
        assert_eq!(request.bytes(), expected);
        let mut request = Request::batch();
        request.length(b':', usize::MAX);
        assert_eq!(request.bytes(), format!(":{}\r\n", usize::MAX).as_bytes());
    }
}
