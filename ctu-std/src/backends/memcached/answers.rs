//! The answers of a Memcached server, parsed as their bytes arrive.
//!
//! The protocol does not mark the end of an answer: it depends on the command. So a command comes with
//! the [`Expected`] form of its answer.

use super::{MemCachedError, error::peer};
use crate::backends::net::{
    ConnectionError, Disposition, Input, Malformed, NO_SENSE, NetError, Parser, read_number,
};
use ctu_core::Error;
use std::{mem, sync::Arc};

/// Bytes of the answer to `stats`, at most: real ones have a few thousand.
const MAX_STATS: usize = 16 << 20;

/// The form of the answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// So many commands, each answered by a line.
    Lines(usize),
    /// So many meta commands, each answered by a line, and data where the line announces it.
    Metas(usize),
    /// At most so many values, then `END`.
    Values(usize),
    /// Lines, then `END` or `RESET`.
    Stats,
}

/// A line, and the data after it if there are any.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) line: Vec<u8>,
    pub(super) data: Option<Vec<u8>>,
}

/// The answers on one connection.
pub(super) struct Answers {
    input: Input,
    server: Arc<str>,
    /// The largest value that is read, in bytes.
    max_value: usize,
    /// Those of the answer under way.
    items: Vec<Item>,
    /// Bytes of all lines of the answer under way.
    len: usize,
    /// The number of answered commands, and the first error that stands for an answer.
    answered: usize,
    refused: Option<MemCachedError>,
    /// The line before the data that arrive next, and their length.
    announced: Option<(Vec<u8>, usize)>,
}

/// The consequence of a line.
enum Step {
    /// It is not there yet.
    Wait,
    /// The answer goes on.
    Next,
    /// The answer is complete.
    End,
}

impl Answers {
    /// The parser of a new connection to `server`.
    pub(super) fn new(server: &Arc<str>, max_value: usize) -> Self {
        Self {
            input: Input::default(),
            server: server.clone(),
            max_value,
            items: Vec::new(),
            len: 0,
            answered: 0,
            refused: None,
            announced: None,
        }
    }

    fn step(&mut self, expected: Expected) -> Result<Step, MemCachedError> {
        if let Some((line, len)) = self.announced.take() {
            let data = self.input.string(len);
            let Some(data) = data.map_err(|fault| self.malformed(fault))? else {
                self.announced = Some((line, len));
                return Ok(Step::Wait);
            };
            let data = Some(data);
            return self.item(Item { line, data }, expected);
        }
        let line = self.input.line();
        let Some(line) = line.map_err(|fault| self.malformed(fault))? else {
            return Ok(Step::Wait);
        };
        let line = self.input.at(line);
        let is_unknown = matches!(expected, Expected::Metas(_)) && line == b"ERROR";
        if let Some(error) = MemCachedError::reported(&self.server, line)
            && !is_unknown
        {
            return self.refuse(error, expected);
        }
        let data = match expected {
            Expected::Values(_) if line == b"END" => return Ok(Step::End),
            Expected::Stats if matches!(line, b"END" | b"RESET") => return Ok(Step::End),
            Expected::Values(max) => match value_head(line) {
                Some((_, _, len)) if self.items.len() < max => Some(len),
                _ => return Err(self.malformed(NO_SENSE)),
            },
            Expected::Metas(_) => match line.strip_prefix(b"VA ").map(meta_len) {
                Some(None) => return Err(self.malformed(NO_SENSE)),
                announced => announced.flatten(),
            },
            Expected::Lines(_) | Expected::Stats => None,
        };
        self.len += line.len() + 1;
        let line = line.to_vec();
        match data {
            Some(len) if len > self.max_value => {
                let max = self.max_value;
                Err(Error::StoredTooLong { len, max }.into())
            }
            Some(len) => {
                self.announced = Some((line, len));
                Ok(Step::Next)
            }
            None => self.item(Item { line, data: None }, expected),
        }
    }

    fn item(&mut self, item: Item, expected: Expected) -> Result<Step, MemCachedError> {
        self.items.push(item);
        if expected == Expected::Stats && self.len > MAX_STATS {
            return Err(self.malformed(Malformed("statistics do not end")));
        }
        Ok(self.answered(expected))
    }

    /// Takes in an error of the server: as the answer to one command, or in place of the whole answer.
    fn refuse(
        &mut self,
        error: MemCachedError,
        expected: Expected,
    ) -> Result<Step, MemCachedError> {
        if error.disposition() != Disposition::Reuse {
            return Err(error);
        }
        self.refused.get_or_insert(error);
        Ok(match expected {
            Expected::Lines(_) | Expected::Metas(_) => self.answered(expected),
            Expected::Values(_) | Expected::Stats => Step::End,
        })
    }

    fn answered(&mut self, expected: Expected) -> Step {
        self.answered += 1;
        match expected {
            Expected::Lines(count) | Expected::Metas(count) if self.answered == count => Step::End,
            _ => Step::Next,
        }
    }

    fn malformed(&self, fault: Malformed) -> MemCachedError {
        NetError::malformed(peer(&self.server), fault).into()
    }
}

impl Parser for Answers {
    type Expected = Expected;
    type Reply = Vec<Item>;
    type Error = MemCachedError;

    fn room(&mut self) -> &mut [u8] {
        self.input.room()
    }

    fn filled(&mut self, len: usize) {
        self.input.filled(len);
    }

    /// An error that stands for the answer to a command is the error of all of them, once they are
    /// complete.
    fn next(&mut self, expected: &Expected) -> Result<Option<Vec<Item>>, MemCachedError> {
        loop {
            match self.step(*expected)? {
                Step::Wait => return Ok(None),
                Step::Next => {}
                Step::End => break,
            }
        }
        let items = mem::take(&mut self.items);
        (self.len, self.answered) = (0, 0);
        self.refused.take().map_or(Ok(Some(items)), Err)
    }

    fn is_drained(&self) -> bool {
        self.input.is_drained()
            && self.announced.is_none()
            && self.answered == 0
            && self.items.is_empty()
    }

    #[cfg(feature = "tokio")]
    fn size(answer: &Vec<Item>) -> usize {
        let data = answer.iter().flat_map(|item| &item.data);
        data.map(Vec::len).sum()
    }

    #[cfg(feature = "tokio")]
    fn farewell(&mut self) -> Option<MemCachedError> {
        let line = self.input.line().ok()??;
        let error = MemCachedError::reported(&self.server, self.input.at(line))?;
        (error.disposition() == Disposition::Close).then_some(error)
    }
}

/// Key, flags and length of `VALUE key flags length`.
pub(super) fn value_head(line: &[u8]) -> Option<(&[u8], u32, usize)> {
    let mut words = line.strip_prefix(b"VALUE ")?.split(|byte| *byte == b' ');
    Some((
        words.next()?,
        number(words.next()?)?,
        number(words.next()?)?,
    ))
}

/// The length of the data that `length kKEY fFLAGS tTIME` announces.
fn meta_len(line: &[u8]) -> Option<usize> {
    number(line.split(|byte| *byte == b' ').next()?)
}

pub(super) fn number<T: TryFrom<u64>>(word: &[u8]) -> Option<T> {
    read_number(word)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(answers: &mut Answers, bytes: &[u8]) {
        answers.room()[..bytes.len()].copy_from_slice(bytes);
        answers.filled(bytes.len());
    }

    /// The answer in `bytes`, which arrive one by one.
    fn read(bytes: &[u8], expected: Expected) -> Result<Vec<Item>, MemCachedError> {
        let mut answers = Answers::new(&"server".into(), 10);
        for (index, byte) in bytes.iter().enumerate() {
            feed(&mut answers, &[*byte]);
            if let Some(items) = answers.next(&expected)? {
                assert_eq!(index + 1, bytes.len());
                assert!(answers.is_drained());
                return Ok(items);
            }
            assert!(!answers.is_drained(), "after {index} bytes");
        }
        panic!("{bytes:?} is no complete answer");
    }

    fn line(line: &str) -> Item {
        let line = line.as_bytes().to_vec();
        Item { line, data: None }
    }

    fn value(head: &str, data: &str) -> Item {
        let data = Some(data.as_bytes().to_vec());
        Item { data, ..line(head) }
    }

    #[test]
    fn every_form_of_an_answer_is_parsed_byte_by_byte() {
        use Expected::{Lines, Metas, Stats, Values};
        assert_eq!(read(b"END\r\n", Values(1)), Ok(vec![]));
        assert_eq!(
            read(
                b"VALUE a 1 2\r\n\r\n\r\nVALUE b 2 0\r\n\r\nEND\r\n",
                Values(2)
            ),
            Ok(vec![value("VALUE a 1 2", "\r\n"), value("VALUE b 2 0", "")])
        );
        assert_eq!(
            read(b"STORED\r\nNOT_STORED\r\n", Lines(2)),
            Ok(vec![line("STORED"), line("NOT_STORED")])
        );
        assert_eq!(
            read(b"EN\r\nVA 1 ka f0 t-1\r\nx\r\nERROR\r\nHD\r\n", Metas(4)),
            Ok(vec![
                line("EN"),
                value("VA 1 ka f0 t-1", "x"),
                line("ERROR"),
                line("HD")
            ])
        );
        assert_eq!(
            read(b"STAT a 1\r\nEND\r\n", Stats),
            Ok(vec![line("STAT a 1")])
        );
    }

    #[test]
    fn refused_command_leaves_the_other_answers_in_step() {
        let too_large = read(
            b"SERVER_ERROR object too large for cache\r\nSTORED\r\n",
            Expected::Lines(2),
        );
        assert!(matches!(too_large, Err(MemCachedError::TooLarge { .. })));
        let busy = read(b"SERVER_ERROR busy\r\n", Expected::Values(1));
        assert!(matches!(busy, Err(MemCachedError::NotReady { .. })));
    }

    #[test]
    fn malformed_answers_are_rejected() {
        for (bytes, expected) in [
            (
                &b"VALUE a 0 1\r\nx\r\nVALUE b 0 1\r\n"[..],
                Expected::Values(1),
            ),
            (b"VALUE a 0\r\n", Expected::Values(1)),
            (b"VALUE a 0 1\r\nxyz", Expected::Values(1)),
            (b"STORED\r\n", Expected::Values(1)),
            (b"VA x\r\n", Expected::Metas(1)),
            (b"STORED\n", Expected::Lines(1)),
        ] {
            let error = read(bytes, expected).unwrap_err();
            let is_malformed = matches!(error, MemCachedError::Net(NetError::Protocol { .. }));
            assert!(is_malformed, "{bytes:?}: {error:?}");
        }
        let long = read(b"VALUE a 0 11\r\n", Expected::Values(1)).unwrap_err();
        let too_long = Error::StoredTooLong { len: 11, max: 10 };
        assert_eq!(long, too_long.into());
    }
}
