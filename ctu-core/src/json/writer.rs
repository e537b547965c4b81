//! The writer of JSON values.

use super::{MAX_DEPTH, escape::push_text, refusal::SerError};
use crate::error::Error;
use alloc::string::String;
use serde::ser::Serialize;

/// The limit of nested `Some` and newtypes. They write no JSON but take space on the stack, so a
/// value that is nested by these alone is rejected as well.
const MAX_WRAPPED: usize = 4 * MAX_DEPTH;

/// The required form of the outermost value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    Anything,
    /// A sequence; `()` stands for an empty one.
    Arguments,
    /// An object with text for keys; `()` stands for an empty one.
    Keywords,
}

/// Writes JSON in the form of Python, and tracks the depth of nesting.
pub(super) struct Writer {
    pub(super) out: String,
    depth: usize,
    wrapped: usize,
    pub(super) expect: Expect,
    /// Set while writing a key. The output only has to be unique, since it is never parsed.
    pub(super) is_key: bool,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self::inside(0, Expect::Anything)
    }

    /// A writer for a value at the nesting depth `depth`.
    pub(super) fn inside(depth: usize, expect: Expect) -> Self {
        Self {
            // Most keys and small values fit.
            out: String::with_capacity(128),
            depth,
            wrapped: 0,
            is_key: expect != Expect::Anything,
            expect,
        }
    }

    pub(super) fn write<T: ?Sized + Serialize>(mut self, value: &T) -> Result<String, Error> {
        match value.serialize(&mut self) {
            Ok(()) => Ok(self.out),
            Err(SerError(error)) => Err(error),
        }
    }

    /// Checks that the outermost value may be of `kind`.
    pub(super) fn is(&mut self, kind: Expect) -> Result<(), SerError> {
        match self.expect {
            expect if expect == kind => {}
            Expect::Anything => {}
            Expect::Arguments => {
                let what = "arguments that are no sequence; write one argument as (x,)";
                return Err(SerError(Error::Encode(what)));
            }
            Expect::Keywords => {
                let what = "keyword arguments that are no map or struct";
                return Err(SerError(Error::Encode(what)));
            }
        }
        self.expect = Expect::Anything;
        Ok(())
    }

    /// The place for a value without brackets.
    pub(super) fn scalar(&mut self) -> Result<&mut String, SerError> {
        self.is(Expect::Anything)?;
        Ok(&mut self.out)
    }

    pub(super) fn open(&mut self, bracket: &str) -> Result<(), SerError> {
        self.depth = self.depth.saturating_add(bracket.len());
        if self.depth > MAX_DEPTH {
            return Err(SerError(Error::Encode("arrays or objects nested too deep")));
        }
        self.out.push_str(bracket);
        Ok(())
    }

    pub(super) fn close(&mut self, brackets: &str) {
        self.depth = self.depth.saturating_sub(brackets.len());
        self.out.push_str(brackets);
    }

    /// Writes `{"name":`. The caller closes the bracket.
    pub(super) fn open_variant(&mut self, name: &str) -> Result<(), SerError> {
        self.is(Expect::Keywords)?;
        self.open("{")?;
        push_text(&mut self.out, name);
        self.out.push(':');
        Ok(())
    }

    pub(super) fn wrapped<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), SerError> {
        if self.wrapped >= MAX_WRAPPED {
            return Err(SerError(Error::Encode("a value nested too deep")));
        }
        self.wrapped += 1;
        value.serialize(&mut *self)?;
        self.wrapped -= 1;
        Ok(())
    }
}
