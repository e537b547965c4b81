use std::{
    io::{self, Read},
    ops::Range,
};

/// How much is read at once.
pub(crate) const CHUNK: usize = 32 * 1024;
/// How long a line may be: numbers, status and error messages.
const LINE: usize = 64 * 1024;
/// Room that is made before anything has arrived.
const TRUSTED: usize = 1 << 20;

/// Bytes that were read from a connection and not yet looked at, as lines and as strings of known length.
///
/// It tells whether there is more than was asked for, and it allocates as bytes arrive, not as much
/// as a reply claims to be long.
#[derive(Default)]
pub(crate) struct Reader {
    buffer: Vec<u8>,
    /// The first byte that was read and not looked at, and the one after the last.
    start: usize,
    end: usize,
}

impl Reader {
    /// Whether every byte that arrived was looked at.
    pub(crate) fn is_drained(&self) -> bool {
        self.start == self.end
    }

    /// What [`line`](Self::line) found.
    pub(crate) fn at(&self, line: Range<usize>) -> &[u8] {
        &self.buffer[line]
    }

    /// Where in the buffer the next line is, without its end. Valid until more is read.
    pub(crate) fn line(&mut self, source: &mut impl Read) -> io::Result<Range<usize>> {
        let mut seen = 0;
        loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(at) = unread[seen..].iter().position(|byte| *byte == b'\n') {
                let [.., b'\r'] = &unread[..seen + at] else {
                    return Err(garbage("a line ends wrongly"));
                };
                let line = self.start..self.start + seen + at - 1;
                self.start += seen + at + 1;
                return Ok(line);
            }
            seen = unread.len();
            if seen > LINE {
                return Err(garbage("a line does not end"));
            }
            self.fill(source)?;
        }
    }

    /// The next `len` bytes, which a line end follows.
    pub(crate) fn bytes(&mut self, source: &mut impl Read, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len.min(TRUSTED));
        if len <= CHUNK {
            self.fill_to(source, len + 2)?;
            bytes.extend_from_slice(&self.buffer[self.start..self.start + len]);
            self.start += len;
        } else {
            // What is long goes where it belongs without a stop in the buffer.
            let here = len.min(self.end - self.start);
            bytes.extend_from_slice(&self.buffer[self.start..self.start + here]);
            self.start += here;
            let missing = len - here;
            if source.take(missing as u64).read_to_end(&mut bytes)? < missing {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.fill_to(source, 2)?;
        }
        if &self.buffer[self.start..self.start + 2] != b"\r\n" {
            return Err(garbage("a string is not as long as it says"));
        }
        self.start += 2;
        Ok(bytes)
    }

    /// Reads until `len` bytes are there to be looked at.
    fn fill_to(&mut self, source: &mut impl Read, len: usize) -> io::Result<()> {
        while self.end - self.start < len {
            self.fill(source)?;
        }
        Ok(())
    }

    /// Reads what is there, at least a byte.
    fn fill(&mut self, source: &mut impl Read) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + CHUNK {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        match source.read(&mut self.buffer[self.end..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.end += read;
                Ok(())
            }
        }
    }
}

/// What no server of this kind would send.
pub(crate) fn garbage(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
