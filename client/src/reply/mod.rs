//! Replies: [`Reply`] is a view of one value in the received buffer, [`Value`] owns one, and [`FromReply`] decodes one to
//! the type that the caller asked for.

mod from;
#[cfg(any(feature = "uuid", feature = "ulid"))]
mod ids;
mod json;
mod value;

use bytes::Bytes;

pub use self::from::FromReply;
pub use self::json::Json;
pub use self::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::wire::tape::{Node, Tape};
use crate::wire::{self, Encoding, Parsed};

/// What the body of a response answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answered {
    /// One command.
    Command,
    /// So many commands, from an endpoint that takes several.
    Commands(usize),
}

/// Reads the body of a successful response, with up to `max_values` values. A refusal of all commands is an error.
pub(crate) fn parse(body: Vec<u8>, encoding: Encoding, answered: Answered, max_values: usize) -> Result<Tape> {
    let parsed = match answered {
        Answered::Command => return wire::parse_one(body, encoding, max_values),
        Answered::Commands(count) => wire::parse_many(body, encoding, count, max_values)?,
    };
    match parsed {
        Parsed::Replies(tape) => Ok(tape),
        Parsed::Refusal(tape) => Err(Reply::root(&tape).mismatch("replies")),
    }
}

/// A view of one value in the buffer that the reply arrived in. Nothing is copied until it is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    tape: &'a Tape,
    at: usize,
}

/// The value of a [`Reply`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Shape<'a> {
    /// Nil: a key, a field or a member does not exist.
    Nil,
    /// An integer.
    Int(i64),
    /// A string, which can be any bytes, or a status such as `OK`.
    Bytes(&'a [u8]),
    /// An error, on its own or inside the array that a script or a transaction returned.
    Error(&'a str),
    /// An array.
    Array(Replies<'a>),
}

impl<'a> Reply<'a> {
    pub(crate) fn root(tape: &'a Tape) -> Self {
        Reply { tape, at: 0 }
    }

    /// Returns the value.
    #[must_use]
    pub fn shape(self) -> Shape<'a> {
        match self.tape.nodes.get(self.at) {
            None | Some(Node::Nil) => Shape::Nil,
            Some(Node::Int(int)) => Shape::Int(*int),
            Some(&Node::Bytes { start, len }) => Shape::Bytes(self.slice(start, len)),
            Some(&Node::Error { start, len }) => Shape::Error(text_before_bytes(self.slice(start, len))),
            Some(&Node::Array { count, .. }) => {
                Shape::Array(Replies { tape: self.tape, at: self.at + 1, left: count as usize })
            }
        }
    }

    fn slice(self, start: u32, len: u32) -> &'a [u8] {
        let start = start as usize;
        self.tape.buffer.get(start..start + len as usize).unwrap_or_default()
    }

    /// Returns whether the value is nil.
    #[must_use]
    pub fn is_nil(self) -> bool {
        matches!(self.tape.nodes.get(self.at), None | Some(Node::Nil))
    }

    /// Returns the bytes of a string.
    ///
    /// # Errors
    ///
    /// `Decode` if this is not a string; `Redis` if it is an error.
    pub fn bytes(self) -> Result<&'a [u8]> {
        match self.tape.nodes.get(self.at) {
            Some(&Node::Bytes { start, len }) => Ok(self.slice(start, len)),
            _ => Err(self.mismatch("a string")),
        }
    }

    /// Returns the text of a string.
    ///
    /// # Errors
    ///
    /// `Decode` if this is not a string, or not UTF-8; `Redis` if it is an error.
    pub fn text(self) -> Result<&'a str> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|error| self.mismatch("UTF-8 text").with_source(error))
    }

    /// Returns the bytes of a string. They share the reply's buffer and are not copied.
    ///
    /// # Errors
    ///
    /// Those of [`bytes`](Reply::bytes).
    pub fn shared_bytes(self) -> Result<Bytes> {
        Ok(self.tape.buffer.slice_ref(self.bytes()?))
    }

    /// Returns the values of an array.
    ///
    /// # Errors
    ///
    /// `Decode` if this is not an array; `Redis` if it is an error.
    pub fn array(self) -> Result<Replies<'a>> {
        match self.shape() {
            Shape::Array(replies) => Ok(replies),
            _ => Err(self.mismatch("an array")),
        }
    }

    /// Returns the values of an array of exactly `N`.
    ///
    /// # Errors
    ///
    /// `Decode` if this is not an array of `N` values; `Redis` if it is an error.
    pub fn array_of<const N: usize>(self) -> Result<[Reply<'a>; N]> {
        let mut replies = self.array()?;
        if replies.len() != N {
            return Err(self.mismatch(&format!("an array of {N}")));
        }
        Ok(std::array::from_fn(|_| replies.next().unwrap_or(self)))
    }

    /// Returns a flat array in pairs: fields and values, members and scores.
    ///
    /// # Errors
    ///
    /// `Decode` if this is not an array of even length; `Redis` if it is an error.
    pub fn pairs(self) -> Result<Pairs<'a>> {
        let replies = self.array()?;
        if replies.len().is_multiple_of(2) { Ok(Pairs(replies)) } else { Err(self.mismatch("an array of pairs")) }
    }

    /// Returns the error for a reply of another type than `expected`; Redis's own error if the reply is one.
    ///
    /// The error describes what was found by its type and size, never by its content.
    #[must_use]
    #[cold]
    pub fn mismatch(self, expected: &str) -> Error {
        let found = match self.shape() {
            Shape::Error(text) => return Error::redis(text),
            Shape::Nil => "nil; an `Option` accepts nil".to_owned(),
            Shape::Int(_) => "an integer".to_owned(),
            Shape::Bytes(bytes) => format!("a string of {} bytes", bytes.len()),
            Shape::Array(replies) => format!("an array of {}", replies.len()),
        };
        Error::new(ErrorKind::Decode, format!("expected {expected}, found {found}"))
    }

    /// The index of this value's node.
    pub(crate) fn index(self) -> usize {
        self.at
    }

    /// The index of the node after this value.
    #[inline]
    fn end(self) -> usize {
        match self.tape.nodes.get(self.at) {
            Some(&Node::Array { end, .. }) => end as usize,
            _ => self.at + 1,
        }
    }
}

/// The text of an error, up to the first bytes that are not UTF-8: arguments that it repeats.
fn text_before_bytes(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

/// The values of an array, or the replies to a pipeline, in order.
#[derive(Clone, Copy, Debug)]
pub struct Replies<'a> {
    tape: &'a Tape,
    at: usize,
    left: usize,
}

impl<'a> Replies<'a> {
    pub(crate) fn of(tape: &'a Tape, count: usize) -> Self {
        Replies::starting_at(tape, 0, count)
    }

    pub(crate) fn starting_at(tape: &'a Tape, at: usize, count: usize) -> Self {
        Replies { tape, at, left: count }
    }

    /// Whether one of these is not an error.
    pub(crate) fn any_executed(mut self) -> bool {
        self.any(|reply| !matches!(reply.shape(), Shape::Error(_)))
    }

    /// Takes the next `count` values off the front.
    pub(crate) fn split(&mut self, count: usize) -> Replies<'a> {
        let front = Replies { left: count.min(self.left), ..*self };
        for _ in 0..count {
            self.next();
        }
        front
    }

    /// Returns the next value.
    ///
    /// # Errors
    ///
    /// `Decode` if there is none.
    pub fn expect_next(&mut self) -> Result<Reply<'a>> {
        self.next().ok_or_else(|| Error::new(ErrorKind::Decode, "the reply has too few values"))
    }
}

impl<'a> Iterator for Replies<'a> {
    type Item = Reply<'a>;

    fn next(&mut self) -> Option<Reply<'a>> {
        self.left = self.left.checked_sub(1)?;
        let reply = Reply { tape: self.tape, at: self.at };
        self.at = reply.end();
        Some(reply)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Replies<'_> {}

/// The pairs of a flat array, in order.
#[derive(Clone, Copy, Debug)]
pub struct Pairs<'a>(Replies<'a>);

impl<'a> Iterator for Pairs<'a> {
    type Item = (Reply<'a>, Reply<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let pairs = self.0.len() / 2;
        (pairs, Some(pairs))
    }
}

impl ExactSizeIterator for Pairs<'_> {}
