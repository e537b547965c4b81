//! Commands as a Redis server reads them.

use super::{bounds::Bounds, resp::Expected, script::Script};
use crate::backends::net::{Repeat, Work, push_number, read_number};
use std::ptr;

/// The command that runs a script by its hash.
const EVALSHA: &[u8] = b"EVALSHA";

/// One or more commands that travel together, and how many replies they get.
#[derive(Clone, Debug)]
pub(super) struct Request {
    bytes: Vec<u8>,
    commands: usize,
    repeat: Repeat,
    /// The largest reply to any of the commands: unless allowed, no strings and no arrays.
    bounds: Bounds,
    /// Whether replies hold values of entries.
    reads_values: bool,
    /// The scripts that commands name by their hashes.
    scripts: Vec<&'static Script>,
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
            bounds: Bounds::default(),
            reads_values: false,
            scripts: Vec::new(),
        }
    }

    /// No command yet, of the same properties.
    fn emptied(&self) -> Self {
        Self {
            bytes: Vec::new(),
            commands: 0,
            scripts: self.scripts.clone(),
            ..*self
        }
    }

    /// The same with replies of this size allowed.
    pub(super) fn expecting(mut self, bounds: Bounds) -> Self {
        self.expect(bounds);
        self
    }

    /// Allows replies of this size.
    fn expect(&mut self, bounds: Bounds) {
        self.bounds = self.bounds.or(bounds);
    }

    /// The same with values of entries in replies of this size.
    pub(super) fn expecting_values(mut self, bounds: Bounds) -> Self {
        self.expect_values(bounds);
        self
    }

    /// Allows values of entries in replies of this size.
    pub(super) fn expect_values(&mut self, bounds: Bounds) {
        self.expect(bounds);
        self.reads_values = true;
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

    /// Adds a command that runs `script` by its hash. The arguments begin with the number of keys.
    pub(super) fn add_script(&mut self, script: &'static Script, arguments: &[&[u8]]) {
        let mut command: Vec<&[u8]> = vec![EVALSHA, script.hash()];
        command.extend_from_slice(arguments);
        self.add(&command);
        self.uses(script);
    }

    fn uses(&mut self, script: &'static Script) {
        if !self.scripts.iter().any(|own| ptr::eq(*own, script)) {
            self.scripts.push(script);
        }
    }

    /// The same with the texts of the scripts in place of their hashes.
    pub(super) fn with_script_texts(&self) -> Self {
        let mut whole = self.emptied();
        let mut rest = &*self.bytes;
        while let Some((arguments, next)) = split_command(rest) {
            let script = match *arguments {
                [EVALSHA, hash, ..] => self.scripts.iter().find(|script| script.hash() == hash),
                _ => None,
            };
            match script {
                Some(script) => {
                    let command = [&[b"EVAL", script.text()], &arguments[2..]].concat();
                    whole.add(&command);
                }
                None => whole.add(&arguments),
            }
            rest = next;
        }
        whole
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

    /// Adds the commands of another request.
    #[cfg(feature = "cluster")]
    pub(super) fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.commands += other.commands;
        self.bounds = self.bounds.or(other.bounds);
        self.reads_values |= other.reads_values;
        other.scripts.iter().for_each(|script| self.uses(script));
        if other.repeat == Repeat::Never {
            self.repeat = Repeat::Never;
        }
    }

    /// The same with ASKING before each command: a node that a slot is on its way to then serves it.
    #[cfg(feature = "cluster")]
    pub(super) fn asking(&self) -> Self {
        let mut asking = self.emptied();
        let mut rest = &*self.bytes;
        while let Some((_, next)) = split_command(rest) {
            let command = &rest[..rest.len() - next.len()];
            asking.add(&[b"ASKING"]);
            asking.bytes.extend_from_slice(command);
            asking.commands += 1;
            rest = next;
        }
        asking
    }

    /// The arguments of each command.
    #[cfg(feature = "redis-aio")]
    pub(super) fn split(&self) -> impl Iterator<Item = Vec<&[u8]>> {
        let mut rest = &*self.bytes;
        std::iter::from_fn(move || {
            let (arguments, next) = split_command(rest)?;
            rest = next;
            Some(arguments)
        })
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

    /// The number and the limits of its replies.
    pub(super) fn expected(&self) -> Expected {
        Expected {
            replies: self.commands,
            bounds: self.bounds,
        }
    }

    /// The number of its commands, each of which has one reply.
    pub(super) fn commands(&self) -> usize {
        self.commands
    }

    /// The properties that decide about retries and about the cause of a lost connection.
    pub(super) fn work(&self) -> Work {
        Work::new(self.repeat, self.bytes.len(), self.reads_values)
    }

    /// Whether it may be retried.
    #[cfg(feature = "cluster")]
    pub(super) fn repeat(&self) -> Repeat {
        self.repeat
    }
}

/// The arguments of the first command in `bytes`, which a request wrote, and the bytes after it.
fn split_command(bytes: &[u8]) -> Option<(Vec<&[u8]>, &[u8])> {
    /// The number in a line of a kind and a number, and the bytes after it.
    fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
        let end = bytes.iter().position(|byte| *byte == b'\r')?;
        let number = read_number(bytes.get(1..end)?)?;
        Some((number as usize, bytes.get(end + 2..)?))
    }
    let (count, mut rest) = number(bytes)?;
    let mut arguments = Vec::new();
    for _ in 0..count {
        let (len, argument) = number(rest)?;
        arguments.push(argument.get(..len)?);
        rest = argument.get(len + 2..)?;
    }
    Some((arguments, rest))
}

#[cfg(test)]
mod tests {
    use super::{Request, Script};

    #[test]
    fn commands_are_encoded_as_resp() {
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

    #[test]
    fn texts_take_the_place_of_the_hashes_of_scripts() {
        static ONE: Script = Script::new("return 1");
        static TWO: Script = Script::new("return 2");
        // The argument of another command is no hash.
        let mut request = Request::of(&[b"SET", b"EVALSHA", ONE.hash()]).once();
        for script in [&ONE, &TWO, &ONE] {
            request.add_script(script, &[b"1", b"key"]);
        }
        assert_eq!(ONE.hash(), b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
        let expected = Request::of(&[b"SET", b"EVALSHA", ONE.hash()])
            .and(&[b"EVAL", b"return 1", b"1", b"key"])
            .and(&[b"EVAL", b"return 2", b"1", b"key"])
            .and(&[b"EVAL", b"return 1", b"1", b"key"])
            .once();
        let whole = request.with_script_texts();
        assert_eq!(whole.bytes(), expected.bytes());
        assert_eq!((whole.commands(), whole.work()), (4, expected.work()));
    }

    #[cfg(feature = "cluster")]
    #[test]
    fn asking_precedes_each_command() {
        let nested = b"*1\r\n$6\r\nDBSIZE\r\n";
        let request = Request::of(&[b"SET", b"", nested]).and(&[b"DBSIZE"]).once();
        let expected = Request::of(&[b"ASKING"])
            .and(&[b"SET", b"", nested])
            .and(&[b"ASKING"])
            .and(&[b"DBSIZE"])
            .once();
        let asking = request.asking();
        assert_eq!(asking.bytes(), expected.bytes());
        assert_eq!(asking.commands(), 4);
        assert_eq!(asking.repeat(), expected.repeat());
        let mut twice = Request::batch();
        twice.append(&request);
        twice.append(&request);
        assert_eq!(twice.bytes(), request.bytes().repeat(2));
        assert_eq!((twice.commands(), twice.repeat()), (4, request.repeat()));
        assert_eq!(Request::batch().asking().commands(), 0);
    }
}
